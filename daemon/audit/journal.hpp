#pragma once

#include "mac/mac.hpp"
#include "result/result.hpp"
#include "runtime/clock.hpp"
#include "runtime/loop.hpp"
#include "runtime/task.hpp"
#include "runtime/worker.hpp"
#include "store/store.hpp"
#include "vocabulary/audit_record.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::audit {

struct Options {
    std::filesystem::path directory{}; ///< DATA/journal
    std::filesystem::path head_file{};
    bool durable_leases = false; ///< `[audit] durability = "disk"`: `append` waits for the sync too
    std::uint64_t segment_size = std::uint64_t{64} << 20; ///< bytes, then the next file begins
    std::array<std::uint8_t, 16> boot_id{};
    std::function<void()> segment_begun{}; ///< on the loop: time for a checkpoint
};

struct Keys {
    mac::ChainMac chain;
    mac::HeadMac head;
};

/// Told once, on the loop, when a staged record has reached the kernel (or, with durable_leases, the disk), or could
/// not.
struct Waiter {
    void (*call)(void* self, std::uint64_t ticket, bool written) = nullptr;
    void* self = nullptr;
    std::uint64_t ticket = 0;
};

/// When a change that is written becomes durable. A crash of the broker loses it in neither case.
enum class Sync : std::uint8_t {
    at_once,
    shared, ///< with others, limits::sync_shared later at most. Of what comes in crowds, nobody waits for, and does no
            ///< harm when the machine loses it
};

/// What the log said when it was opened.
struct Replay {
    std::uint64_t first = 0; ///< oldest record that is still there; 0: the log is empty
    std::uint64_t last = 0;
    bool unclean = false; ///< the last record is not a stop or a seal
    bool other_boot =
        false;              ///< … and it was written in another boot: the last leases may be missing, as `log.gap` says
    bool head_lost = false; ///< the operator left an empty head file: nothing vouches for the end of the log
};

/// The audit journal: append-only segments, each record chained to the one before by a keyed MAC; the head beside the
/// key file names how far it is known to reach. The one sequencer of durability: leases are appended, changes of state
/// committed.
///
/// The loop only stages. One turn's records go to the `log` worker in one pwrite(2), after it the stores of that turn's
/// changes; the `commit` worker syncs journal and store and moves the head. A turn that fails fails everything staged
/// until then; the chain goes on from the last record that was written.
class Journal {
  public:
    /// Reads the head, checks the chain from the last checkpoint on and calls `visit` for each of the checkpoint's
    /// records and for each record of the log behind it. Reconciles with the store's copies: what the store has and the
    /// log lacks is appended; a record above the head whose change is missing is followed by `log.change_not_made`.
    /// `damaged`: the log ends before its head, a record below the head does not verify, or the store's set hash is not
    /// the head's; says which sequence number and file. Nothing is written when it is refused. Blocks; before the loop
    /// runs, or on `bulk`.
    [[nodiscard]] static result::Result<std::unique_ptr<Journal>>
    open(const Options& options, Keys keys, store::Store& store, runtime::Loop& loop, runtime::Clock& clock,
         runtime::Worker& log, runtime::Worker& commit,
         const std::function<void(const vocabulary::AuditRecord&)>& visit, Replay& replayed);
    ~Journal(); ///< `close` first
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    // ---- loop thread
    /// Stages a record for this turn's write; gives it the next sequence number and, where it has none, the time. No
    /// allocation in steady state. `store_unavailable` when the log is known to be broken or a write has hung for 1 s.
    [[nodiscard]] result::Result<std::uint64_t> append(vocabulary::AuditRecord record, Waiter waiter);
    /// As above, but `waiter` is told once it is synced, whatever the config says of leases.
    [[nodiscard]] result::Result<std::uint64_t> append_synced(vocabulary::AuditRecord record, Waiter waiter);
    /// As above, for records that nobody waits for (refusals, ends of leases).
    void note(vocabulary::AuditRecord record);
    /// Hands over what was staged, unless a write is under way (then it goes with the next). Called at the end of a
    /// turn.
    void flush();
    /// A change of state: record, batch and head durable before it returns the record's sequence number.
    /// `store_unavailable`: nothing was changed; `version_conflict` from the store.
    [[nodiscard]] runtime::Task<result::Result<std::uint64_t>> commit(vocabulary::AuditRecord record,
                                                                      store::Batch batch, Sync sync = Sync::at_once);
    /// A record that must be on the disk before the caller goes on (leases under a grant with `max_leases`, seal,
    /// stop).
    [[nodiscard]] runtime::Task<result::Result<std::uint64_t>> append_durably(vocabulary::AuditRecord record);

    /// What is staged until now is in the log for `query` to find, or could not be written in time.
    [[nodiscard]] runtime::Task<> catch_up();

    [[nodiscard]] std::uint64_t last_staged() const;
    [[nodiscard]] bool is_healthy() const; ///< the last write succeeded and none hangs
    /// Sequence number, chain MAC: "SEQ:HEX", for the outside anchor.
    [[nodiscard]] std::string head_text() const;
    /// Everything staged is written, synced and named by the head.
    [[nodiscard]] runtime::Task<> close();

    // ---- bulk thread
    struct Query {
        std::optional<vocabulary::CredentialId> credential{};
        std::optional<vocabulary::LeaseId> lease{};
        std::optional<vocabulary::Time> since{}, until{};     ///< at >= since, at < until
        std::string action{}, principal{}, workflow{}, run{}; ///< empty: any. `action` may be "lease.*"
        std::uint64_t before = 0;                             ///< sequence number to go on below; 0: from the newest
        std::size_t limit = 50;
        std::size_t parts = 0; ///< of about 256 KiB, to look through at most; 0: all
        std::function<bool(const vocabulary::AuditRecord&)> keep{}; ///< a further condition (the caller's scopes)
    };
    /// Newest first, until `limit` records were shown or `parts` looked through. Returns the sequence number to go on
    /// below, 0 at the end.
    [[nodiscard]] result::Result<std::uint64_t>
    query(const Query& query, const std::function<void(const vocabulary::AuditRecord&)>& show) const;

    /// Who knows what of the log matters later, and can tell it by fewer records.
    struct Shortener {
        std::function<void(const vocabulary::AuditRecord&)> take;
        std::function<void(const std::function<void(const vocabulary::AuditRecord&)>& put)> give;
    };
    /// Makes the checkpoint before the newest segment, where there is none yet: `take` is shown what the last one and
    /// the log behind it hold, then `give` is asked. False: something there does not verify, or it can't be written.
    [[nodiscard]] bool checkpoint(const Shortener& shortener) const;

    struct Verdict {
        std::uint64_t first = 0, last = 0, records = 0;
        std::optional<std::uint64_t> first_bad; ///< sequence number
        std::string problem;                    ///< empty: all is well
    };
    /// A place that the chain must pass through, as `head_text` gave it to a witness outside.
    struct Anchor {
        std::uint64_t seq = 0;
        mac::Digest chain{};
    };
    [[nodiscard]] static std::optional<Anchor> read_anchor(std::string_view text); ///< "SEQ:HEX"
    /// Reads the whole log and checks chain, checkpoint and head, and that it passes through `anchor`.
    [[nodiscard]] Verdict verify(const std::optional<Anchor>& anchor) const;

    /// On the loop. Drops whole segments older than `keep` or beyond `max_size` (bytes; 0: no limit), behind a chained
    /// record (`log.pruned`), up to one with a checkpoint: call `checkpoint` first.
    [[nodiscard]] runtime::Task<result::Result<>> prune(vocabulary::Duration keep, std::uint64_t max_size,
                                                        runtime::Worker& bulk);

    struct State; ///< the room's own

  private:
    explicit Journal(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace credlease::audit
