#include "audit/opening.hpp"

#include "audit/checkpoint.hpp"

#include <algorithm>
#include <charconv>

namespace credlease::audit {
namespace {

using result::PublicText;
using result::refuse;
using result::Result;
using Next = SegmentReader::Next;

std::uint64_t read_number(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

result::Error damaged(result::StaticText sentence, std::string_view about) {
    return {.code = result::ErrorCode::damaged,
            .sentence = sentence,
            .next_step = "Nothing was written. Keep a copy, find out who changed it, then restore the last backup.",
            .about = PublicText::of(about)};
}

Result<> Opening::run() {
    if (auto read = read_head(); !read) return read;
    if (auto whole = check_begin(replay_checkpoint()); !whole) return whole;
    if (auto sound = check_segments(); !sound) return sound;
    if (auto read = read_log(); !read) return read;
    if (auto agreed = reconcile(); !agreed) return agreed;
    return settle();
}

Result<> Opening::read_head() {
    segments_ = list_segments(state_.options.directory);
    auto head = HeadFile::read(state_.options.head_file, state_.keys.head);
    if (!head) return refuse(std::move(head.error()));
    head_ = *head;
    synced_ = head_ ? head_->seq : 0;
    if (head_) return {};
    std::error_code ignored;
    replayed_.head_lost = std::filesystem::exists(state_.options.head_file, ignored);
    const bool is_new = segments_.empty() && state_.store.records() == 0;
    if (is_new) replayed_.head_lost = false;
    if (is_new || replayed_.head_lost) return {};
    return refuse({.code = result::ErrorCode::damaged,
                   .sentence = "The audit head is missing: nothing vouches for the end of the audit log.",
                   .next_step = "Put it back, or set head_file to where it lies now. If it is lost, make an empty file "
                                "there: the log then says for ever that it was.",
                   .about = PublicText::of(state_.options.head_file.string())});
}

/// Nothing is missing at the front but what was pruned, and a checkpoint tells (`is_told`) what that said.
Result<> Opening::check_begin(bool is_told) const {
    if (segments_.empty() || !head_) return {};
    const std::uint64_t first = segments_.front().first;
    if (first > head_->pruned + 1) {
        return refuse(damaged("The audit log lacks records that were never pruned.",
                              "records " + std::to_string(head_->pruned + 1) + " to " + std::to_string(first - 1)));
    }
    if (is_told || first == 1) return {};
    return refuse(damaged("The checkpoint that stands for the pruned part of the audit log is missing or damaged.",
                          checkpoint_path(segments_.front().path).filename().string()));
}

/// Those that are not read now are at least authentic.
Result<> Opening::check_segments() {
    const std::uint64_t head = head_ ? head_->seq : 0;
    for (std::size_t i = 0; i < first_to_read_; ++i) {
        if (auto opened = SegmentReader::open(segments_[i], state_.keys.chain); !opened && segments_[i].first <= head) {
            return refuse(std::move(opened.error()));
        }
    }
    return {};
}

/// The newest that the head vouches for, since the chain must be seen to pass through the head; that of the first
/// segment in any case, since no log before it could be read instead. The replay goes on with its segment.
bool Opening::replay_checkpoint() {
    const std::uint64_t head = head_ ? head_->seq : 0;
    for (std::size_t index = segments_.size(); index-- > 0;) {
        if (index > 0 && segments_[index].first > head) continue;
        if (!Checkpoint::replay(segments_[index], state_.keys.chain, visit_)) continue;
        first_to_read_ = index;
        return true;
    }
    return false;
}

Result<> Opening::read_log() {
    if (segments_.empty()) {
        if (!head_ || head_->seq == 0) return {};
        return refuse({.code = result::ErrorCode::damaged,
                       .sentence = "The audit log is gone.",
                       .next_step = "Restore the last backup. If the data were removed on purpose, remove the audit "
                                    "head too.",
                       .about = PublicText::of("record " + std::to_string(head_->seq) + " is named by " +
                                               state_.options.head_file.string())});
    }
    LogReader log({segments_.begin() + static_cast<std::ptrdiff_t>(first_to_read_), segments_.end()},
                  state_.keys.chain);
    Frame frame;
    Next next = log.next(frame);
    replayed_.first = segments_.front().first;
    for (; next == Next::frame; next = log.next(frame)) {
        if (auto taken = take_in(frame, log.chain()); !taken) return taken;
    }
    last_segment_ = first_to_read_ + log.segment();
    return end_of_log(next, log);
}

Result<> Opening::take_in(const Frame& frame, const mac::Digest& chain) {
    Decoded decoded;
    if (auto read = read_frame(frame.kind, frame.payload, frame.seq, decoded); !read) return read;
    const std::uint64_t head = head_ ? head_->seq : 0;
    if (head_ && frame.seq == head && chain != head_->chain) {
        return refuse(damaged("The audit head belongs to another store, or the audit log was replaced.",
                              "record " + std::to_string(head)));
    }
    if (frame.seq > head && frame.kind == FrameKind::change) {
        recent_.push_back({.seq = frame.seq,
                           .number = read_change_number(frame.payload),
                           .payload = {reinterpret_cast<const char*>(frame.payload.data()), frame.payload.size()}});
    }
    if (decoded.record.action == vocabulary::Action::change_not_made) {
        const auto seq = read_number(decoded.record.detail);
        const auto named = std::ranges::find(recent_, seq, &RecentChange::seq);
        if (named != recent_.end()) named->is_disowned = true;
    }
    last_action_ = decoded.record.action;
    last_time_ = decoded.record.at;
    visit_(decoded.record);
    return {};
}

/// Above the head a torn tail is what a crash leaves. Below it, it is damage.
Result<> Opening::end_of_log(Next last, const LogReader& log) {
    const std::uint64_t head = head_ ? head_->seq : 0;
    const bool is_begun = log.reader() != nullptr;
    const std::uint64_t expected = is_begun ? log.expected() : segments_[last_segment_].first;
    if (last == Next::failed) return refuse(*log.error());
    if (last == Next::bad && log.error() && log.error()->code == result::ErrorCode::configuration) {
        return refuse(*log.error()); // a newer format
    }
    if (expected <= head) {
        const bool is_bad = last == Next::bad;
        return refuse(is_bad ? damaged("The audit log is damaged.", log.place())
                             : damaged("The audit log ends before the record that its head names.",
                                       "record " + std::to_string(head) + " is missing, the last is " +
                                           std::to_string(expected - 1)));
    }
    // Where no head says how far the log is sound, nothing is cut.
    const bool is_first = segments_.size() == 1 && segments_.front().first == 1;
    if (last == Next::bad && (replayed_.head_lost || (!is_begun && !is_first))) {
        return refuse(damaged("The audit log is damaged.", log.place()));
    }
    if (!is_begun) return {}; // the very first segment was being made
    end_ = log.reader()->at();
    const auto begun = std::ranges::find(segments_, log.reader()->path(), &SegmentFile::path);
    last_segment_ = static_cast<std::size_t>(begun - segments_.begin());
    replayed_.last = end_.seq - 1;
    if (replayed_.last == 0) replayed_.first = 0;
    return {};
}

Result<std::unique_ptr<Journal>> Journal::open(const Options& options, Keys keys, store::Store& store,
                                               runtime::Loop& loop, runtime::Clock& clock, runtime::Worker& log,
                                               runtime::Worker& commit,
                                               const std::function<void(const vocabulary::AuditRecord&)>& visit,
                                               Replay& replayed) {
    replayed = {};
    auto state = std::make_unique<State>(options, std::move(keys), store, loop, clock, log, commit);
    Opening opening(*state, visit, replayed);
    if (auto opened = opening.run(); !opened) return refuse(std::move(opened.error()));
    return std::unique_ptr<Journal>(new Journal(std::move(state)));
}

} // namespace credlease::audit
