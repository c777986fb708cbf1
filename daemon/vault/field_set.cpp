#include "vault/field_set.hpp"

namespace credlease::vault {
namespace {

constexpr auto last_type = static_cast<std::uint8_t>(vocabulary::FieldType::map);

} // namespace

std::optional<SecretValue> SecretValues::next() {
    if (reader_.is_at_end()) return std::nullopt;
    SecretValue value;
    value.name = reader_.raw(reader_.u8());
    const std::uint8_t type = reader_.u8();
    value.bytes = reader_.text();
    if (type > last_type) reader_.give_up();
    if (reader_.is_broken()) return std::nullopt;
    value.type = static_cast<vocabulary::FieldType>(type);
    return value;
}

std::optional<SecretEntry> SecretEntries::next() {
    if (reader_.is_at_end()) return std::nullopt;
    SecretEntry entry;
    entry.key = reader_.raw(reader_.u16());
    entry.value = reader_.text();
    return reader_.is_broken() ? std::nullopt : std::optional(entry);
}

std::vector<std::string> names_in(const FieldSet& fields) {
    std::vector<std::string> names;
    fields.encoded().expose([&](std::span<const std::byte> encoded) {
        SecretValues values(encoded);
        while (const auto value = values.next()) names.emplace_back(value->name);
    });
    return names;
}

} // namespace credlease::vault
