#pragma once

#include "leases/book.hpp"
#include "oauth/endings.hpp"
#include "vocabulary/credential.hpp"
#include "vocabulary/lease.hpp"

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::broker {

enum class EventKind : std::uint8_t {
    lease_expiring,
    lease_ended,
    credential_rotated,
    credential_refreshed,
    credential_created,
    credential_updated,
    credential_deleted,
    credential_status_changed,
    credential_ending,
    grant_ended,
    broker_sealing,
};
/// "lease.ended"
[[nodiscard]] std::string_view name_of(EventKind kind);

/// The latest audit record when the event was made, and a count within it: "812.1".
struct EventId {
    std::uint64_t seq = 0;
    std::uint32_t count = 0;
    auto operator<=>(const EventId&) const = default;
    [[nodiscard]] std::string text() const;
    [[nodiscard]] static std::optional<EventId> find(std::string_view text);
};

/// Whom an event concerns: of a lease its holder, of a grant whoever minted it, of a credential those who see its
/// scope.
struct Concerned {
    std::string principal{};
    std::string on_behalf_of{};
    std::optional<leases::Holder> process{}; ///< of a bound lease
    vocabulary::Scope scope{};
    vocabulary::ServiceId service{};
};

/// What listeners are told: ids, a reason, never a secret.
struct Event {
    EventId id{};
    EventKind kind = EventKind::lease_ended;
    vocabulary::Time at{};
    vocabulary::CredentialId credential{};
    std::uint32_t version = 0;
    std::uint64_t generation = 0;
    vocabulary::LeaseId lease{};
    vocabulary::GrantId grant{};
    std::optional<vocabulary::EndReason> reason{};
    std::optional<vocabulary::Time> expires_at{};         ///< of lease.expiring, and of `clock`
    std::optional<oauth::ClockKind> clock{};              ///< of credential.ending
    std::optional<vocabulary::CredentialStatus> status{}; ///< of credential.status_changed
    Concerned concerned{};
    bool is_of_change = false; ///< read from the log: it was told once its record was on the disk, behind later ones

    /// As it is sent (WHATWG HTML §9.2); made once, shared by all who are sent it.
    [[nodiscard]] const std::shared_ptr<const std::string>& text() const;

    mutable std::shared_ptr<const std::string> made_text{}; ///< `text`'s own
};
using EventRef = std::shared_ptr<const Event>;

/// For a listener that missed events which are no longer known: what it holds, it must look at anew.
[[nodiscard]] std::shared_ptr<const std::string> reset_text(const EventId& id);
/// The beginning: from which id on the listener is told, also when it comes back before the first event.
[[nodiscard]] std::shared_ptr<const std::string> greeting_text(const EventId& id);

} // namespace credlease::broker
