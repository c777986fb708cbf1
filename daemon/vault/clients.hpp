#pragma once

#include "catalog/service.hpp"
#include "crypto/crypto.hpp"
#include "result/result.hpp"
#include "secret/secret_buffer.hpp"
#include "vocabulary/credential.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace credlease::vault {

/// The OAuth client ("OAuth app") that the organization has at one service, as the index holds it: what may be shown in
/// the clear, its secret sealed. It does not change: another takes its place.
struct OAuthClient {
    vocabulary::ServiceId service{};
    std::string auth{}; ///< the auth type that it is for
    std::string client_id{};
    std::map<std::string, std::string> fields{}; ///< where its secret may go: see client_fields
    bool has_secret = false;                     ///< false: a public client (RFC 6749 §2.1)
    std::optional<vocabulary::Time> secret_ends_at{};
    vocabulary::Time changed_at{};
    std::string changed_by{};
    std::uint64_t revision = 0;                ///< of its record
    std::array<std::uint8_t, 8> fingerprint{}; ///< keyed, of the secret; zero: none
    std::vector<std::byte> sealed{};
};

struct NewOAuthClient {
    vocabulary::ServiceId service;
    std::string auth;
    std::string client_id;
    std::map<std::string, std::string> fields;
    secret::SecretBuffer secret; ///< empty: a public client
    std::optional<vocabulary::Time> secret_ends_at{};
    vocabulary::Time now{};
    std::string changed_by;
};

/// A change of a client that was put into a batch, and waits for the batch to be durable.
class ClientChange {
  public:
    /// As it will be; of an erase, as it was.
    [[nodiscard]] const OAuthClient& after() const { return *client_; }

  private:
    friend class Vault;
    explicit ClientChange(std::shared_ptr<const OAuthClient> client) : client_(std::move(client)) {}

    std::shared_ptr<const OAuthClient> client_;
    bool erases_ = false;
    crypto::WorkspaceKey new_key_{}; ///< of the organization, where it had none
};

/// Whether an organization may have a client for credentials of this auth type: they leave out their own.
[[nodiscard]] bool takes_client(const catalog::AuthType& auth);
/// What such a client may choose: the destinations in the URLs of its OAuth. A bit set over AuthType::fields.
[[nodiscard]] std::uint32_t client_fields(const catalog::AuthType& auth);

/// Where a client's secret may go, completed by the fields' defaults: `given` are fields of client_fields.
/// `invalid_request` where a field decides a whole host and it is left open where tokens come from.
[[nodiscard]] result::Result<std::map<std::string, std::string>> choose_hosts(const catalog::AuthType& auth,
                                                                              std::map<std::string, std::string> given);
/// A credential's public fields with those that the client chose, to make the URLs of its requests from.
/// `invalid_request` (and no request is made) where the credential's own name another place, or the client is for
/// another auth type: the organization's secret goes nowhere but where the organization lets it.
[[nodiscard]] result::Result<vocabulary::PublicFields>
with_chosen_hosts(const OAuthClient& client, const catalog::AuthType& auth, vocabulary::PublicFields of_credential);

/// Its secret cannot be opened: names the service.
[[nodiscard]] result::Failure damaged_client(const OAuthClient& client);

} // namespace credlease::vault
