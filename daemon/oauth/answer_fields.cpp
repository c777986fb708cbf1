#include "oauth/answer_fields.hpp"

#include "vocabulary/names.hpp"
#include "wire/limits.hpp"

#include <algorithm>

namespace credlease::oauth {

bool is_public_value(std::string_view text) {
    return text.size() <= wire::limits::oauth_answer_field && vocabulary::is_line(text);
}

std::string public_value(const AnswerBody& body, const catalog::Pointer& at, const Repeats& secrets) {
    if (std::string number = body.word(at); !number.empty()) return number;
    const std::string_view text = body.text(at);
    return is_public_value(text) && !secrets.are_in(text) ? std::string(text) : std::string();
}

std::vector<std::string> field_urls(const catalog::OAuth& rules, const Values& values) {
    std::vector<std::string> urls;
    for (const catalog::AnswerField& field : rules.answer_fields) {
        if (!field.url || values.has(field.field)) continue;
        auto url = fill_url(*field.url, values);
        if (url && std::ranges::find(urls, *url) == urls.end()) urls.push_back(std::move(*url));
    }
    return urls;
}

result::Result<std::vector<FieldText>> read_fields(const catalog::OAuth& rules, const Values& values,
                                                   std::string_view url, const Secrets& secrets,
                                                   const outbound::Answer& answer, secret::Arena& arena) {
    auto body = AnswerBody::read(answer, arena);
    if (!body) return result::refuse(std::move(body.error()));
    const Repeats repeats(secrets, {});
    std::vector<FieldText> made;
    if (!*body || answer.status < 200 || answer.status >= 300) return made;
    for (const catalog::AnswerField& field : rules.answer_fields) {
        if (!field.url || fill_url(*field.url, values) != url) continue;
        auto text = public_value(**body, field.at, repeats);
        if (!text.empty()) made.push_back({.field = field.field, .text = std::move(text)});
    }
    return made;
}

} // namespace credlease::oauth
