#pragma once

#include "store/store.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace credlease::store {

/// What the store's format is called in its "format" header. A higher number is refused.
inline constexpr std::uint32_t format_version = 1;

/// The key's first byte: a table's number, or zero for the headers.
inline constexpr char header_prefix = '\0';

/// One byte of table, then the key: a table is a range.
[[nodiscard]] std::string stored_key(Table table, std::string_view key);
[[nodiscard]] std::string header_key(std::string_view name);

/// A stored value as it lies on the disk, not yet authenticated: format (1 byte), revision (8, little-endian), the
/// value, MAC (32).
struct StoredValue {
    std::uint64_t revision = 0;
    std::string_view value;
    mac::Digest mac{};
};
[[nodiscard]] std::optional<StoredValue> read_value(std::string_view bytes);

/// What RocksDB gets for a record.
[[nodiscard]] std::string make_value(const mac::RecordMac& mac, const Record& record);
[[nodiscard]] bool is_authentic(const mac::RecordMac& mac, const Record& record, const mac::Digest& digest);
/// The record's share in the set hash. It is secret: whoever knew the shares of many records, old ones too, could look
/// for a set of old records with the same XOR (linear algebra over 256 bits).
[[nodiscard]] mac::Digest element_of(const mac::SetMac& mac, const Record& record);

} // namespace credlease::store
