#include "oauth/refuse.hpp"

#include <algorithm>

namespace credlease::oauth {
namespace {

using catalog::ErrorRule;
using catalog::Meaning;

constexpr std::chrono::hours longest_wait{24};

bool is_success(unsigned status) { return status >= 200 && status < 300; }

/// A code that a provider wrote as a text or as a number.
class Code {
  public:
    Code(const AnswerBody* body, const catalog::Pointer& at) {
        if (body == nullptr) return;
        number_ = body->word(at);
        text_ = number_.empty() ? body->text(at) : number_;
    }
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;
    [[nodiscard]] std::string_view text() const { return text_; }

  private:
    std::string number_;
    std::string_view text_;
};

/// RFC 6749 §5.2: all others are the request's own fault, or pass.
Meaning standard_meaning(std::string_view error) {
    if (error == "invalid_grant") return Meaning::definitive;
    if (error == "invalid_client" || error == "unauthorized_client") return Meaning::client;
    return Meaning::transient;
}

Meaning meaning_by_rules(const catalog::OAuth& rules, unsigned status, std::string_view error, std::string_view sub) {
    for (const ErrorRule& rule : rules.errors.rules) {
        if (rule.status != 0 && rule.status != status) continue;
        if (rule.error != "*" && rule.error != error) continue;
        if (rule.sub_error.empty() || rule.sub_error == sub) return rule.meaning;
    }
    return standard_meaning(error);
}

/// What a server says that is in trouble, or that has no words for it, is not the last word on a grant or a client.
Meaning bounded(Meaning meaning, unsigned status, bool has_words) {
    const bool is_of_the_moment = status >= 500 || status == 408 || status == 429 || !has_words;
    const bool is_final = meaning == Meaning::definitive || meaning == Meaning::client;
    if (status == 429 && (is_final || meaning == Meaning::transient)) return Meaning::rate_limited;
    return is_of_the_moment && is_final ? Meaning::transient : meaning;
}

} // namespace

bool is_refusal(const catalog::OAuth& rules, const outbound::Answer& answer, const AnswerBody& body) {
    return !is_success(answer.status) || body.is_false(rules.errors.ok_at) ||
           !Code(&body, rules.errors.at).text().empty();
}

Refusal make_refusal(const catalog::OAuth& rules, const Secrets& secrets, const outbound::Answer& answer,
                     const AnswerBody* body, std::span<const std::string_view> tokens) {
    const Code error(body, rules.errors.at);
    const Code sub(body, rules.errors.sub_at);
    // A success without tokens needs words for it; an error status is a word, if a server's own JSON comes with it.
    const bool says_no = body != nullptr && (body->is_false(rules.errors.ok_at) || !error.text().empty());
    const bool has_words = says_no || (body != nullptr && !is_success(answer.status));
    Refusal made{.status = answer.status};
    made.is_unread = body == nullptr && is_success(answer.status);
    made.meaning = bounded(meaning_by_rules(rules, answer.status, error.text(), sub.text()), answer.status, has_words);
    made.retry_after =
        std::clamp<std::chrono::milliseconds>(answer.retry_after, std::chrono::milliseconds(0), longest_wait);
    made.code = clean(error.text(), longest_code, secrets, tokens);
    if (body != nullptr) made.text = clean(body->text(rules.errors.text_at), longest_text, secrets, tokens);
    // A gateway does not know what the server behind it did.
    made.may_be_done =
        answer.status >= 500 || answer.status == 408 || (is_success(answer.status) && (!says_no || !tokens.empty()));
    return made;
}

Refusal refusal_of(const outbound::Failed& failed) {
    return {.text = result::PublicText::of(failed.error.detail()), .may_be_done = failed.was_sent};
}

} // namespace credlease::oauth
