#include "wire/json_writer.hpp"

#include "wire/json_escape.hpp"

#include <array>
#include <charconv>

namespace credlease::wire {
namespace {

/// Calls `append` with the decimal digits of `number`.
template <class Number, class Append> void write_number(Number number, Append append) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

} // namespace

void JsonWriter::separate() {
    if (needs_comma_) out_.push_back(',');
    needs_comma_ = true;
}

JsonWriter& JsonWriter::object() {
    separate();
    out_.push_back('{');
    open_.push_back('{');
    needs_comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::array() {
    separate();
    out_.push_back('[');
    open_.push_back('[');
    needs_comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::close() {
    out_.push_back(open_.back() == '{' ? '}' : ']');
    open_.pop_back();
    needs_comma_ = true;
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    value(name);
    out_.push_back(':');
    needs_comma_ = false;
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    out_.push_back('"');
    if (needs_escape(text)) {
        escape(text, [this](const char* data, std::size_t size) { out_.append(data, size); });
    } else {
        out_.append(text);
    }
    out_.push_back('"');
    return *this;
}

JsonWriter& JsonWriter::value(bool flag) { return raw(flag ? "true" : "false"); }

JsonWriter& JsonWriter::value(std::int64_t number) {
    separate();
    write_number(number, [this](const char* data, std::size_t size) { out_.append(data, size); });
    return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
    separate();
    write_number(number, [this](const char* data, std::size_t size) { out_.append(data, size); });
    return *this;
}

JsonWriter& JsonWriter::value(vocabulary::Time time) {
    std::array<char, vocabulary::time_text_size> text{};
    vocabulary::write_text(time, text.data());
    return value(std::string_view(text.data(), text.size()));
}

JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    out_.append(json);
    return *this;
}

JsonWriter& JsonWriter::member_or_null(std::string_view name, std::string_view text) {
    key(name);
    return text.empty() ? null() : value(text);
}

void SecretJsonWriter::quoted(std::string_view text) {
    append("\"", 1);
    escaped(text);
    append("\"", 1);
}

void SecretJsonWriter::escaped(std::string_view text) {
    if (needs_escape(text)) {
        escape(text, [this](const char* data, std::size_t size) { append(data, size); });
    } else {
        append(text.data(), text.size());
    }
}

void SecretJsonWriter::number(std::int64_t number) {
    write_number(number, [this](const char* data, std::size_t size) { append(data, size); });
}

void SecretJsonWriter::time(vocabulary::Time time) {
    char* const at = take(vocabulary::time_text_size + 2);
    if (at == nullptr) return;
    at[0] = '"';
    vocabulary::write_text(time, at + 1);
    at[vocabulary::time_text_size + 1] = '"';
}

char* SecretJsonWriter::take(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) < size) {
        overflowed_ = true;
        return nullptr;
    }
    char* const taken = at_;
    at_ += size;
    return taken;
}

} // namespace credlease::wire
