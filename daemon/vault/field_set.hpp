#pragma once

#include "catalog/service.hpp"
#include "result/result.hpp"
#include "secret/secret_buffer.hpp"
#include "vocabulary/credential.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace credlease::vault {

/// The secret fields of one credential while a request is served: one buffer in the arena, in the binary form that is
/// sealed (field index, type, length, bytes; a map or list as its entries).
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
    std::size_t field = 0; ///< index into AuthType::fields
    vocabulary::FieldType type = vocabulary::FieldType::string;
    std::span<const std::byte> bytes; ///< of a map: repeated (u16 length, key, u32 length, value), little-endian
};
/// Calls `see` for each value; false when the encoding is broken.
[[nodiscard]] bool for_each_value(std::span<const std::byte> encoded,
                                  const std::function<void(const SecretValue&)>& see);
/// Calls `see` for each key and value of a map's bytes (a list has empty keys).
[[nodiscard]] bool for_each_entry(std::span<const std::byte> map,
                                  const std::function<void(std::string_view key, std::string_view value)>& see);

/// What a request's `fields` object holds, told apart by the catalog: public values, and secret ones already in the
/// arena.
struct GivenFields {
    vocabulary::PublicFields public_fields;
    FieldSet secret_fields;
    std::uint32_t given = 0;   ///< bit set of the fields that are there
    std::uint32_t cleared = 0; ///< bit set of the fields that are null
};
/// `fields` lies in the arena. Unknown fields, wrong types, values outside `choices`, control characters in what goes
/// into a header, a URL that is none, sizes beyond wire::limits: `invalid_request`, `field` naming "fields.NAME"; never
/// the value.
[[nodiscard]] result::Result<GivenFields> read_fields(const catalog::AuthType& auth, const boost::json::value& fields,
                                                      secret::Arena& arena);

} // namespace credlease::vault
