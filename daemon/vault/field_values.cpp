#include "vault/field_values.hpp"

#include <charconv>

namespace credlease::vault {
namespace {

using vocabulary::FieldType;
using vocabulary::PublicValue;

bool fits(const PublicValue& value, FieldType type) {
    switch (type) {
    case FieldType::string:
    case FieldType::text:
        return std::holds_alternative<std::string>(value);
    case FieldType::integer:
        return std::holds_alternative<std::int64_t>(value);
    case FieldType::boolean:
        return std::holds_alternative<bool>(value);
    case FieldType::list:
        return std::holds_alternative<std::vector<std::string>>(value);
    case FieldType::map:
        return std::holds_alternative<std::map<std::string, std::string>>(value);
    }
    return false;
}

/// A string may have become a text, and the other way round: they are written alike.
bool fits(const SecretValue& value, FieldType type) {
    const auto is_text = [](FieldType any) { return any == FieldType::string || any == FieldType::text; };
    if (value.type == FieldType::integer && value.bytes.size() != 8) return false;
    if (value.type == FieldType::boolean && value.bytes.size() != 1) return false;
    return value.type == type || (is_text(value.type) && is_text(type));
}

} // namespace

FieldValues::FieldValues(const catalog::AuthType& auth, const Entry& entry, std::span<const std::byte> plaintext) {
    for (const auto& [name, value] : entry.credential.fields) {
        const auto field = auth.find_field(name);
        if (!field) continue;
        public_[*field] = &value;
        present_ |= std::uint32_t{1} << *field;
        broken_ |= !fits(value, auth.fields[*field].type);
    }
    SecretValues values(plaintext);
    while (const auto value = values.next()) {
        const auto field = auth.find_field(value->name);
        if (!field) continue;
        secrets_[*field] = *value;
        present_ |= std::uint32_t{1} << *field;
        secret_ |= std::uint32_t{1} << *field;
        broken_ |= !fits(*value, auth.fields[*field].type);
    }
    broken_ |= values.is_broken();
}

ValueText::ValueText(const FieldValues& values, std::size_t field) {
    if (values.is_secret(field)) {
        const SecretValue& value = values.secret_value(field);
        if (value.type == FieldType::integer) {
            set(ByteReader(value.bytes).i64());
        } else if (value.type == FieldType::boolean) {
            set(ByteReader(value.bytes).u8() != 0);
        } else {
            text_ = value.bytes;
        }
        return;
    }
    const PublicValue& value = *values.public_value(field);
    if (const auto* text = std::get_if<std::string>(&value)) text_ = *text;
    if (const auto* number = std::get_if<std::int64_t>(&value)) set(*number);
    if (const auto* flag = std::get_if<bool>(&value)) set(*flag);
}

ValueText::~ValueText() { secret::wipe(std::as_writable_bytes(std::span(digits_))); }

void ValueText::set(std::int64_t number) {
    const auto end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr;
    text_ = {digits_.data(), end};
}

} // namespace credlease::vault
