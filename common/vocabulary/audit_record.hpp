#pragma once

#include "vocabulary/lease.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::vocabulary {

enum class Action : std::uint8_t {
    credential_created = 1,
    credential_edited,
    credential_rotated,
    credential_rolled_back,
    credential_revoked,
    credential_restored,
    credential_duplicated,
    credential_deleted,
    credential_tested,
    credential_expired,
    lease_issued = 32,
    lease_renewed,
    lease_redelivered,
    lease_released,
    lease_ended,
    lease_refused,
    grant_minted = 64,
    grant_withdrawn,
    grant_ended,
    directory_changed,
    access_refused,
    broker_started = 80,
    broker_stopped,
    broker_sealed,
    broker_unsealed,
    broker_rekeyed,
    broker_restored,
    secrets_exported,
    log_gap,
    log_pruned,
    change_not_made, ///< follows a record whose change did not reach the store
    oauth_started = 96,
    oauth_connected,
    oauth_failed,
    oauth_refreshing, ///< an intent: a refresh token is about to be spent
    oauth_refreshed,
    oauth_refresh_failed,
    oauth_in_doubt,
    oauth_revoked,
    oauth_refresh_asked,        ///< somebody asked for it; what came of it has its own record
    oauth_ending,               ///< a warning: a clock of the grant runs out
    oauth_rescued,              ///< the store refused new tokens: they lie in DATA/rescue until it takes them
    oauth_client_changed = 112, ///< the organization's
    oauth_client_deleted,
    oauth_client_ending, ///< a warning: its secret ends
};
/// "lease.issued"
[[nodiscard]] std::string_view name_of(Action action);
[[nodiscard]] std::optional<Action> find_action(std::string_view name);
/// "lease" is one: there are actions "lease.…".
[[nodiscard]] bool is_action_kind(std::string_view kind);

/// Who was at the other end of the socket, by the kernel's word.
struct PeerView {
    std::int32_t pid = 0;
    std::uint32_t uid = 0;
    std::string_view exe{};  ///< empty: unknown
    std::string_view unit{}; ///< empty: none
};

/// What a record of a lease holds besides, so that the book of live leases is the journal replayed.
struct LeaseView {
    Time expires_at{};
    Time renewable_until{};
    Binding binding = Binding::process;
    LimitedBy limited_by = LimitedBy::ttl;
    EndReason reason = EndReason::released; ///< of `lease.ended` and `lease.released`
    std::uint64_t holder_start = 0;         ///< start time of the holder's process, clock ticks since boot
    std::array<std::uint8_t, 16> boot_id{}; ///< of the boot in which that start time counts
    std::uint32_t fields = 0;               ///< bit set of the service's fields that it may deliver
    std::uint32_t field_order = 0;          ///< tells in which order of fields the bits count
    std::string_view scope{};               ///< Scope::text() of the credential
    std::string_view idempotency_key{};
    std::array<std::uint8_t, 16> body_digest{}; ///< of the request body under that key
};

/// One member that an edit changed; for a secret field both values are empty.
struct ChangeView {
    std::string_view member;
    std::string_view before;
    std::string_view after;
};

inline constexpr std::string_view by_itself = "broker"; ///< the principal of what nobody asked for

/// One line of the audit log. It only views its texts: it is written at once, or read out of a buffer that lives
/// longer.
struct AuditRecord {
    std::uint64_t seq = 0;
    Time at{};
    Action action = Action::access_refused;
    bool ok = true;
    std::string_view code{}; ///< the error code of a refusal
    std::uint32_t count = 1;
    std::string_view principal{};
    std::string_view on_behalf_of{};
    PeerView peer{};
    CredentialId credential{}; ///< zero: none
    std::uint32_t version = 0;
    std::uint64_t generation = 0;
    std::array<std::uint8_t, 8> fingerprint{}; ///< zero: none
    LeaseId lease{};
    GrantId grant{};
    std::string_view workflow{};
    std::string_view run{};
    std::string_view node{};
    bool claimed = false;
    std::string_view detail{}; ///< public: "2 leases ended"; names a directory member, a log.gap's range
    std::span<const ChangeView> changes{};
    RequestId request{};
    const LeaseView* lease_view = nullptr; ///< of lease.issued, renewed, redelivered, released and ended
};

} // namespace credlease::vocabulary
