#pragma once

#include "audit/head.hpp"
#include "audit/index.hpp"
#include "audit/journal.hpp"
#include "audit/writer.hpp"

#include <array>
#include <atomic>
#include <optional>
#include <vector>

namespace credlease::audit {

/// How far log and store have come together.
struct Reach {
    std::uint64_t seq = 0;
    mac::Digest chain{};
    std::uint64_t changes = 0;
    mac::Digest state{};
    std::uint64_t pruned = 0; ///< records up to this one may be gone, as a record up to there says
    Place place{};
};

/// A record that is written, and waits for the sync.
struct AwaitingSync {
    std::uint64_t seq = 0;
    Waiter waiter{};
    Tell tell;
    Buffer issue; ///< of a lease's issue: the record, in case that it must be ended
};

/// One go of the `commit` worker: journal, store and head, in this order. Leases never wait for the store.
struct SyncJob {
    struct Segment {
        std::shared_ptr<OpenSegment> segment;
        std::uint64_t end = 0;
        bool is_closed = false; ///< nothing follows: what was reserved is given back
    };
    std::vector<Segment> segments;
    bool directory = false; ///< a segment is new
    std::vector<StagedChange> changes;
    bool store = false; ///< it has more to sync than what it gets now
    Reach reach;
    Head head;
    // ---- the worker's answer
    bool done = false;
    bool is_store_refusing = false; ///< and has none of the changes
    bool is_head_in_doubt = false;  ///< it was written but not synced: a start may find it, or not
};

/// Everything here belongs to the loop thread but `writer` (log), `sync_job` and `head_file` while a sync (commit) or a
/// recovery (log) runs, `growing` (bulk) and `readable` (any).
///
/// A record's way: staged in `staging` → `writing` (log thread) → written. A change's way: staged → written →
/// `unsynced` → `sync_job`, where the store gets it → durable. What fails is taken back the latest first, since each
/// change was prepared upon the ones before it.
struct Journal::State {
    State(const Options& given, Keys given_keys, store::Store& given_store, runtime::Loop& given_loop,
          runtime::Clock& given_clock, runtime::Worker& log_worker, runtime::Worker& commit_worker);
    ~State();

    // ---- staging.cpp
    result::Result<std::uint64_t> append(vocabulary::AuditRecord& record, Entry entry, Tell tell);
    void note(vocabulary::AuditRecord& record);
    void change(vocabulary::AuditRecord& record, store::Batch batch, Sync sync, Tell tell);
    void carry(vocabulary::AuditRecord& record, const std::vector<store::Step>& steps, std::uint64_t pruned, Tell tell);
    void flush();

    // ---- turns.cpp
    void turn_done();
    void watch_fired();
    void disown(std::uint64_t seq);

    /// Calls `told` once what is staged now is written, or could not be.
    void when_written(std::function<void()> told);

    // ---- syncs.cpp
    void plan_sync();
    void abandon_changes();
    void start_recovery();
    /// Calls `told` once nothing is under way and all is durable, or can't be made so.
    void when_settled(std::function<void()> told);

    Options options;
    Keys keys;
    store::Store& store;
    runtime::Loop& loop;
    runtime::Clock& clock;
    runtime::Worker& log;
    runtime::Worker& commit;

    Writer writer;
    std::optional<HeadFile> head_file;
    SyncJob sync_job;
    SegmentIndex growing;                   ///< of the segment that is being written
    std::atomic<std::uint64_t> readable{0}; ///< last record that is written

    std::uint64_t next_seq = 1;
    std::uint64_t changes = 0;     ///< number of the last change that is staged
    std::uint64_t oldest_copy = 1; ///< copies with this number and above are in the store, or staged
    Reach written;                 ///< on the way to the kernel all is well up to here
    Reach headable;                ///< the head may go up to here: no change before it is undecided
    Reach durable;                 ///< up to here all is on the disk
    Head head;                     ///< that says so
    std::vector<StagedChange> unsynced;
    std::vector<AwaitingSync> awaiting;

    void settle();
    /// Where the log stands once it was opened.
    void begin_at(const Reach& reach, const Head& now, std::uint64_t first_copy);
    [[nodiscard]] bool is_healthy() const { return !is_hung_ && !write_failed_ && !sync_failed_; }

  private:
    // ---- staging.cpp
    [[nodiscard]] std::optional<result::Error> refusal();
    void begin_record(vocabulary::AuditRecord& record, const Entry& entry);
    void stage(vocabulary::AuditRecord& record, const Entry& entry);
    void schedule_flush();
    void restage(Turn& failed);
    void drop(std::uint32_t count) { unrecorded_ += count; }
    void record_dropped();

    // ---- turns.cpp
    struct Told {
        std::vector<Entry> entries;
        std::vector<Tell> tells;
    };
    void turn_written(Turn& turn, bool late);
    void turn_failed(Turn& turn);
    void take_back(Turn& turn, Told& told);
    void fail_staged(Told& told);
    void disown_changes(std::vector<StagedChange> taken, std::vector<Tell>& tells);
    void hang();
    void tell_waiters(Turn& turn, bool late);
    void end_undelivered(Bytes record);
    void track(const Turn& turn);
    static void tell_failure(Told& told);
    Turn* take_free();
    void tell_caught_up(std::uint64_t up_to);

    // ---- syncs.cpp
    [[nodiscard]] bool may_sync() const;
    void sync_by(runtime::BootTime latest);
    void start_sync();
    void run_sync();
    void sync_done();
    void sync_failed();
    void keep_unsynced();
    void store_refused();
    void fail_awaiting();
    [[nodiscard]] bool retract_head();
    [[nodiscard]] bool undo_changes();
    [[nodiscard]] bool write_log_again();
    void recovery_done();
    void go_on();
    void retry_later();

    std::array<Turn, 3> turns_;
    std::vector<Turn*> free_;
    Turn* staging_;
    Turn* writing_ = nullptr;
    bool flush_scheduled_ = false;
    bool is_hung_ = false;
    bool write_failed_ = false; ///< the last write
    bool sync_failed_ = false;  ///< the last sync: appends are refused until one succeeds
    bool rewritten_ = false;    ///< … and may be tried again
    bool space_is_short_ = false;
    std::uint64_t held_ = 0; ///< disowning notes that are not written: the head waits for them
    std::uint64_t unrecorded_ = 0;
    runtime::BootTime writing_since_{};
    runtime::BootTime next_sync_at_{};
    std::uint64_t watch_ = 0, next_sync_ = 0, retry_ = 0; ///< calls of the clock

    std::vector<SyncJob::Segment> dirty_; ///< the last is the current one
    bool directory_dirty_ = false;
    bool store_dirty_ = false;
    bool is_syncing_ = false;
    bool sync_wanted_ = false;
    bool must_abandon_ = false;      ///< as soon as no turn is being written
    std::vector<StagedChange> undo_; ///< the latest first
    bool is_recovering_ = false;
    bool recovered_ = false;
    runtime::BootTime next_try_{};
    std::vector<std::function<void()>> settled_;
    std::vector<std::pair<std::uint64_t, std::function<void()>>> catching_up_; ///< by the last record waited for
};

} // namespace credlease::audit
