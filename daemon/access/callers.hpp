#pragma once

#include "access/caller.hpp"
#include "access/directory.hpp"
#include "access/grants.hpp"
#include "attestation/peer.hpp"
#include "settings/settings.hpp"

#include <functional>
#include <memory>
#include <string_view>

namespace credlease::access {

/// Says who a peer is, by interface.md "Who the caller is". Found anew for every request under the current settings;
/// what can be made once a rule or grant is kept.
class Callers {
  public:
    Callers(std::shared_ptr<const settings::Settings> settings, const Directory& directory, const Grants& grants);
    ~Callers();

    struct Claims {
        bool on_lease_socket = false;
        std::string_view grant{}; ///< the bearer token; empty: none was sent
        std::string_view actor{}; ///< Credlease-Actor
    };
    /// `unauthenticated` (no grant and no rule matches; a bad grant never falls back to a rule), `forbidden` (an actor
    /// named by anyone but an engine), `invalid_request` (a malformed actor).
    [[nodiscard]] result::Result<CallerRef> find(const attestation::Peer& peer, const Claims& claims,
                                                 vocabulary::Time now);

    /// The same caller under what holds now: rights may have gone while its request waited. As `find`.
    [[nodiscard]] result::Result<CallerRef> find_again(const attestation::Peer& peer, const Caller& before,
                                                       vocabulary::Time now);

    /// For rules with `exe_sha256`: the hash of what `peer` runs, as far as it is known.
    using HashOf = std::function<std::optional<std::array<std::uint8_t, 32>>(const attestation::Peer&)>;
    void set_hash_of(HashOf hash_of);
    /// A rule would match `peer` if only the hash of its executable were known: it is to be made first.
    [[nodiscard]] bool needs_hash(const attestation::Peer& peer) const;

    /// Who the holder of a lease would be under the settings, members and grants of now: nullptr when there is none
    /// such. For leases that outlived a config.
    struct Former {
        std::string_view principal;
        std::string_view on_behalf_of;
        vocabulary::GrantId grant; ///< zero: none
        std::uint32_t uid = 0;
    };
    [[nodiscard]] CallerRef find_former(const Former& former);
    /// Whether the one who minted the grant still may.
    [[nodiscard]] bool is_granted(const vocabulary::Grant& grant) const;

    /// A reload. Returns the principals that are no more or reach less: their leases and grants end.
    [[nodiscard]] std::vector<std::string> reload(std::shared_ptr<const settings::Settings> settings);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// fnmatch(3) as `[[worker]] unit` means it.
[[nodiscard]] bool matches_unit(std::string_view pattern, std::string_view unit);

} // namespace credlease::access
