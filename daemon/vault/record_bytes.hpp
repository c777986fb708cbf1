#pragma once

#include "result/result.hpp"
#include "store/bytes.hpp"
#include "vocabulary/scope.hpp"
#include "vocabulary/time.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the stored forms of this room's records have in common.

namespace credlease::vault {

using store::ByteReader;
using store::ByteWriter;

template <class Out> void write(ByteWriter<Out>& writer, const std::vector<std::string>& texts) {
    writer.u32(static_cast<std::uint32_t>(texts.size()));
    for (const std::string& text : texts) writer.text(text);
}
template <class Out> void write(ByteWriter<Out>& writer, const std::map<std::string, std::string>& texts) {
    writer.u32(static_cast<std::uint32_t>(texts.size()));
    for (const auto& [key, text] : texts) {
        writer.text(key);
        writer.text(text);
    }
}
template <class Out> void write(ByteWriter<Out>& writer, const std::optional<std::int64_t>& number) {
    writer.u8(number ? 1 : 0);
    if (number) writer.i64(*number);
}
template <class Out> void write(ByteWriter<Out>& writer, const std::optional<vocabulary::Time>& time) {
    write(writer, time ? std::optional<std::int64_t>(time->time_since_epoch().count()) : std::nullopt);
}

[[nodiscard]] std::vector<std::string> read_texts(ByteReader& reader);
[[nodiscard]] std::map<std::string, std::string> read_map(ByteReader& reader);
[[nodiscard]] std::optional<std::int64_t> read_maybe(ByteReader& reader);
[[nodiscard]] std::optional<vocabulary::Time> read_maybe_time(ByteReader& reader);
/// A text that is no scope's breaks the record.
[[nodiscard]] vocabulary::Scope read_scope(ByteReader& reader);

[[nodiscard]] inline vocabulary::Time time_of(std::int64_t milliseconds) {
    return vocabulary::Time(vocabulary::Duration(milliseconds));
}
[[nodiscard]] inline std::int64_t number_of(vocabulary::Time time) { return time.time_since_epoch().count(); }

[[nodiscard]] inline std::vector<std::byte> bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}
[[nodiscard]] inline std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The reader of a record's value behind its format byte.
[[nodiscard]] ByteReader open_format(std::string_view value, std::uint8_t format);

/// `damaged`, naming the record's key.
[[nodiscard]] result::Failure damaged_record(std::string_view key);

} // namespace credlease::vault
