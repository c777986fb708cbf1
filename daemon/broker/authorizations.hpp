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
    Asker asker{}; ///< who began it: nobody else finishes it
    uid_t uid = 0; ///< of the process that did
    State state = State::pending;
    bool is_used = false; ///< its redirect (`state` counts once, guarantee 18) or token has come: it is being finished
    runtime::BootTime ends_at{}; ///< where nobody comes
    std::string redirect_uri{};
    std::string start_url{};      ///< of the daemon's page that sends a browser on; empty: its redirect goes elsewhere
    std::string state_digest{};   ///< by which its redirect is found, also when its state is wiped
    std::string browser_digest{}; ///< of the cookie of the one browser that opened its start page; empty: none has
    std::optional<result::Error> unheard{}; ///< why the browser's redirect will not reach the daemon
    AskedWith asked{};                      ///< what the person is asked with
    oauth::Authorization secrets{};
    std::optional<oauth::DeviceGrant> device{}; ///< of the device flow: polled for
    runtime::Resume wake{};                     ///< of its poller, while it sleeps
    std::uint64_t poll_call = 0;
    std::string error{}; ///< of a failed one, in plain words
    std::uint64_t call = 0;

    struct Request {
        std::string key{}; ///< Idempotency-Key
        std::array<std::uint8_t, 16> body_digest{};
        unsigned status = 0;
    };
    std::vector<Request> requests{}; ///< that it was the answer to, the oldest first
};
using AuthorizationRef = std::shared_ptr<Authorization>;

/// What a request to begin one came to.
struct Begun {
    AuthorizationRef one{};
    unsigned status = 200; ///< of the answer
};
[[nodiscard]] std::string_view name_of(Authorization::State state);

/// Those that are pending, and the last that ended. In memory: a restart ends them, and a person begins anew.
class Authorizations {
  public:
    using AwaitBrowsers = std::function<result::Result<>(bool are_awaited)>; ///< see Parts
    using NoteFailed = std::function<void(const Authorization&, const Asker& by)>;
    Authorizations(runtime::Clock& clock, AwaitBrowsers await_browsers, NoteFailed note_failed)
        : clock_(clock), await_browsers_(std::move(await_browsers)), note_failed_(std::move(note_failed)) {}
    Authorizations(const Authorizations&) = delete;
    Authorizations& operator=(const Authorizations&) = delete;

    /// nullptr: there is none, or somebody else's.
    [[nodiscard]] AuthorizationRef find(const access::Caller& caller, std::string_view id) const;
    [[nodiscard]] AuthorizationRef find_anybodys(std::string_view id) const;
    [[nodiscard]] AuthorizationRef find_pending(const vocabulary::CredentialId& credential) const;
    /// The one that was begun last, as long as it is remembered.
    [[nodiscard]] AuthorizationRef find_last(const vocabulary::CredentialId& credential) const;
    /// Anybody's, whose redirect comes to the daemon's own page, for the browser that comes there.
    [[nodiscard]] AuthorizationRef find_started(std::string_view id) const;
    [[nodiscard]] AuthorizationRef find_redirected(const secret::SecretBuffer& state) const;
    /// `overloaded` when so many are pending that memory would run short, or that others would find no place.
    [[nodiscard]] result::Result<> add(AuthorizationRef made);
    /// One that needed nobody: it takes no place.
    void add_ended(AuthorizationRef made);
    /// What this request came to under its Idempotency-Key, as long as that is remembered. `idempotency_mismatch`: the
    /// key came with another request.
    [[nodiscard]] result::Result<std::optional<Begun>> find_begun(const Asker& asker) const;
    void note_request(const Asker& asker, const Begun& begun);
    /// The provider gives a person less time than we do.
    void shorten(const AuthorizationRef& one, runtime::BootTime ends_at);
    /// Its browser is listened for, where it comes to the daemon; `unheard` says why that cannot be.
    void await_browser(Authorization& one);
    /// One that failed is noted, however it came to that. `by`: who ended it; nullptr: nobody but who began it.
    void end(Authorization& ended, Authorization::State state, std::string error = {}, const Asker* by = nullptr);
    /// The same where whoever ends it writes the record, with what must not be there without it.
    void end_unnoted(Authorization& ended, Authorization::State state, std::string error);
    void quiet(); ///< the clock calls no more, and no browser is listened for
    /// After that, once nothing is under way any more: whatever is still pending.
    void end_all(const std::string& error);

  private:
    [[nodiscard]] bool has_place_for(const Authorization& made) const;
    void expire_at(const AuthorizationRef& one, runtime::BootTime ends_at);
    void forget_old();
    void forget_one_of_most();
    void wake_poller(Authorization& one);

    void listen_no_longer_than_needed();

    runtime::Clock& clock_;
    AwaitBrowsers await_browsers_;
    NoteFailed note_failed_;
    std::map<AuthorizationId, AuthorizationRef> all_;
};

/// A reply whose body may hold a secret: the address with `state`.
struct AuthorizationReply {
    unsigned status = 200;
    secret::SecretBuffer body{};
};

/// POST /v1/oauth/authorizations. One at a time for a credential: who began it gets it again, others
/// `authorization_in_progress`. The same request under the same Idempotency-Key gets it as it stands by then. With a
/// refresh token that a person gave it is connected when this returns.
[[nodiscard]] runtime::Task<result::Result<AuthorizationReply>> begin_authorization(Unsealed& house, Asker asker,
                                                                                    wire::BeginAuthorization asked);
/// POST …/{id}/complete: the address that the browser was sent to.
[[nodiscard]] runtime::Task<result::Result<AuthorizationReply>>
complete_authorization(Unsealed& house, Asker asker, std::string id, secret::SecretBuffer address);
[[nodiscard]] result::Failure no_such_authorization();
/// The same with what came back, whoever brings it: its state and the rights of who began it are looked at here. A
/// refusal leaves it pending.
[[nodiscard]] runtime::Task<result::Result<>> finish_authorization(Unsealed& house, Asker asker, AuthorizationRef one,
                                                                   secret::SecretBuffer address);
/// The record of one that failed, written.
void note_failed(Unsealed& house, const Asker& asker, const Authorization& one);
/// A provider's refusal in plain words.
[[nodiscard]] std::string describe(const oauth::Refusal& refusal);
/// GET …/{id}
[[nodiscard]] result::Result<AuthorizationReply> show_authorization(Unsealed& house, const Asker& asker,
                                                                    std::string_view id);
/// DELETE …/{id}: it is asked for no more. Who did not begin it may end it where the credential is theirs to edit.
[[nodiscard]] result::Result<> drop_authorization(Unsealed& house, const Asker& asker, std::string_view id);

} // namespace credlease::broker
