#include "oauth/device.hpp"
#include "oauth/discovery.hpp"
#include "oauth/redirect.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace credlease;

namespace {

constexpr std::string_view spent = "a-refresh-token-that-was-spent";

catalog::OAuth entry() {
    catalog::OAuth made;
    catalog::TokenSlot bot;
    bot.access_token_at = "/access_token";
    bot.token_type_at = "/token_type";
    bot.refresh_token_at = "/refresh_token";
    bot.expires_in_at = "/expires_in";
    bot.expires_at_at = "/expires_at";
    bot.scope_at = "/scope";
    bot.refresh_expires_in_at = "/refresh_token_expires_in";
    catalog::TokenSlot user = bot;
    user.access_token_at = "/authed_user/access_token";
    user.refresh_token_at = "/authed_user/refresh_token";
    made.slots = {bot, user};
    made.answer_fields = {{.field = 0, .at = "/instance_url", .parameter = "realmId", .url = {}}};
    made.errors.ok_at = "/ok";
    made.errors.sub_at = "/error_codes/0";
    made.errors.rules = {{.status = 0, .error = "*", .meaning = catalog::Meaning::definitive}};
    return made;
}

void require(bool holds) {
    if (!holds) std::abort();
}

bool says(std::string_view text, std::string_view secret) {
    for (std::size_t at = 0; at + 8 <= secret.size(); ++at) {
        if (text.contains(secret.substr(at, 8))) return true;
    }
    return false;
}

} // namespace

/// A provider's answer, behind a byte for its status and one for its content type: a token set that holds a token, or a
/// refusal that repeats no secret and is final only where a server in order says so.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto arena = secret::Arena::make({}).value();
    static const catalog::OAuth rules = entry();
    if (size < 2 || size > std::size_t{64} << 10) return 0;
    constexpr unsigned statuses[] = {200, 201, 302, 400, 401, 403, 408, 429, 500, 503};
    constexpr const char* types[] = {"application/json", "application/x-www-form-urlencoded", "text/html"};
    outbound::Answer answer;
    answer.status = statuses[data[0] % std::size(statuses)];
    answer.content_type = types[data[1] % std::size(types)];
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    answer.body = secret::SecretBuffer::copy(*arena, text, secret::Share::tokens).value();

    oauth::Secrets secrets;
    secrets.push_back(secret::SecretBuffer::copy(*arena, spent, secret::Share::tokens).value());
    const vocabulary::Time now(std::chrono::hours(24 * 365 * 50));
    const oauth::Asked asked{
        .secrets = secrets, .slot = data[0] % 3 == 0 ? std::optional<std::size_t>(1) : std::nullopt, .sent_at = now};
    const auto read = oauth::read_answer(rules, asked, answer, *arena);
    if (!read) return 0;
    if (const auto* set = std::get_if<oauth::TokenSet>(&*read)) {
        require(answer.status < 300 && !set->slots.empty());
        for (const auto& slot : set->slots)
            require(!slot.access_token.empty() && (!slot.ends_at || *slot.ends_at > now));
    }
    if (const auto* refusal = std::get_if<oauth::Refusal>(&*read)) {
        require(refusal->meaning != catalog::Meaning::definitive || answer.status < 408);
        require(!says(refusal->code.text(), spent) && !says(refusal->text.text(), spent));
    }
    (void)oauth::read_device_answer(rules, asked, answer, *arena).has_value();
    (void)oauth::read_discovery("https://id.example", answer, *arena).has_value();
    (void)oauth::read_redirect(rules, text, *arena).has_value();
    return 0;
}
