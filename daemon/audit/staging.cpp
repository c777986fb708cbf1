#include "audit/state.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <limits>

namespace credlease::audit {
namespace {

using result::refuse;
using vocabulary::Action;
using vocabulary::AuditRecord;

constexpr std::size_t staged_most = std::size_t{32} << 20;         ///< bytes that may wait for a slow disk
constexpr std::size_t refusals_staged_most = std::size_t{1} << 20; ///< … when refusals stop to take part

bool is_refusal(Action action) { return action == Action::access_refused || action == Action::lease_refused; }

result::Error unavailable(result::StaticText sentence) {
    return {.code = result::ErrorCode::store_unavailable,
            .sentence = sentence,
            .next_step = "Look for a full or failing disk; the broker goes on by itself when it is well again."};
}

} // namespace

std::optional<result::Error> Journal::State::refusal() {
    if (is_hung_) return unavailable("The audit log does not answer.");
    if (sync_failed_) {
        start_recovery();
        return unavailable("The audit log could not be made durable.");
    }
    if (staging_->bytes.size() > staged_most) return unavailable("The audit log is too slow.");
    return std::nullopt;
}

void Journal::State::schedule_flush() {
    if (flush_scheduled_ || writing_ != nullptr) return;
    flush_scheduled_ = true;
    loop.at_end_of_turn([this] {
        flush_scheduled_ = false;
        flush();
        settle();
    });
}

void Journal::State::begin_record(AuditRecord& record, const Entry& entry) {
    if (staging_->empty()) {
        staging_->first = next_seq;
        staging_->latest = {};
    }
    if (record.at == vocabulary::Time{}) record.at = clock.wall();
    staging_->latest = std::max(staging_->latest, record.at);
    record.seq = next_seq++;
    staging_->entries.push_back(entry);
    schedule_flush();
}

void Journal::State::stage(AuditRecord& record, const Entry& entry) {
    begin_record(record, entry);
    append_frame(staging_->bytes, FrameKind::record, [&](Buffer& bytes) {
        Encoder out(bytes);
        write_record(out, record);
    });
}

result::Result<std::uint64_t> Journal::State::append(AuditRecord& record, Entry entry, Tell tell) {
    if (auto why = refusal()) return refuse(std::move(*why));
    entry.is_issue = record.action == Action::lease_issued;
    stage(record, entry);
    if (tell) staging_->tells.emplace_back(record.seq, std::move(tell));
    return record.seq;
}

void Journal::State::note(AuditRecord& record) {
    const bool refused = is_refusal(record.action);
    const bool is_well = !is_hung_ && !sync_failed_ && !space_is_short_;
    const std::size_t most = refused ? (is_well ? refusals_staged_most : 0) : staged_most;
    if (staging_->bytes.size() >= most) return drop(record.count);
    stage(record, {.fate = refused ? Fate::refusal : Fate::note});
}

void Journal::State::disown(std::uint64_t seq) {
    const std::string which = std::to_string(seq);
    AuditRecord record{.action = Action::change_not_made, .ok = false, .detail = which};
    stage(record, {.fate = Fate::disown, .disowned = seq});
    ++held_;
}

void Journal::State::record_dropped() {
    if (unrecorded_ == 0 || space_is_short_) return;
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    AuditRecord record{.action = Action::access_refused,
                       .ok = false,
                       .count = static_cast<std::uint32_t>(std::min(unrecorded_, most)),
                       .detail = "records that the log had no room for"};
    unrecorded_ = 0;
    note(record);
}

void Journal::State::change(AuditRecord& record, store::Batch batch, Sync sync, Tell tell) {
    if (auto why = refusal()) return tell(refuse(std::move(*why)));
    if (is_recovering_ || must_abandon_ || !undo_.empty()) {
        start_recovery();
        return tell(refuse(unavailable("The store is being put right after a failure: nothing was changed.")));
    }
    auto prepared = store.prepare(std::move(batch));
    if (!prepared) return tell(refuse(std::move(prepared.error())));
    StagedChange staged{.number = ++changes,
                        .oldest_copy = oldest_copy,
                        .prepared = std::move(*prepared),
                        .tell = std::move(tell),
                        .sync = sync};
    staged.state = state_of(keys.head, staged.number, staged.prepared.set_hash_after());
    begin_record(record, {.fate = Fate::change});
    staged.seq = record.seq;
    append_frame(staging_->bytes, FrameKind::change, [&](Buffer& bytes) {
        const std::size_t begin = bytes.size();
        write_change(bytes, keys.head, record, staged.number, staged.prepared);
        store.add_copy(staged.prepared, staged.number,
                       {reinterpret_cast<const char*>(bytes.data()) + begin, bytes.size() - begin});
    });
    // One copy stays, so that a store which lost its last change can be told from one that did not.
    for (; oldest_copy < staged.number && oldest_copy <= head.changes; ++oldest_copy) {
        store.drop_copy(staged.prepared, oldest_copy);
    }
    staging_->changes.push_back(std::move(staged));
}

void Journal::State::carry(AuditRecord& record, const std::vector<store::Step>& steps, std::uint64_t pruned,
                           Tell tell) {
    if (auto why = refusal()) return tell(refuse(std::move(*why)));
    begin_record(record, {.fate = Fate::durable});
    append_frame(staging_->bytes, FrameKind::carried,
                 [&](Buffer& bytes) { write_carried(bytes, keys.head, record, steps); });
    staging_->tells.emplace_back(record.seq, std::move(tell));
    staging_->pruned = pruned;
}

void Journal::State::restage(Turn& failed) {
    auto entry = failed.entries.begin();
    for_each_frame(failed.bytes, [&](std::span<std::byte> frame) {
        const Entry& was = *entry++;
        if (was.fate == Fate::refusal) drop(1);
        // A change whose own record failed needs nobody to say that it was not made.
        const bool is_moot = was.fate == Fate::disown && was.disowned > written.seq;
        if (is_moot) --held_;
        if ((was.fate != Fate::note && was.fate != Fate::disown) || is_moot) return;
        if (staging_->empty()) staging_->first = next_seq;
        staging_->latest = std::max(staging_->latest, failed.latest);
        staging_->entries.push_back(was);
        const Bytes whole(frame.data(), frame.size() + segment::mac_size);
        staging_->bytes.insert(staging_->bytes.end(), whole.begin(), whole.end());
        ++next_seq;
    });
}

void Journal::State::flush() {
    if (writing_ != nullptr || staging_->empty()) return;
    writing_ = std::exchange(staging_, take_free());
    writing_since_ = clock.boot();
    if (watch_ == 0) {
        watch_ = clock.call_at(writing_since_ + wire::limits::log_write_most, [this] { watch_fired(); });
    }
    const auto is_waited_for = [](const Entry& entry) { return entry.fate == Fate::told; };
    if (std::ranges::any_of(writing_->entries, is_waited_for)) loop.leases_leave();
    log.submit([this, turn = writing_] { writer.write(*turn); }, [this] { turn_done(); });
}

} // namespace credlease::audit
