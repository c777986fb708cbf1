#pragma once

#include "vocabulary/time.hpp"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::wire {

/// Appends JSON text to a std::string (public answers). Commas are put where they belong.
/// `writer.object().key("a").value(1).close()`
class JsonWriter {
  public:
    explicit JsonWriter(std::string& out) : out_(out) {}

    JsonWriter& object();
    JsonWriter& array();
    JsonWriter& close(); ///< ends the innermost object or array
    JsonWriter& key(std::string_view name);
    JsonWriter& value(std::string_view text);
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(bool flag);
    JsonWriter& value(std::int64_t number);
    JsonWriter& value(std::uint64_t number);
    JsonWriter& value(std::uint32_t number) { return value(std::uint64_t{number}); }
    JsonWriter& value(std::int32_t number) { return value(std::int64_t{number}); }
    JsonWriter& value(vocabulary::Time time);
    JsonWriter& null();
    JsonWriter& raw(std::string_view json); ///< JSON text that is known to be well-formed
    template <class T> JsonWriter& value(const std::optional<T>& maybe) { return maybe ? value(*maybe) : null(); }
    template <class T> JsonWriter& member(std::string_view name, const T& what) {
        key(name);
        return value(what);
    }
    /// An empty text becomes null.
    JsonWriter& member_or_null(std::string_view name, std::string_view text);

  private:
    void separate();

    std::string& out_;
    std::string open_; ///< one '{' or '[' a level
    bool needs_comma_ = false;
};

/// Writes JSON text by hand into memory of a fixed size, the arena's: for replies that carry secrets. Writes nothing
/// past the end; `overflowed` tells.
class SecretJsonWriter {
  public:
    SecretJsonWriter(char* begin, std::size_t size) : begin_(begin), at_(begin), end_(begin + size) {}

    void raw(std::string_view json) { append(json.data(), json.size()); }
    void quoted(std::string_view text);  ///< with quotes, escaped (RFC 8259 §7)
    void escaped(std::string_view text); ///< without quotes
    void number(std::int64_t number);
    void time(vocabulary::Time time); ///< quoted
    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }
    [[nodiscard]] bool overflowed() const { return overflowed_; }
    /// The next `size` bytes to be filled by the caller; nullptr (and overflowed) when they do not fit.
    [[nodiscard]] char* take(std::size_t size);

  private:
    void append(const char* data, std::size_t size) {
        if (static_cast<std::size_t>(end_ - at_) < size) {
            overflowed_ = true;
            return;
        }
        if (size == 0) return; // an empty view may point nowhere, which memcpy(3) does not take
        std::memcpy(at_, data, size);
        at_ += size;
    }

    char* begin_;
    char* at_;
    char* end_;
    bool overflowed_ = false;
};

} // namespace credlease::wire
