#pragma once

#include "catalog/service.hpp"
#include "mac/mac.hpp"
#include "vault/field_set.hpp"
#include "vault/tokens.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace credlease::vault {

/// One slot of an encoded token set. It views the plaintext: it never outlives the `expose`.
struct TokenValue {
    std::string_view slot;
    std::string_view token_type;
    std::string_view access_token;
    std::string_view refresh_token; ///< empty: there is none
};

/// The slots of an encoded token set, one after another: four texts each, as in TokenValue.
class TokenValues {
  public:
    explicit TokenValues(std::span<const std::byte> encoded) : reader_(secret::as_text(encoded)) {}
    [[nodiscard]] std::optional<TokenValue> next();

  private:
    ByteReader reader_;
};

/// The token set once `made` has come, encoded in the arena: slots that it does not hold, and refresh tokens that did
/// not come, are `held`'s (empty: none).
[[nodiscard]] result::Result<secret::SecretBuffer> merged(const secret::SecretBuffer& held,
                                                          const std::vector<NewToken>& made, secret::Arena& arena);
/// The same of what may be shown; failures are over with it.
[[nodiscard]] vocabulary::OAuthState merged(vocabulary::OAuthState held, const NewTokens& made);

/// What of an opened credential may go into a lease: fields that the catalog lets a lease hold, and the access tokens
/// of `tokens` as the fields that their slots name. No refresh token.
[[nodiscard]] result::Result<FieldSet> leased_fields(const catalog::AuthType& auth, const FieldSet& fields,
                                                     const secret::SecretBuffer& tokens, secret::Arena& arena);

/// Tells equal access tokens from different ones in the audit log.
[[nodiscard]] std::array<std::uint8_t, 8> fingerprint_of_tokens(const mac::FingerprintMac& mac,
                                                                const secret::SecretBuffer& tokens);

} // namespace credlease::vault
