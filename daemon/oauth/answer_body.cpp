#include "oauth/answer_body.hpp"

#include "oauth/form.hpp"
#include "wire/json_reader.hpp"
#include "wire/limits.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <new>

namespace credlease::oauth {
namespace {

namespace json = boost::json;
using result::Result;

std::string_view without_space(std::string_view text) {
    constexpr std::string_view mark = "\xef\xbb\xbf"; // some servers begin with it; JSON has none (RFC 8259 §8.1)
    if (text.starts_with(mark)) text.remove_prefix(mark.size());
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    return begin == text.npos ? std::string_view() : text.substr(begin);
}

bool may_be_a_form(std::string_view content_type) {
    return content_type.starts_with("application/x-www-form-urlencoded") || content_type.starts_with("text/plain");
}

json::storage_ptr memory_of(secret::Arena& arena) {
    return json::make_shared_resource<secret::ArenaResource>(arena, secret::Share::tokens, wire::limits::oauth_memory);
}

/// What one answer may need is not there: others hold it.
bool is_short(const secret::Arena& arena) {
    return arena.used(secret::Share::tokens) + wire::limits::oauth_memory > arena.share_size(secret::Share::tokens);
}

std::optional<json::value> read_form(std::string_view text, secret::Arena& arena) try {
    json::object members(memory_of(arena));
    FormReader reader(text, arena);
    while (const auto item = reader.next()) {
        if (!members.emplace(item->name, item->value).second) return std::nullopt;
    }
    if (reader.is_broken() || members.empty()) return std::nullopt;
    return json::value(std::move(members));
} catch (const std::bad_alloc&) {
    return std::nullopt;
}

/// An object, or a list.
std::optional<json::value> read_structure(std::string_view text, secret::Arena& arena) {
    auto value = wire::read_json(text, memory_of(arena));
    return value ? std::optional(std::move(*value)) : std::nullopt;
}

std::optional<std::int64_t> whole(std::string_view digits) {
    std::int64_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, number);
    if (read.ec != std::errc{} || (read.ptr != end && *read.ptr != '.')) return std::nullopt;
    return number;
}

} // namespace

Result<std::optional<AnswerBody>> AnswerBody::read(const outbound::Answer& answer, secret::Arena& arena) {
    std::optional<json::value> root = answer.body.expose([&](std::span<const std::byte> bytes) {
        const std::string_view text = without_space(secret::as_text(bytes));
        if (text.starts_with('{') || text.starts_with('[')) return read_structure(text, arena);
        return may_be_a_form(answer.content_type) ? read_form(text, arena) : std::nullopt;
    });
    if (!root && is_short(arena)) {
        return result::refuse({.code = result::ErrorCode::overloaded,
                               .sentence = "The locked memory for secrets is full.",
                               .next_step = "Try again in a moment.",
                               .retry_after_seconds = 1});
    }
    std::optional<AnswerBody> made;
    if (root) made = AnswerBody(std::move(*root));
    return made;
}

const json::value* AnswerBody::find(const catalog::Pointer& at) const {
    if (at.empty()) return nullptr;
    json::error_code code;
    return root_.find_pointer(at, code);
}

std::string_view AnswerBody::text(const catalog::Pointer& at) const {
    const json::value* const value = find(at);
    const auto* text = value != nullptr ? value->if_string() : nullptr;
    return text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view();
}

std::string AnswerBody::word(const catalog::Pointer& at) const {
    const json::value* const value = find(at);
    if (value == nullptr) return {};
    if (const auto* number = value->if_int64()) return std::to_string(*number);
    if (const auto* number = value->if_uint64()) return std::to_string(*number);
    if (const auto* flag = value->if_bool()) return *flag ? "true" : "false";
    return {};
}

bool AnswerBody::is_false(const catalog::Pointer& at) const {
    const json::value* const value = find(at);
    const bool* const flag = value != nullptr ? value->if_bool() : nullptr;
    return flag != nullptr && !*flag;
}

std::optional<std::int64_t> AnswerBody::number(const catalog::Pointer& at) const {
    const json::value* const value = find(at);
    if (value == nullptr) return std::nullopt;
    if (const auto* number = value->if_int64()) return *number;
    if (value->is_uint64()) return std::numeric_limits<std::int64_t>::max();
    if (const auto* number = value->if_double()) {
        constexpr double most = 1e18;
        return static_cast<std::int64_t>(std::clamp(*number, -most, most));
    }
    return whole(text(at));
}

std::optional<vocabulary::Time> AnswerBody::time(const catalog::Pointer& at) const {
    if (const auto number = this->number(at)) {
        constexpr std::int64_t largest_seconds = 100'000'000'000; // the year 5138
        constexpr std::int64_t most = largest_seconds * 1000;
        if (*number <= 0 || *number > most) return std::nullopt;
        const bool is_seconds = *number < largest_seconds;
        return vocabulary::Time(std::chrono::milliseconds(is_seconds ? *number * 1000 : *number));
    }
    const auto time = vocabulary::read_time(text(at));
    return time ? std::optional(*time) : std::nullopt;
}

std::optional<std::vector<std::string_view>> AnswerBody::words(const catalog::Pointer& at) const {
    const json::value* const value = find(at);
    if (value == nullptr) return std::nullopt;
    std::vector<std::string_view> words;
    if (const auto* list = value->if_array()) {
        for (const json::value& each : *list) {
            if (const auto* text = each.if_string()) words.emplace_back(text->data(), text->size());
        }
        return words;
    }
    if (!value->is_string()) return std::nullopt;
    return split(text(at));
}

} // namespace credlease::oauth
