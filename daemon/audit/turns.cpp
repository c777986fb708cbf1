#include "audit/state.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <ranges>

namespace credlease::audit {
namespace {

using result::refuse;

result::Error not_written() {
    return {.code = result::ErrorCode::store_unavailable,
            .sentence = "The audit log could not be written: nothing was changed.",
            .next_step = "Look for a full or failing disk; the broker goes on by itself when it is well again."};
}

} // namespace

Turn* Journal::State::take_free() {
    Turn* const turn = free_.back();
    free_.pop_back();
    return turn;
}

void Journal::State::turn_done() {
    Turn& turn = *std::exchange(writing_, nullptr);
    loop.leases_are_back();
    const bool late = std::exchange(is_hung_, false);
    track(turn);
    if (turn.written) {
        turn_written(turn, late);
    } else {
        turn_failed(turn);
    }
    const bool is_written = turn.written;
    turn.clear();
    free_.push_back(&turn);
    tell_caught_up(is_written ? written.seq : UINT64_MAX);
    settle();
}

void Journal::State::when_written(std::function<void()> told) {
    catching_up_.emplace_back(next_seq - 1, std::move(told));
    flush();
    if (is_hung_ || writing_ == nullptr) tell_caught_up(UINT64_MAX);
}

void Journal::State::tell_caught_up(std::uint64_t up_to) {
    for (auto& [last, told] : std::exchange(catching_up_, {})) {
        if (last > up_to) {
            catching_up_.emplace_back(last, std::move(told));
        } else {
            told();
        }
    }
}

void Journal::State::track(const Turn& turn) {
    if (dirty_.empty() || dirty_.back().segment != turn.segment) {
        if (!dirty_.empty()) dirty_.back().is_closed = true;
        dirty_.push_back({.segment = turn.segment});
        directory_dirty_ = true;
        if (options.segment_begun) options.segment_begun();
    }
    dirty_.back().end = turn.end;
}

void Journal::State::turn_written(Turn& turn, bool late) {
    write_failed_ = false;
    space_is_short_ = turn.space_is_short;
    written.seq = turn.last();
    written.chain = turn.chain;
    if (turn.pruned != 0) written.pruned = turn.pruned;
    written.place = {turn.segment->first, {.seq = turn.last() + 1, .offset = turn.end, .chain = turn.chain}};
    readable.store(written.seq, std::memory_order_release);
    for (const auto& entry : turn.entries) held_ -= entry.fate == Fate::disown ? 1 : 0;
    for (auto& change : turn.changes) {
        written.changes = change.number;
        written.state = change.state;
        unsynced.push_back(std::move(change));
    }
    if ((late && !turn.changes.empty()) || must_abandon_) abandon_changes();
    if (held_ == 0 && undo_.empty() && !must_abandon_) headable = written;
    record_dropped();
    flush(); // the next turn is written while this one's waiters are told
    tell_waiters(turn, late);
    plan_sync();
}

void Journal::State::tell_waiters(Turn& turn, bool late) {
    std::uint64_t seq = turn.first;
    auto entry = turn.entries.begin();
    auto tell = turn.tells.begin();
    for_each_frame(turn.bytes, [&](std::span<std::byte> frame) {
        const Entry& done = *entry++;
        const Bytes record = frame.subspan(segment::length_size + 1);
        if (done.fate == Fate::durable) {
            AwaitingSync wait{.seq = seq, .waiter = done.waiter, .tell = nullptr, .issue = {}};
            if (tell != turn.tells.end() && tell->first == seq) wait.tell = std::move((tell++)->second);
            if (done.is_issue) wait.issue.assign(record.begin(), record.end());
            awaiting.push_back(std::move(wait));
            sync_wanted_ = true;
        } else if (done.fate == Fate::told && late) {
            if (done.is_issue) end_undelivered(record);
        } else if (done.waiter.call != nullptr) {
            done.waiter.call(done.waiter.self, done.waiter.ticket, true);
        }
        ++seq;
    });
    const auto is_hurried = [](const StagedChange& change) { return change.sync == Sync::at_once; };
    sync_wanted_ = sync_wanted_ || std::ranges::any_of(unsynced, is_hurried);
    if (sync_failed_) fail_awaiting(); // what was under way then: it may be long until there is a sync again
}

/// The lease's record is in the log, but whoever asked was told that it failed.
void Journal::State::end_undelivered(Bytes record) {
    Decoded issued;
    if (!read_record(record, 0, issued)) return;
    vocabulary::LeaseView view = issued.lease;
    view.reason = vocabulary::EndReason::undelivered;
    vocabulary::AuditRecord ended = issued.record;
    ended.at = {};
    ended.action = vocabulary::Action::lease_ended;
    if (ended.lease_view != nullptr) ended.lease_view = &view;
    note(ended);
}

/// Takes the turn's changes back, the latest first, and keeps what can go with the next turn.
void Journal::State::take_back(Turn& turn, Told& told) {
    for (const auto& change : turn.changes | std::views::reverse) {
        store.revert(change.prepared);
        changes = change.number - 1;
        oldest_copy = std::min(oldest_copy, change.oldest_copy);
    }
    for (auto& change : turn.changes) told.tells.push_back(std::move(change.tell));
    for (auto& [seq, tell] : turn.tells) told.tells.push_back(std::move(tell));
    told.entries.insert(told.entries.end(), turn.entries.rbegin(), turn.entries.rend());
}

/// The latest first: each was staged upon what the ones before it left.
void Journal::State::tell_failure(Told& told) {
    for (const auto& entry : told.entries) {
        if (entry.waiter.call != nullptr) entry.waiter.call(entry.waiter.self, entry.waiter.ticket, false);
    }
    for (const auto& tell : told.tells) {
        if (tell) tell(refuse(not_written()));
    }
}

/// Whatever was staged behind a turn that did not get through fails with it; the chain goes on from the last record
/// that was written.
void Journal::State::fail_staged(Told& told) {
    Turn& failed = *std::exchange(staging_, take_free());
    take_back(failed, told);
    next_seq = failed.empty() ? next_seq : failed.first;
    restage(failed);
    failed.clear();
    free_.push_back(&failed);
}

void Journal::State::turn_failed(Turn& turn) {
    write_failed_ = true;
    space_is_short_ = turn.space_is_short;
    Turn& behind = *std::exchange(staging_, take_free());
    Told told;
    take_back(behind, told);
    take_back(turn, told);
    next_seq = written.seq + 1;
    restage(turn);
    restage(behind);
    behind.clear();
    free_.push_back(&behind);
    if (must_abandon_) abandon_changes();
    tell_failure(told);
    if (!staging_->empty()) retry_later();
}

/// Takes changes back, the latest first. Their records are or will be in the log: each is followed by one that says
/// that its change was not made, and the head waits for that.
void Journal::State::disown_changes(std::vector<StagedChange> taken, std::vector<Tell>& tells) {
    for (const auto& change : taken | std::views::reverse) {
        store.revert(change.prepared);
        changes = change.number - 1;
        oldest_copy = std::min(oldest_copy, change.oldest_copy);
    }
    for (auto& change : taken) {
        disown(change.seq);
        tells.push_back(std::move(change.tell));
    }
}

void Journal::State::watch_fired() {
    watch_ = 0;
    if (writing_ == nullptr) return;
    const auto due = writing_since_ + wire::limits::log_write_most;
    if (clock.boot() >= due) return hang();
    watch_ = clock.call_at(due, [this] { watch_fired(); });
}

/// Whoever waits for the turn that hangs, or for one behind it, is told that it failed. The turn itself belongs to the
/// log thread until the write returns: only then is it known which of its records must be ended or disowned.
void Journal::State::hang() {
    is_hung_ = true;
    loop.leases_are_back(); // refused
    Told told;
    fail_staged(told);
    for (auto& entry : writing_->entries | std::views::reverse) {
        if (entry.fate == Fate::durable) entry.fate = Fate::told; // its waiter is told here
        told.entries.push_back(std::exchange(
            entry, {.waiter = {}, .fate = entry.fate, .is_issue = entry.is_issue, .disowned = entry.disowned}));
    }
    for (auto& [seq, tell] : writing_->tells) told.tells.push_back(std::move(tell));
    writing_->tells.clear();
    for (auto& change : writing_->changes) told.tells.push_back(std::exchange(change.tell, nullptr));
    tell_failure(told);
    tell_caught_up(UINT64_MAX);
}

} // namespace credlease::audit
