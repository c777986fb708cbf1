#include "oauth/answer.hpp"

#include "oauth/answer_fields.hpp"
#include "oauth/refuse.hpp"
#include "wire/limits.hpp"

#include <algorithm>

namespace credlease::oauth {
namespace {

using catalog::Pointer;
using catalog::TokenSlot;
using result::Result;
using secret::SecretBuffer;
namespace limits = wire::limits;

/// RFC 6749 appendix A.12 and A.17, and no space at either end, which a header would lose.
bool is_token(std::string_view text) {
    return !text.empty() && text.size() <= limits::oauth_token && text.front() != ' ' && text.back() != ' ' &&
           std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

/// One token answer while it is read.
class Reading {
  public:
    Reading(const catalog::OAuth& rules, const Asked& asked, const outbound::Answer& answer, const AnswerBody& body,
            secret::Arena& arena)
        : rules_(rules), asked_(asked), answer_(answer), body_(body), arena_(arena), tokens_(tokens_in(rules, body)),
          repeats_(asked.secrets, tokens_) {}
    Reading(const Reading&) = delete; // `repeats_` looks at `tokens_`
    Reading& operator=(const Reading&) = delete;

    [[nodiscard]] std::span<const std::string_view> tokens() const { return tokens_; }

    /// nullopt where a token is missing that must be there, or is no token.
    Result<std::optional<TokenSet>> read() {
        TokenSet made;
        for (const auto& [slot, at] : places()) {
            if (body_.text(at.access_token_at).empty()) continue;
            auto tokens = read_slot(slot, at);
            if (!tokens) return result::refuse(std::move(tokens.error()));
            if (!*tokens) return std::optional<TokenSet>();
            made.slots.push_back(std::move(**tokens));
        }
        const auto is_asked = [&](const SlotTokens& each) { return !asked_.slot || each.slot == *asked_.slot; };
        if (std::ranges::none_of(made.slots, is_asked)) return std::optional<TokenSet>();
        for (const catalog::AnswerField& field : rules_.answer_fields) {
            if (field.url) continue; // in an answer of its own
            if (auto text = public_value(field.at); !text.empty()) {
                made.fields.push_back({.field = field.field, .text = std::move(text)});
            }
        }
        made.account = public_value(rules_.account_at);
        return std::optional(std::move(made));
    }

  private:
    static std::vector<std::string_view> tokens_in(const catalog::OAuth& rules, const AnswerBody& body) {
        std::vector<std::string_view> tokens;
        for (const TokenSlot& slot : rules.slots) {
            for (const Pointer* at : {&slot.access_token_at, &slot.refresh_token_at}) {
                for (const Pointer& place : {*at, catalog::place_in_refresh(slot, *at)}) {
                    if (const auto token = body.text(place); !token.empty()) tokens.push_back(token);
                }
            }
        }
        return tokens;
    }

    struct Place {
        std::size_t slot;
        TokenSlot at;
    };
    /// The slots, where this answer has them. One that comes elsewhere when it is refreshed by itself comes alone.
    std::vector<Place> places() const {
        if (asked_.slot) {
            TokenSlot moved = rules_.slots[*asked_.slot];
            for (Pointer TokenSlot::* at :
                 {&TokenSlot::access_token_at, &TokenSlot::token_type_at, &TokenSlot::refresh_token_at,
                  &TokenSlot::expires_in_at, &TokenSlot::expires_at_at, &TokenSlot::scope_at,
                  &TokenSlot::refresh_expires_in_at}) {
                moved.*at = catalog::place_in_refresh(moved, moved.*at);
            }
            const bool is_nested = !moved.nested_in.empty();
            if (is_nested && !body_.text(moved.access_token_at).empty()) return {{.slot = *asked_.slot, .at = moved}};
        }
        std::vector<Place> all;
        for (std::size_t i = 0; i < rules_.slots.size(); ++i) all.push_back({.slot = i, .at = rules_.slots[i]});
        return all;
    }

    Result<std::optional<SlotTokens>> read_slot(std::size_t slot, const TokenSlot& at) {
        const std::string_view access = body_.text(at.access_token_at);
        const std::string_view refresh = body_.text(at.refresh_token_at);
        if (!is_token(access) || (!refresh.empty() && !is_token(refresh))) return std::optional<SlotTokens>();
        auto access_copy = SecretBuffer::copy(arena_, access, secret::Share::tokens);
        if (!access_copy) return result::refuse(std::move(access_copy.error()));
        auto refresh_copy = SecretBuffer::copy(arena_, refresh, secret::Share::tokens);
        if (!refresh_copy) return result::refuse(std::move(refresh_copy.error()));
        SlotTokens made;
        made.slot = slot;
        made.access_token = AccessToken(std::move(*access_copy));
        made.refresh_token = RefreshToken(std::move(*refresh_copy));
        made.token_type = public_value(at.token_type_at);
        made.ends_at = end_of(at);
        if (const auto life = life_at(at.refresh_expires_in_at)) made.refresh_ends_at = counted_from() + *life;
        made.scopes = scopes_at(at.scope_at);
        return std::optional(std::move(made));
    }

    /// nullopt for what is not said, or makes no sense.
    std::optional<vocabulary::Duration> life_at(const Pointer& at) const {
        const auto seconds = body_.number(at);
        if (!seconds || *seconds <= 0) return std::nullopt;
        constexpr auto longest = std::chrono::seconds(limits::oauth_lifetime);
        return std::min<std::chrono::seconds>(longest, std::chrono::seconds(*seconds));
    }
    /// Who counts lives in whole seconds lets them begin and end at one: up to a second before the life that is said.
    Time counted_from() const { return std::chrono::floor<std::chrono::seconds>(asked_.sent_at); }
    std::optional<Time> end_of(const TokenSlot& at) const {
        if (const auto life = life_at(at.expires_in_at)) return counted_from() + *life;
        if (const auto named = body_.time(at.expires_at_at)) {
            const Time end = *named - answer_.date_ahead; // by the server's clock
            if (end > asked_.sent_at) return std::min<Time>(end, asked_.sent_at + limits::oauth_lifetime);
        }
        if (rules_.clocks.access) return counted_from() + *rules_.clocks.access;
        return std::nullopt;
    }
    std::optional<std::vector<std::string>> scopes_at(const Pointer& at) const {
        const auto words = body_.words(at);
        if (!words) return std::nullopt;
        std::vector<std::string> scopes;
        for (const std::string_view word : *words) {
            const bool is_kept =
                scopes.size() < limits::oauth_scopes && is_public_value(word) && !repeats_.are_in(word);
            if (is_kept) scopes.emplace_back(word);
        }
        return scopes;
    }
    std::string public_value(const Pointer& at) const { return oauth::public_value(body_, at, repeats_); }

    const catalog::OAuth& rules_;
    const Asked& asked_;
    const outbound::Answer& answer_;
    const AnswerBody& body_;
    secret::Arena& arena_;
    std::vector<std::string_view> tokens_; ///< that the answer holds
    Repeats repeats_;
};

} // namespace

Result<std::variant<TokenSet, Refusal>> read_answer(const catalog::OAuth& rules, const Asked& asked,
                                                    const outbound::Answer& answer, secret::Arena& arena) {
    auto body = AnswerBody::read(answer, arena);
    if (!body) return result::refuse(std::move(body.error()));
    if (!*body || (*body)->is_list()) return make_refusal(rules, asked.secrets, answer, nullptr);
    Reading reading(rules, asked, answer, **body, arena);
    if (!is_refusal(rules, answer, **body)) {
        auto tokens = reading.read();
        if (!tokens) return result::refuse(std::move(tokens.error()));
        if (*tokens) return std::move(**tokens);
    }
    return make_refusal(rules, asked.secrets, answer, &**body, reading.tokens());
}

Result<std::optional<Refusal>> read_revocation(const catalog::OAuth& rules, const Secrets& secrets,
                                               const outbound::Answer& answer, secret::Arena& arena) {
    auto body = AnswerBody::read(answer, arena);
    if (!body) return result::refuse(std::move(body.error()));
    const bool is_success = answer.status >= 200 && answer.status < 300;
    if (is_success && (!*body || !is_refusal(rules, answer, **body))) return std::optional<Refusal>();
    return std::optional(make_refusal(rules, secrets, answer, *body ? &**body : nullptr));
}

} // namespace credlease::oauth
