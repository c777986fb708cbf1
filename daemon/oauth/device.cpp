#include "oauth/device.hpp"

#include "oauth/provider_text.hpp"
#include "oauth/refuse.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <array>

namespace credlease::oauth {
namespace {

using result::Result;
using secret::SecretBuffer;

constexpr std::size_t longest_user_code = 64;
constexpr std::chrono::seconds shortest_interval{1};
constexpr std::chrono::seconds longest_interval{60};
constexpr std::chrono::seconds longest_life{3600};
constexpr std::chrono::seconds usual_life{600};
constexpr std::int64_t usual_interval = 5; // RFC 8628 §3.2

bool is_visible(std::string_view text, std::size_t most) {
    return !text.empty() && text.size() <= most &&
           std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

/// RFC 8628 names it verification_uri, Google verification_url. It is shown to a person: one that repeats a secret of
/// the exchange is none.
std::string_view uri_in(const AnswerBody& body, const char* name, const char* other, const Repeats& repeats) {
    const std::string_view uri = body.text(name).empty() ? body.text(other) : body.text(name);
    return is_endpoint(uri) && !repeats.are_in(uri) ? uri : std::string_view();
}

} // namespace

Result<std::variant<DeviceGrant, Refusal>> read_device_answer(const catalog::OAuth& rules, const Asked& asked,
                                                              const outbound::Answer& answer, secret::Arena& arena) {
    auto body = AnswerBody::read(answer, arena);
    if (!body) return result::refuse(std::move(body.error()));
    if (!*body) return make_refusal(rules, asked.secrets, answer, nullptr);
    const std::string_view code = (*body)->text("/device_code");
    const std::string_view user_code = (*body)->text("/user_code");
    const std::array codes = {code};
    const Repeats repeats(asked.secrets, codes);
    const std::string_view uri = uri_in(**body, "/verification_uri", "/verification_url", repeats);
    const bool is_whole = is_visible(code, wire::limits::oauth_token) && is_visible(user_code, longest_user_code) &&
                          !repeats.are_in(user_code) && !uri.empty() && !is_refusal(rules, answer, **body);
    if (!is_whole) return make_refusal(rules, asked.secrets, answer, &**body, codes);

    DeviceGrant made;
    auto copied = SecretBuffer::copy(arena, code, secret::Share::tokens);
    if (!copied) return result::refuse(std::move(copied.error()));
    made.device_code = std::move(*copied);
    made.user_code = user_code;
    made.verification_uri = uri;
    made.verification_uri_complete =
        uri_in(**body, "/verification_uri_complete", "/verification_url_complete", repeats);
    const std::int64_t life = (*body)->number("/expires_in").value_or(0);
    made.ends_at = asked.sent_at + (life > 0 ? std::min(std::chrono::seconds(life), longest_life) : usual_life);
    const std::int64_t interval = (*body)->number("/interval").value_or(usual_interval);
    made.interval = std::clamp(std::chrono::seconds(interval), shortest_interval, longest_interval);
    return made;
}

Poll poll_of(const Refusal& refusal) {
    const std::string& code = refusal.code.text();
    if (code == "authorization_pending") return Poll::pending;
    if (code == "slow_down") return Poll::slow_down;
    if (code == "access_denied" || code == "authorization_declined") return Poll::denied; // the second is Microsoft's
    if (code == "expired_token") return Poll::expired;
    switch (refusal.meaning) {
    case catalog::Meaning::rate_limited:
        return Poll::slow_down;
    case catalog::Meaning::definitive:
    case catalog::Meaning::client:
        return Poll::failed;
    case catalog::Meaning::transient:
    case catalog::Meaning::too_early:
        break;
    }
    const bool is_an_answer = refusal.status >= 400 && refusal.status < 500 && refusal.status != 408;
    return is_an_answer ? Poll::failed : Poll::pending;
}

} // namespace credlease::oauth
