#include "result/error.hpp"

namespace credlease::result {

std::string Error::detail() const {
    std::string text(sentence.view());
    if (!about.empty()) {
        const bool ends_with_period = text.ends_with('.');
        if (ends_with_period) text.pop_back();
        text += " (" + about.text() + ")";
        if (ends_with_period) text += '.';
    }
    if (next_step.view().empty()) return text;
    if (!text.ends_with('.')) text += '.';
    return text.append(" ").append(next_step.view());
}

Error invalid(std::string_view field, StaticText sentence) {
    Error error{.code = ErrorCode::invalid_request, .sentence = sentence};
    error.field = PublicText::of(field);
    return error;
}

} // namespace credlease::result
