#pragma once

#include "access/callers.hpp"
#include "access/directory.hpp"
#include "access/grants.hpp"
#include "attestation/executable_hashes.hpp"
#include "audit/journal.hpp"
#include "broker/exchange_shares.hpp"
#include "broker/holder_watch.hpp"
#include "broker/lease_time.hpp"
#include "broker/outcomes.hpp"
#include "broker/parts.hpp"
#include "broker/refusals.hpp"
#include "broker/token_times.hpp"
#include "leases/book.hpp"
#include "leases/idempotency.hpp"
#include "runtime/gate.hpp"
#include "runtime/task_group.hpp"
#include "store/rescue.hpp"
#include "store/store.hpp"
#include "vault/vault.hpp"

#include <functional>
#include <memory>

namespace credlease::broker {

class Events;
class Refresher;
class Authorizations;
class ClockWarnings;
class WallWatch;

/// What is there only while the broker is unsealed: keys, the index, the book, the log. Sealing destroys it whole. The
/// use cases are functions over it.
struct Unsealed {
    Unsealed(const Parts& made, Rules current, store::Store& opened_store, store::Rescue& beside_it)
        : parts(made), rules(std::move(current)), store(opened_store), rescue(beside_it), time(made.clock),
          gate(made.loop), shares(made.outbound.room()), tasks(made.loop) {}
    Unsealed(const Unsealed&) = delete;
    Unsealed& operator=(const Unsealed&) = delete;

    const Parts& parts;
    Rules rules;
    store::Store& store;
    store::Rescue& rescue; ///< on `commit`
    LeaseTime time;
    runtime::Gate gate;
    ExchangeShares shares; ///< of the room for requests to providers
    std::array<std::uint8_t, 16> boot = attestation::boot_id();
    vocabulary::UlidSource ids;

    crypto::RootKey root;
    mac::CursorMac cursors;
    mac::DigestMac digests;
    std::unique_ptr<vault::Vault> vault;
    access::Directory directory;
    std::unique_ptr<access::Grants> grants;
    std::unique_ptr<access::Callers> callers;
    attestation::ExecutableHashes hashes;
    Outcomes outcomes;
    leases::Book book;
    leases::Idempotency lease_keys;
    secret::SecretBuffer reply_scratch; ///< a lease's reply is written here first, then copied at its true size
    std::unique_ptr<audit::Journal> journal;
    std::unique_ptr<Refusals> refusals;
    std::unique_ptr<HolderWatch> holders;
    bool is_closing = false;       ///< it seals or stops: what waits for its turn is refused
    bool gives_up = false;         ///< … and no provider is waited for
    std::uint64_t expiry_call = 0; ///< clock call that ends leases and grants whose time has come
    vocabulary::Time expiry_at{};
    std::uint64_t prune_call = 0; ///< clock call that prunes the audit log next
    runtime::TaskGroup tasks;     ///< what the broker does by itself, and requests that wait for the disk
    std::shared_ptr<Events> events;
    std::shared_ptr<Refresher> refresher;
    std::size_t unkept_tokens = 0; ///< sets that a provider gave and that are on no disk yet
    std::shared_ptr<Authorizations> authorizations;
    TokenTimes token_times;
    std::shared_ptr<ClockWarnings> clock_warnings;
    std::shared_ptr<WallWatch> wall_watch;

    [[nodiscard]] vocabulary::Time wall() const { return parts.clock.wall(); }
    [[nodiscard]] vocabulary::Ulid next_id() {
        return ids.next(static_cast<std::uint64_t>(wall().time_since_epoch().count()));
    }
    [[nodiscard]] const settings::Settings& settings() const { return *rules.settings; }
};

/// Opens everything with the root key: unwraps the keys, reads and authenticates the store, replays the log, ends
/// leases whose holder, grant or credential has gone. Blocks for the time of the reading. `unseal_refused`: not the key
/// of this store; `damaged` from store or journal. On failure nothing was written.
[[nodiscard]] result::Result<std::unique_ptr<Unsealed>> open_with(crypto::RootKey root, const Parts& parts, Rules rules,
                                                                  store::Store& store, store::Rescue& rescue);

[[nodiscard]] bool has_store_keys(const store::Store& store);
/// The first keys of a new store, wrapped under `root`: record key and audit key, synced.
[[nodiscard]] result::Result<> make_store_keys(const crypto::RootKey& root, store::Store& store, secret::Arena& arena);

} // namespace credlease::broker
