#include "audit/state.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <ranges>

namespace credlease::audit {
namespace {

using result::refuse;

/// The head follows a lease's record within limits::head_every: half of that is for the sync itself.
constexpr auto head_delay = wire::limits::head_every / 2;
constexpr std::chrono::milliseconds retry_every{1000};
constexpr std::chrono::milliseconds tries_apart{100};

result::Error not_synced() {
    return {.code = result::ErrorCode::store_unavailable,
            .sentence = "The change could not be made durable: it is taken back.",
            .next_step = "Look for a full or failing disk; the broker goes on by itself when it is well again."};
}

result::Error not_stored() {
    return {.code = result::ErrorCode::store_unavailable,
            .sentence = "The store does not take changes now: nothing was changed.",
            .next_step = "Look for a full or failing disk; the broker goes on by itself when it is well again."};
}

result::Error not_taken_back() {
    return {.code = result::ErrorCode::store_unavailable,
            .sentence = "The change could not be made durable, nor taken back yet: after a crash it may be there.",
            .next_step = "Look for a full or failing disk, then see whether the change was made."};
}

} // namespace

bool Journal::State::may_sync() const {
    return !is_syncing_ && !is_recovering_ && (!sync_failed_ || rewritten_) && headable.seq != head.seq;
}

void Journal::State::plan_sync() {
    if (!may_sync()) return;
    if (sync_wanted_ || !settled_.empty()) return start_sync();
    sync_by(clock.boot() + (unsynced.empty() ? head_delay : wire::limits::sync_shared));
}

void Journal::State::sync_by(runtime::BootTime latest) {
    if (next_sync_ != 0) {
        if (next_sync_at_ <= latest) return;
        clock.cancel(next_sync_);
    }
    next_sync_at_ = latest;
    next_sync_ = clock.call_at(latest, [this] {
        next_sync_ = 0;
        if (may_sync()) start_sync();
    });
}

void Journal::State::start_sync() {
    is_syncing_ = true;
    sync_wanted_ = false;
    sync_job.segments = dirty_;
    sync_job.directory = directory_dirty_;
    const auto undecided =
        std::ranges::find_if(unsynced, [this](const auto& change) { return change.seq > headable.seq; });
    sync_job.changes.assign(std::make_move_iterator(unsynced.begin()), std::make_move_iterator(undecided));
    unsynced.erase(unsynced.begin(), undecided);
    sync_job.store = store_dirty_;
    sync_job.reach = headable;
    sync_job.head = {.writes = head.writes + 1,
                     .seq = headable.seq,
                     .chain = headable.chain,
                     .changes = headable.changes,
                     .state = headable.state,
                     .pruned = headable.pruned,
                     .boot_id = options.boot_id};
    directory_dirty_ = false;
    store_dirty_ = false;
    commit.submit([this] { run_sync(); }, [this] { sync_done(); });
}

/// On the `commit` worker. The log before the head that names it, and before the store: a change is in the log for good
/// by the time that the store has it.
void Journal::State::run_sync() {
    auto& job = sync_job;
    job.done = false;
    job.is_store_refusing = false;
    for (const auto& part : job.segments) {
        if (part.is_closed && !part.segment->file.cut(part.end)) return;
        if (!part.segment->file.sync()) return;
    }
    if (job.directory && !sync_directory(options.directory)) return;
    if (!job.changes.empty()) {
        std::vector<store::Prepared*> prepared;
        for (auto& change : job.changes) prepared.push_back(&change.prepared);
        job.is_store_refusing = !store.write(prepared);
        if (job.is_store_refusing) return;
        job.store = true;
    }
    if (job.store && !store.sync()) return;
    job.done = head_file->write(keys.head, job.head);
    job.is_head_in_doubt = !job.done;
}

void Journal::State::sync_done() {
    is_syncing_ = false;
    if (!sync_job.done) {
        keep_unsynced();
        return sync_job.is_store_refusing ? store_refused() : sync_failed();
    }
    sync_failed_ = false;
    head = sync_job.head;
    durable = sync_job.reach;
    std::erase_if(dirty_, [this](const SyncJob::Segment& now) {
        return std::ranges::any_of(sync_job.segments, [&](const SyncJob::Segment& synced) {
            return synced.segment == now.segment && synced.is_closed;
        });
    });
    const auto changed = std::exchange(sync_job.changes, {});
    const auto later = std::ranges::find_if(awaiting, [this](const auto& wait) { return wait.seq > head.seq; });
    std::vector<AwaitingSync> waited(std::make_move_iterator(awaiting.begin()), std::make_move_iterator(later));
    awaiting.erase(awaiting.begin(), later);
    if (must_abandon_ && writing_ == nullptr) abandon_changes();
    for (const auto& change : changed) {
        if (change.tell) change.tell(change.seq);
    }
    for (const auto& wait : waited) {
        if (wait.waiter.call != nullptr) wait.waiter.call(wait.waiter.self, wait.waiter.ticket, true);
        if (wait.tell) wait.tell(wait.seq);
    }
    plan_sync();
    settle();
}

void Journal::State::keep_unsynced() {
    directory_dirty_ = directory_dirty_ || sync_job.directory;
    store_dirty_ = store_dirty_ || sync_job.store;
    std::ranges::move(unsynced, std::back_inserter(sync_job.changes));
    unsynced = std::exchange(sync_job.changes, {});
}

/// Changes that the store does not take are not made, nor any that was staged upon them. Leases wait for nothing.
void Journal::State::store_refused() {
    std::vector<Tell> tells;
    disown_changes(std::exchange(staging_->changes, {}), tells);
    if (writing_ != nullptr) disown_changes(std::exchange(writing_->changes, {}), tells);
    disown_changes(std::exchange(unsynced, {}), tells);
    written.changes = durable.changes;
    written.state = durable.state;
    headable = durable; // until the records that say so are written too
    must_abandon_ = false;
    sync_wanted_ = sync_wanted_ || !awaiting.empty();
    for (const auto& tell : tells) {
        if (tell) tell(refuse(not_stored()));
    }
    settle();
}

/// What was not synced may be gone from the disk although the kernel still shows it, and a second fsync(2) would not
/// tell. So: whoever waits is told that it failed; changes are taken back, in the index now and in the store as soon as
/// it takes writes; leases whose records may have survived are ended; and before the next sync everything behind the
/// last good one is read, checked and written anew.
void Journal::State::sync_failed() {
    sync_failed_ = true;
    rewritten_ = false;
    if (writing_ != nullptr) {
        must_abandon_ = true;
    } else {
        abandon_changes();
    }
    fail_awaiting();
    retry_later();
    settle();
}

void Journal::State::fail_awaiting() {
    const auto failed = std::exchange(awaiting, {});
    for (const auto& wait : failed) {
        if (!wait.issue.empty()) end_undelivered(wait.issue);
    }
    for (const auto& wait : failed | std::views::reverse) { // each was staged upon what the ones before it left
        if (wait.waiter.call != nullptr) wait.waiter.call(wait.waiter.self, wait.waiter.ticket, false);
        if (wait.tell) wait.tell(refuse(not_synced()));
    }
}

/// Takes back every change that is not durable: whoever waits for one is told when the store has taken it back, too, or
/// could not. No turn is being written and no sync runs now.
void Journal::State::abandon_changes() {
    must_abandon_ = is_syncing_;
    if (is_syncing_) return;
    std::vector<Tell> tells;
    disown_changes(std::exchange(staging_->changes, {}), tells);
    for (auto& change : unsynced | std::views::reverse) {
        store.revert(change.prepared);
        changes = change.number - 1;
        oldest_copy = std::min(oldest_copy, change.oldest_copy);
        undo_.push_back(std::move(change));
    }
    unsynced.clear();
    written.changes = durable.changes;
    written.state = durable.state;
    headable = durable; // until the records that say so are written too
    for (const auto& tell : tells) {
        if (tell) tell(refuse(not_synced()));
    }
    if (!undo_.empty()) start_recovery();
}

void Journal::State::retry_later() {
    if (retry_ != 0) return;
    retry_ = clock.call_at(clock.boot() + retry_every, [this] {
        retry_ = 0;
        flush();
        if (sync_failed_ || !undo_.empty()) start_recovery();
    });
}

void Journal::State::start_recovery() {
    if (is_recovering_ || is_syncing_ || must_abandon_ || clock.boot() < next_try_) return retry_later();
    next_try_ = clock.boot() + tries_apart;
    is_recovering_ = true;
    sync_job.segments = dirty_;
    log.submit([this] { recovered_ = retract_head() && undo_changes() && write_log_again(); },
               [this] { recovery_done(); });
}

/// A head whose sync failed may lie in the file all the same, and names changes that are to go: the last good one takes
/// its slot before they do, or a start would take the store for one that was put back.
bool Journal::State::retract_head() {
    if (!sync_job.is_head_in_doubt) return true;
    Head last_good = head;
    last_good.writes += 1;
    sync_job.is_head_in_doubt = !head_file->write(keys.head, last_good);
    return !sync_job.is_head_in_doubt;
}

bool Journal::State::undo_changes() {
    std::vector<store::Prepared*> undone;
    for (auto& change : undo_) undone.push_back(&change.prepared);
    return undone.empty() || store.undo(undone).has_value();
}

bool Journal::State::write_log_again() {
    std::vector<std::shared_ptr<OpenSegment>> segments;
    for (const auto& part : sync_job.segments) segments.push_back(part.segment);
    return !sync_failed_ || writer.write_again(segments, durable.place);
}

void Journal::State::recovery_done() {
    is_recovering_ = false;
    const bool is_undone = recovered_;
    std::vector<Tell> tells;
    for (auto& change : undo_) tells.push_back(std::exchange(change.tell, nullptr));
    if (is_undone) {
        go_on();
    } else {
        retry_later();
    }
    for (const auto& tell : tells) {
        if (tell) tell(refuse(is_undone ? not_synced() : not_taken_back()));
    }
    settle();
}

void Journal::State::go_on() {
    rewritten_ = sync_failed_;
    store_dirty_ = store_dirty_ || !undo_.empty();
    for (const auto& change : undo_ | std::views::reverse) disown(change.seq);
    undo_.clear();
    sync_wanted_ = true;
    if (held_ == 0) headable = written;
    flush();
    plan_sync();
}

void Journal::State::when_settled(std::function<void()> told) {
    settled_.push_back(std::move(told));
    flush();
    plan_sync();
    settle();
}

void Journal::State::settle() {
    if (settled_.empty() || writing_ != nullptr || is_syncing_ || is_recovering_ || flush_scheduled_) return;
    const bool can_go_on = !write_failed_ && !sync_failed_ && undo_.empty();
    if (can_go_on && (!staging_->empty() || head.seq != written.seq)) return;
    for (auto& change : undo_) {
        if (const auto tell = std::exchange(change.tell, nullptr)) tell(refuse(not_taken_back()));
    }
    for (const auto& told : std::exchange(settled_, {})) told();
}

} // namespace credlease::audit
