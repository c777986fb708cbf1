#pragma once

#include "catalog/service.hpp"
#include "vault/field_set.hpp"
#include "vault/vault.hpp"
#include "wire/limits.hpp"

#include <array>

namespace credlease::vault {

/// The values of one opened credential by the catalog's fields. Views both; nothing is copied.
class FieldValues {
  public:
    FieldValues(const catalog::AuthType& auth, const Entry& entry, std::span<const std::byte> plaintext);

    /// A stored field is of another type than the catalog's, or the plaintext is not what `read_fields` made.
    [[nodiscard]] bool is_broken() const { return broken_; }
    /// Bit sets over AuthType::fields.
    [[nodiscard]] std::uint32_t present() const { return present_; }
    [[nodiscard]] std::uint32_t secret() const { return secret_; }

    [[nodiscard]] const vocabulary::PublicValue* public_value(std::size_t field) const { return public_[field]; }
    [[nodiscard]] const SecretValue& secret_value(std::size_t field) const { return secrets_[field]; }

    [[nodiscard]] bool has(std::size_t field) const { return (present_ >> field & 1) != 0; }
    [[nodiscard]] bool is_secret(std::size_t field) const { return (secret_ >> field & 1) != 0; }

  private:
    std::array<const vocabulary::PublicValue*, wire::limits::fields> public_{};
    std::array<SecretValue, wire::limits::fields> secrets_{};
    std::uint32_t present_ = 0;
    std::uint32_t secret_ = 0;
    bool broken_ = false;
};

/// A text, number or flag as text. A number's digits lie in it and are wiped with it.
class ValueText {
  public:
    ValueText(const FieldValues& values, std::size_t field);
    ~ValueText();
    ValueText(const ValueText&) = delete;
    ValueText& operator=(const ValueText&) = delete;

    [[nodiscard]] std::string_view text() const { return text_; }

  private:
    void set(std::int64_t number);
    void set(bool flag) { text_ = flag ? "true" : "false"; }

    std::array<char, 20> digits_{};
    std::string_view text_;
};

} // namespace credlease::vault
