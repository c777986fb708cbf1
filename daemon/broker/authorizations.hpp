#pragma once

#include "broker/asker.hpp"
#include "broker/token_client.hpp"
#include "oauth/device.hpp"
#include "oauth/redirect.hpp"
#include "wire/messages.hpp"

#include <map>
#include <memory>

namespace credlease::broker {

struct AuthorizationKind {
    static constexpr std::string_view prefix = "auth_";
};
using AuthorizationId = vocabulary::Id<AuthorizationKind>;

/// A person's consent that is being asked for. Its secrets are wiped as soon as it has ended.
struct Authorization {
    enum class State : std::uint8_t { pending, connected, failed };

    AuthorizationId id{};
    vocabulary::Scope scope{};
    vocabulary::CredentialId credential{};
    std::string principal{}, on_behalf_of{}; ///< who began it: nobody else finishes it
    State state = State::pending;
    bool is_used = false; ///< its redirect has come: `state` counts once (guarantee 18)
    vocabulary::Time expires_at{};
    std::string redirect_uri{};
    oauth::Discovered found{};
    oauth::Terms terms{}; ///< as the person was asked
    oauth::Authorization secrets{};
    std::optional<oauth::DeviceGrant> device{}; ///< of the device flow: polled for
    runtime::Resume wake{};                     ///< of its poller, while it sleeps
    std::uint64_t poll_call = 0;
    std::string error{}; ///< of a failed one, in plain words
    std::uint64_t call = 0;
};
using AuthorizationRef = std::shared_ptr<Authorization>;

/// Those that are pending, and the last that ended. In memory: a restart ends them, and a person begins anew.
class Authorizations {
  public:
    explicit Authorizations(runtime::Clock& clock) : clock_(clock) {}
    Authorizations(const Authorizations&) = delete;
    Authorizations& operator=(const Authorizations&) = delete;

    /// nullptr: there is none, or somebody else's.
    [[nodiscard]] AuthorizationRef find(const access::Caller& caller, std::string_view id) const;
    [[nodiscard]] AuthorizationRef find_pending(const vocabulary::CredentialId& credential) const;
    /// `overloaded` when so many are pending that memory would run short.
    [[nodiscard]] result::Result<> add(AuthorizationRef made, vocabulary::Time now);
    void end(Authorization& ended, Authorization::State state, std::string error = {});
    void quiet(); ///< the clock calls no more

  private:
    void forget_old(vocabulary::Time now);
    void wake_poller(Authorization& one);

    runtime::Clock& clock_;
    std::map<AuthorizationId, AuthorizationRef> all_;
};

/// A reply whose body may hold a secret: the address with `state`.
struct AuthorizationReply {
    unsigned status = 200;
    secret::SecretBuffer body{};
};

/// POST /v1/oauth/authorizations. One at a time for a credential: who began it gets it again, others
/// `authorization_in_progress`. With a refresh token that a person gave it is connected when this returns.
[[nodiscard]] runtime::Task<result::Result<AuthorizationReply>> begin_authorization(Unsealed& house, Asker asker,
                                                                                    wire::BeginAuthorization asked);
/// POST …/{id}/complete: the address that the browser was sent to.
[[nodiscard]] runtime::Task<result::Result<AuthorizationReply>>
complete_authorization(Unsealed& house, Asker asker, std::string id, secret::SecretBuffer address);
[[nodiscard]] result::Failure no_such_authorization();
void note_failed(Unsealed& house, const Asker& asker, const Authorization& one);
/// A provider's refusal in plain words.
[[nodiscard]] std::string describe(const oauth::Refusal& refusal);
/// GET …/{id}
[[nodiscard]] result::Result<AuthorizationReply> show_authorization(Unsealed& house, const Asker& asker,
                                                                    std::string_view id);
/// DELETE …/{id}: it is asked for no more.
[[nodiscard]] result::Result<> drop_authorization(Unsealed& house, const Asker& asker, std::string_view id);

} // namespace credlease::broker
