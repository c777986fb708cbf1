#include "wire/json_reader.hpp"

#include "secret/secret_buffer.hpp"
#include "wire/limits.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <array>
#include <new>
#include <optional>

namespace credlease::wire {
namespace {

namespace json = boost::json;
using result::refuse;
using Code = json::error_code;

/// Builds the values; counts the keys, so that a repeated one shows as a member that is missing in the end.
struct Builder {
    static constexpr std::size_t max_object_size = json::object::max_size();
    static constexpr std::size_t max_array_size = json::array::max_size();
    static constexpr std::size_t max_key_size = json::string::max_size();
    static constexpr std::size_t max_string_size = json::string::max_size();

    json::value_stack values;
    std::size_t keys = 0;

    explicit Builder(const json::storage_ptr& memory) : values(memory) { values.reset(memory); }

    static bool is_clean(json::string_view text, Code& code) {
        if (text.find('\0') == json::string_view::npos) return true;
        code = json::error::syntax;
        return false;
    }
    bool take_chars(json::string_view text, Code& code) {
        if (!is_clean(text, code)) return false;
        values.push_chars(text);
        return true;
    }

    bool on_document_begin(Code&) { return true; }
    bool on_document_end(Code&) { return true; }
    bool on_object_begin(Code&) { return true; }
    bool on_object_end(std::size_t size, Code&) { return values.push_object(size), true; }
    bool on_array_begin(Code&) { return true; }
    bool on_array_end(std::size_t size, Code&) { return values.push_array(size), true; }
    bool on_key_part(json::string_view text, std::size_t, Code& code) { return take_chars(text, code); }
    bool on_key(json::string_view text, std::size_t, Code& code) {
        if (!is_clean(text, code)) return false;
        ++keys;
        values.push_key(text);
        return true;
    }
    bool on_string_part(json::string_view text, std::size_t, Code& code) { return take_chars(text, code); }
    bool on_string(json::string_view text, std::size_t, Code& code) {
        if (!is_clean(text, code)) return false;
        values.push_string(text);
        return true;
    }
    bool on_number_part(json::string_view, Code&) { return true; }
    bool on_int64(std::int64_t number, json::string_view, Code&) { return values.push_int64(number), true; }
    bool on_uint64(std::uint64_t number, json::string_view, Code&) { return values.push_uint64(number), true; }
    bool on_double(double number, json::string_view, Code&) { return values.push_double(number), true; }
    bool on_bool(bool flag, Code&) { return values.push_bool(flag), true; }
    bool on_null(Code&) { return values.push_null(), true; }
    bool on_comment_part(json::string_view, Code&) { return true; }
    bool on_comment(json::string_view, Code&) { return true; }
};

std::size_t count_members(const json::value& value) {
    std::size_t count = 0;
    if (const auto* object = value.if_object()) {
        count = object->size();
        for (const auto& member : *object) count += count_members(member.value());
    } else if (const auto* array = value.if_array()) {
        for (const auto& element : *array) count += count_members(element);
    }
    return count;
}

result::Failure not_json(json::error_code code) {
    if (code == json::error::too_deep) {
        return refuse({.code = result::ErrorCode::invalid_request,
                       .sentence = "The body's JSON is nested too deeply.",
                       .next_step = "Send at most 16 levels of objects and arrays."});
    }
    return refuse({.code = result::ErrorCode::invalid_request,
                   .sentence = "The body is not well-formed JSON text.",
                   .next_step = "Send one JSON object in UTF-8 (RFC 8259)."});
}

[[gnu::noinline]] result::Result<json::value> parse(std::string_view text, const json::storage_ptr& memory) try {
    json::parse_options options;
    options.max_depth = limits::json_depth;
    json::basic_parser<Builder> parser(options, memory);
    Code code;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
    if (code) return not_json(code);
    if (used != text.size()) return not_json(json::error::extra_data);

    json::value value = parser.handler().values.release();
    if (count_members(value) != parser.handler().keys) {
        return refuse({.code = result::ErrorCode::invalid_request,
                       .sentence = "The body's JSON names one member twice.",
                       .next_step = "Send each member once."});
    }
    return value;
} catch (const std::bad_alloc&) {
    return refuse({.code = result::ErrorCode::payload_too_large,
                   .sentence = "The body needs more memory than one request may have.",
                   .next_step = "Send less in one request."});
}

/// The parser decodes texts with escapes in buffers on the stack: this takes the place of its frames and wipes it. They
/// are 8 KiB deep (measured), 13 KiB without optimization; more would overflow a thread of a program that gives its
/// threads little.
[[gnu::noinline]] void wipe_stack() {
    std::array<std::byte, std::size_t{16} * 1024> frames;
    secret::wipe(frames);
}

} // namespace

result::Result<json::value> read_json(std::string_view text, json::storage_ptr memory) {
    result::Result<json::value> value = parse(text, memory);
    if (text.find('\\') != std::string_view::npos) wipe_stack();
    return value;
}

} // namespace credlease::wire
