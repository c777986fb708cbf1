#pragma once

#include "attestation/peer.hpp"
#include "catalog/catalog.hpp"
#include "outbound/outbound.hpp"
#include "runtime/clock.hpp"
#include "runtime/loop.hpp"
#include "runtime/worker.hpp"
#include "secret/arena.hpp"
#include "settings/settings.hpp"

#include <functional>
#include <memory>
#include <string>

namespace credlease::broker {

enum class SealEvent : std::uint8_t { sealed, unsealed, refused };

/// A clock of a grant, or of the organization's OAuth client for a service, that runs out (clock_warnings.hpp).
struct EndingClock {
    std::string service{};
    std::string credential{}; ///< its id; empty: of the organization's client
    std::string_view clock{};
    vocabulary::Time ends_at{};
};

/// What the daemon made before the broker and keeps longer than it.
struct Parts {
    runtime::Loop& loop;
    runtime::Clock& clock;
    secret::Arena& arena;
    runtime::Worker& log;                                              ///< writes
    runtime::Worker& commit;                                           ///< only syncs
    runtime::Worker& bulk;                                             ///< Argon2id, scans, verification
    outbound::Client& outbound;                                        ///< token requests
    std::function<void(const std::string& head)> anchor;               ///< the audit head, for a witness outside
    std::function<void(const result::Error&)> tell_problem;            ///< of work that nobody waits for
    std::function<void(const vocabulary::CredentialId&)> tell_rescued; ///< the store refused its new tokens
    std::function<void(const vocabulary::Credential&)>
        tell_failing; ///< it got no token, and its status_reason says why
    std::function<void(SealEvent, const attestation::Peer& by)> tell_seal;
    std::function<void(const EndingClock&)> tell_ending;
    /// From now on browsers come to the daemon's own pages, or no longer. Refused where its address is taken.
    std::function<result::Result<>(bool are_awaited)> await_browsers;
};

/// What a reload replaces.
struct Rules {
    std::shared_ptr<const settings::Settings> settings;
    std::shared_ptr<const catalog::Catalog> catalog;
    vocabulary::Time loaded_at{};
};

} // namespace credlease::broker
