#pragma once

#include "catalog/service.hpp"
#include "result/result.hpp"
#include "secret/secret_buffer.hpp"
#include "vocabulary/credential.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::oauth {

/// What one credential's fields hold while a request is written, by their index in the auth type. Secret texts are
/// viewed where they lie, in the arena: they outlive this.
class Values {
  public:
    Values() = default;
    Values(const catalog::AuthType& auth, const vocabulary::PublicFields& fields);

    void set_public(std::size_t field, const vocabulary::PublicValue& value);
    void set_secret(std::size_t field, std::string_view text);

    [[nodiscard]] bool has(std::size_t field) const { return (present_ >> field & 1) != 0; }
    [[nodiscard]] std::uint32_t present() const { return present_; }
    [[nodiscard]] std::uint32_t secret() const { return secret_; } ///< bit set of the fields whose text is secret
    /// Empty for a field that is not set, or that is a list or a map.
    [[nodiscard]] std::string_view text(std::size_t field) const;
    /// A list's items, or a text's words (parted by spaces or commas).
    [[nodiscard]] std::vector<std::string> words(std::size_t field) const;

  private:
    struct Value {
        std::string shown;
        std::string_view secret;
        std::vector<std::string> items;
    };
    [[nodiscard]] Value& place_of(std::size_t field);

    std::vector<Value> values_; ///< of all fields of the auth type; none where nothing is set
    std::uint32_t present_ = 0;
    std::uint32_t secret_ = 0;
};

/// A template filled with public values alone; nullopt where it needs one that is not set, or a secret.
[[nodiscard]] std::optional<std::string> fill_public(const catalog::Template& filled, const Values& values);

/// As fill_public, but a value takes no part in the URL's form: unless the URL begins with it, it holds unreserved
/// characters alone (RFC 3986 §2.3). nullopt also for what is no endpoint (see is_endpoint).
[[nodiscard]] std::optional<std::string> fill_url(const catalog::Template& filled, const Values& values);

/// In the arena's `tokens` share. Every field that it needs is set.
[[nodiscard]] result::Result<secret::SecretBuffer> fill(const catalog::Template& filled, const Values& values,
                                                        secret::Arena& arena);

/// A place that a secret may be sent to: an absolute https URL (http on loopback alone) without user information or
/// fragment, at most 2048 printable characters.
[[nodiscard]] bool is_endpoint(std::string_view url);

} // namespace credlease::oauth
