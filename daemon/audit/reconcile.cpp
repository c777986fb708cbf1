#include "audit/opening.hpp"

#include <algorithm>
#include <ranges>

namespace credlease::audit {

using result::refuse;
using result::Result;

Result<> Opening::reconcile() {
    if (auto read = read_copies(); !read) return read;
    if (!head_) head_ = head_by_log();
    std::erase_if(recent_, [this](const RecentChange& change) { return change.seq <= head_->seq; });
    if (auto matched = match_copies(); !matched) return matched;
    return check_store();
}

Result<> Opening::read_copies() {
    for (const auto& record : state_.store.damaged()) {
        if (record.table == store::Table::copies) copies_.push_back({store::read_copy_key(record.key), {}});
    }
    auto read = state_.store.scan(store::Table::copies, "", [this](const store::Record& record) {
        copies_.push_back({store::read_copy_key(record.key), std::string(record.value)});
        return true;
    });
    std::ranges::sort(copies_, {}, &Copy::number);
    return read;
}

/// For a new log, and where the operator gave the head up: the last change that both log and store have stands for it.
Head Opening::head_by_log() const {
    Head head{.state = state_of(state_.keys.head, 0, {})};
    head.pruned = replayed_.first == 0 ? 0 : replayed_.first - 1;
    for (const auto& change : recent_ | std::views::reverse) {
        const bool in_store = std::ranges::find(copies_, change.payload, &Copy::payload) != copies_.end();
        if (change.is_disowned || !in_store) continue;
        const auto note = read_note(FrameKind::change, mac::bytes_of(change.payload), state_.keys.head);
        if (!note) continue;
        head.seq = change.seq;
        head.changes = note->number;
        head.state = note->state;
        break;
    }
    return head;
}

Result<> Opening::match_copies() {
    changes_ = head_->changes;
    expected_ = head_->state;
    // The copy of the last change is kept: without it, the store lost that change, or is an older one.
    if (copies_.empty() ? changes_ > 0 : copies_.back().number < changes_) {
        return refuse(missing_change(copies_.empty() ? 1 : copies_.back().number + 1));
    }
    for (const auto& copy : copies_) {
        if (copy.number <= head_->changes) continue;
        const auto note = read_note(FrameKind::change, mac::bytes_of(copy.payload), state_.keys.head);
        if (copy.number != changes_ + 1 || !note) {
            return refuse(damaged("The audit head, or the audit log, is older than the store.",
                                  "the head knows " + std::to_string(head_->changes) +
                                      " changes, the store has change " + std::to_string(copy.number)));
        }
        changes_ = copy.number;
        expected_ = note->state;
        const auto in_log = std::ranges::find_if(
            recent_, [&](const RecentChange& change) { return !change.is_disowned && change.payload == copy.payload; });
        if (in_log == recent_.end()) {
            missing_.push_back(copy.payload);
        } else {
            in_log->is_matched = true;
        }
    }
    return {};
}

Result<> Opening::check_store() {
    if (state_of(state_.keys.head, changes_, state_.store.set_hash()) == expected_) return {};
    if (locate_damage(state_, changes_, expected_, missing_)) return {};
    std::string named;
    for (const auto& record : state_.store.damaged())
        named += " " + std::string(name_of(record.table)) + " " + record.key;
    return refuse(damaged("The store does not hold what the audit head says.",
                          "after " + std::to_string(changes_) + " changes" + (named.empty() ? "" : ":" + named)));
}

/// Names the first change that the store does not have by its record.
result::Error Opening::missing_change(std::uint64_t number) const {
    std::string about = "change " + std::to_string(number) + " of " + std::to_string(head_->changes);
    LogReader log(segments_, state_.keys.chain);
    Frame frame;
    while (log.next(frame) == SegmentReader::Next::frame) {
        if (frame.kind == FrameKind::change && read_change_number(frame.payload) == number) {
            about = "the change of record " + std::to_string(frame.seq);
        }
    }
    return damaged("The store is older than the audit head: a change is missing.", about);
}

} // namespace credlease::audit
