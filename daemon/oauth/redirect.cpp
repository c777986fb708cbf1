#include "oauth/redirect.hpp"

#include "crypto/one_time.hpp"
#include "oauth/form.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <map>

namespace credlease::oauth {
namespace {

using result::Result;
using secret::SecretBuffer;
namespace limits = wire::limits;

result::Failure not_a_redirect() {
    return result::refuse({.code = result::ErrorCode::invalid_request,
                           .sentence = "This is not an address that the service redirected to.",
                           .next_step = "Paste all of the address that the browser shows after signing in.",
                           .field = result::PublicText::of("redirect_url")});
}

/// "https://host/callback?QUERY#…", or the query alone.
std::string_view query_of(std::string_view address) {
    constexpr std::string_view space = " \t\r\n";
    const std::size_t begin = std::min(address.find_first_not_of(space), address.size());
    address = address.substr(begin, address.find_last_not_of(space) + 1 - begin);
    address = address.substr(0, address.find('#'));
    const std::size_t mark = address.find('?');
    return mark == address.npos ? address : address.substr(mark + 1);
}

/// The parameters that mean something here, in the arena. A name that comes twice is none that a server sent.
Result<std::map<std::string, SecretBuffer, std::less<>>> read_parameters(const catalog::OAuth& rules,
                                                                         std::string_view query, secret::Arena& arena) {
    std::map<std::string, SecretBuffer, std::less<>> found;
    for (const std::string_view name : {"state", "code", "iss", "error", "error_description"}) {
        found.emplace(name, SecretBuffer());
    }
    for (const catalog::AnswerField& field : rules.answer_fields) {
        if (!field.parameter.empty()) found.emplace(field.parameter, SecretBuffer());
    }
    FormReader reader(query, arena);
    while (const auto item = reader.next()) {
        const auto place = found.find(item->name);
        if (place == found.end() || item->value.empty()) continue;
        if (!place->second.empty()) return not_a_redirect();
        auto copied = SecretBuffer::copy(arena, item->value, secret::Share::tokens);
        if (!copied) return result::refuse(std::move(copied.error()));
        place->second = std::move(*copied);
    }
    if (reader.is_broken()) return not_a_redirect();
    return found;
}

std::string public_text(const SecretBuffer& value, const Secrets& secrets) {
    return value.expose([&](std::span<const std::byte> bytes) {
        const std::string_view text = secret::as_text(bytes);
        const bool is_shown = text.size() <= limits::oauth_answer_field && !Repeats(secrets, {}).are_in(text) &&
                              std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
        return is_shown ? std::string(text) : std::string();
    });
}

} // namespace

Result<Redirect> read_redirect(const catalog::OAuth& rules, std::string_view address, secret::Arena& arena) {
    const std::string_view query = query_of(address);
    if (query.size() > limits::oauth_redirect) return not_a_redirect();
    auto found = read_parameters(rules, query, arena);
    if (!found) return result::refuse(std::move(found.error()));
    const bool is_whole = !found->at("state").empty() && found->at("code").empty() != found->at("error").empty();
    if (!is_whole) return not_a_redirect();

    Secrets secrets;
    secrets.push_back(std::move(found->at("state")));
    secrets.push_back(std::move(found->at("code")));
    const auto cleaned = [&](const char* name, std::size_t most) {
        return found->at(name).expose(
            [&](std::span<const std::byte> bytes) { return clean(secret::as_text(bytes), most, secrets); });
    };
    Redirect made;
    made.error = cleaned("error", longest_code);
    made.text = cleaned("error_description", longest_text);
    made.issuer = public_text(found->at("iss"), secrets);
    if (made.issuer.empty() && !found->at("iss").empty()) return not_a_redirect();
    for (const catalog::AnswerField& field : rules.answer_fields) {
        if (field.parameter.empty()) continue;
        if (auto text = public_text(found->at(field.parameter), secrets); !text.empty()) {
            made.fields.push_back({.field = field.field, .text = std::move(text)});
        }
    }
    made.state = std::move(secrets[0]);
    made.code = std::move(secrets[1]);
    return made;
}

SecretBuffer read_state(std::string_view address, secret::Arena& arena) {
    const std::string_view query = query_of(address);
    SecretBuffer state;
    if (query.size() > limits::oauth_redirect) return state;
    FormReader reader(query, arena);
    while (const auto item = reader.next()) {
        if (item->name != "state" || item->value.empty()) continue;
        if (!state.empty()) return {};
        auto copied = SecretBuffer::copy(arena, item->value, secret::Share::tokens);
        if (!copied) return {};
        state = std::move(*copied);
    }
    return reader.is_broken() ? SecretBuffer() : std::move(state);
}

Result<> check_redirect(const Redirect& redirect, const SecretBuffer& state, const Terms& terms) {
    if (!crypto::agree(redirect.state, state)) {
        return result::refuse({.code = result::ErrorCode::invalid_request,
                               .sentence = "This address belongs to another authorization: each is good once.",
                               .next_step = "Open the address of this authorization, and give the one that the browser "
                                            "is sent to then."});
    }
    const bool is_missing = redirect.issuer.empty() && terms.sends_issuer;
    const bool is_another = !redirect.issuer.empty() && !terms.issuer.empty() && redirect.issuer != terms.issuer;
    if (is_missing || is_another) {
        return result::refuse({.code = result::ErrorCode::invalid_request,
                               .sentence = "This redirect comes from another issuer than the one that was asked.",
                               .next_step = "Do not use it. Check the issuer, and begin the authorization again."});
    }
    return {};
}

} // namespace credlease::oauth
