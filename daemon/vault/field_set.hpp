#pragma once

#include "catalog/service.hpp"
#include "result/result.hpp"
#include "secret/secret_buffer.hpp"
#include "store/bytes.hpp"
#include "vocabulary/credential.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::vault {

using store::ByteReader;
using store::ByteWriter;

/// The secret fields of one credential while a request is served: one buffer in the arena, in the binary form that is
/// sealed. Fields go by name, so that an entry of the catalog may change around what is stored.
class FieldSet {
  public:
    FieldSet() = default;
    explicit FieldSet(secret::SecretBuffer encoded) : encoded_(std::move(encoded)) {}

    [[nodiscard]] const secret::SecretBuffer& encoded() const { return encoded_; }
    [[nodiscard]] bool empty() const { return encoded_.empty(); }

  private:
    secret::SecretBuffer encoded_;
};

/// A secret field's value inside an exposed FieldSet. It views the plaintext: it never outlives the `expose`.
struct SecretValue {
    std::string_view name;
    vocabulary::FieldType type = vocabulary::FieldType::string;
    std::string_view bytes; ///< an integer's 8 bytes, a boolean's one, a list's and map's entries (see SecretEntries)
};

/// The values of an encoded field set, one after another: u8 length and name, u8 type, u32 length and bytes.
class SecretValues {
  public:
    explicit SecretValues(std::span<const std::byte> encoded) : reader_(secret::as_text(encoded)) {}
    [[nodiscard]] std::optional<SecretValue> next();
    [[nodiscard]] bool is_broken() const { return reader_.is_broken(); }

  private:
    ByteReader reader_;
};

template <class Out> void write_value(Out& out, const SecretValue& value) {
    ByteWriter writer(out);
    writer.u8(static_cast<std::uint8_t>(value.name.size()));
    writer.raw(value.name);
    writer.u8(static_cast<std::uint8_t>(value.type));
    writer.text(value.bytes);
}

/// The entries of a map's bytes (a list has empty keys): u16 length and key, u32 length and value.
struct SecretEntry {
    std::string_view key;
    std::string_view value;
};
class SecretEntries {
  public:
    explicit SecretEntries(std::string_view bytes) : reader_(bytes) {}
    [[nodiscard]] std::optional<SecretEntry> next();
    [[nodiscard]] bool is_broken() const { return reader_.is_broken(); }

  private:
    ByteReader reader_;
};

/// The names of the fields in a set, in its order. Names are public.
[[nodiscard]] std::vector<std::string> names_in(const FieldSet& fields);

/// What a request's `fields` object holds, told apart by the catalog: public values, and secret ones already in the
/// arena.
struct GivenFields {
    vocabulary::PublicFields public_fields;
    FieldSet secret_fields;    ///< in the order of the auth type
    std::uint32_t given = 0;   ///< bit set of the fields that are there
    std::uint32_t cleared = 0; ///< bit set of the fields that are null
};
/// `fields` lies in the arena. Unknown fields, wrong types, values outside `choices`, control characters in what goes
/// into a header, a URL that is none, sizes beyond wire::limits, null for a required field, fields that the service
/// fills: `invalid_request`, `field` naming "fields.NAME"; never the value.
[[nodiscard]] result::Result<GivenFields> read_fields(const catalog::AuthType& auth, const boost::json::value& fields,
                                                      secret::Arena& arena);

} // namespace credlease::vault
