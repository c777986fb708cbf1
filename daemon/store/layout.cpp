#include "store/layout.hpp"

#include <algorithm>
#include <cstring>

namespace credlease::store {
namespace {

using Parts = std::initializer_list<mac::Bytes>;

constexpr char value_format = 1;
constexpr std::size_t revision_size = 8;
constexpr std::size_t mac_size = sizeof(mac::Digest);
constexpr std::size_t value_start = 1 + revision_size;

std::array<std::byte, 1> byte_of(Table table) { return {static_cast<std::byte>(table)}; }

/// Shows the record to a MAC in the one form in which records are authenticated.
template <class Use> auto with_parts(const Record& record, Use&& use) {
    const auto table = byte_of(record.table);
    const auto revision = mac::little_endian(record.revision);
    return use({mac::Bytes(table), mac::bytes_of(record.key), mac::Bytes(revision), mac::bytes_of(record.value)});
}

} // namespace

std::string stored_key(Table table, std::string_view key) {
    std::string made(1, static_cast<char>(table));
    made.append(key);
    return made;
}

std::string header_key(std::string_view name) {
    std::string made(1, header_prefix);
    made.append(name);
    return made;
}

std::optional<StoredValue> read_value(std::string_view bytes) {
    if (bytes.size() < value_start + mac_size || bytes.front() != value_format) return std::nullopt;
    StoredValue read;
    for (std::size_t i = 0; i < revision_size; ++i) {
        read.revision |= std::uint64_t{static_cast<unsigned char>(bytes[1 + i])} << (8 * i);
    }
    read.value = bytes.substr(value_start, bytes.size() - value_start - mac_size);
    std::memcpy(read.mac.data(), bytes.data() + bytes.size() - mac_size, mac_size);
    return read;
}

std::string make_value(const mac::RecordMac& mac, const Record& record) {
    const mac::Digest digest = with_parts(record, [&](Parts parts) { return mac.of(parts); });
    const auto revision = mac::little_endian(record.revision);
    std::string made(value_start + record.value.size() + mac_size, value_format);
    std::memcpy(made.data() + 1, revision.data(), revision_size);
    std::ranges::copy(record.value, made.data() + value_start);
    std::memcpy(made.data() + value_start + record.value.size(), digest.data(), mac_size);
    return made;
}

bool is_authentic(const mac::RecordMac& mac, const Record& record, const mac::Digest& digest) {
    return with_parts(record, [&](Parts parts) { return mac.agrees(digest, parts); });
}

mac::Digest element_of(const mac::SetMac& mac, const Record& record) {
    return with_parts(record, [&](Parts parts) { return mac.of(parts); });
}

} // namespace credlease::store
