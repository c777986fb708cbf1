#include "audit/checkpoint.hpp"
#include "audit/hex.hpp"
#include "audit/state.hpp"

#include <algorithm>
#include <charconv>

namespace credlease::audit {
namespace {

using Next = SegmentReader::Next;
using Anchor = Journal::Anchor;
using Verdict = Journal::Verdict;

Verdict& blame(Verdict& verdict, std::uint64_t seq, std::string problem) {
    if (!verdict.first_bad || seq < *verdict.first_bad) {
        verdict.first_bad = seq;
        verdict.problem = std::move(problem);
    }
    return verdict;
}

/// Does the chain pass through the anchor? To be asked with each record in turn.
void check_anchor(Verdict& verdict, const Anchor& anchor, const LogReader& log, std::string_view which) {
    if (anchor.seq + 1 != log.expected() || anchor.chain == log.chain()) return;
    blame(verdict, anchor.seq, "The record is not the one that " + std::string(which) + " names.");
}

void check_end(Verdict& verdict, const Anchor& anchor, std::string_view which) {
    if (anchor.seq != 0 && anchor.seq < verdict.first && !verdict.first_bad) {
        verdict.problem = "The record that " + std::string(which) + " names was pruned: it can't be compared.";
    }
    if (anchor.seq <= verdict.last || verdict.first_bad) return;
    blame(verdict, verdict.last + 1, "The log ends before the record that " + std::string(which) + " names.");
}

/// Old records may be gone only as far as the head says, and where a checkpoint stands for them.
void check_begin(Verdict& verdict, const Head& head, const SegmentFile& first, const mac::ChainMac& mac) {
    if (verdict.first > head.pruned + 1) {
        blame(verdict, head.pruned + 1, "Records are missing that were never pruned.");
    }
    if (verdict.first > 1 && !Checkpoint::verifies(first, mac)) {
        blame(verdict, verdict.first - 1, "The checkpoint that stands for the pruned records is missing or damaged.");
    }
}

} // namespace

std::optional<Anchor> Journal::read_anchor(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    Anchor anchor;
    const auto [end, error] = std::from_chars(text.data(), text.data() + colon, anchor.seq);
    const auto chain = read_hex(text.substr(colon + 1));
    if (error != std::errc{} || end != text.data() + colon || !chain) return std::nullopt;
    anchor.chain = *chain;
    return anchor;
}

Verdict Journal::verify(const std::optional<Anchor>& outside) const {
    Verdict verdict;
    std::vector<std::pair<Anchor, std::string_view>> anchors;
    const auto head = HeadFile::read(state_->options.head_file, state_->keys.head);
    if (!head || !*head) return blame(verdict, 0, "The audit head is missing or damaged.");
    anchors.push_back({{(*head)->seq, (*head)->chain}, "the head"});
    if (outside) anchors.push_back({*outside, "the anchor"});
    const std::uint64_t written = state_->readable.load(std::memory_order_acquire);
    auto segments = list_segments(state_->options.directory);
    std::erase_if(segments, [&](const SegmentFile& file) { return file.first > written; });
    if (!segments.empty()) {
        verdict.first = segments.front().first;
        check_begin(verdict, **head, segments.front(), state_->keys.chain);
    }
    LogReader log(std::move(segments), state_->keys.chain);
    Frame frame;
    while (verdict.last < written) {
        const auto next = log.next(frame);
        if (next == Next::end) return blame(verdict, verdict.last + 1, "The log ends before its last record.");
        if (next == Next::failed) return blame(verdict, verdict.last + 1, "The disk can't be read: " + log.place());
        if (next == Next::bad) {
            return blame(verdict, std::max(log.expected(), verdict.first), "Not as it was written: " + log.place());
        }
        verdict.last = frame.seq;
        ++verdict.records;
        for (const auto& [anchor, which] : anchors) check_anchor(verdict, anchor, log, which);
    }
    for (const auto& [anchor, which] : anchors) check_end(verdict, anchor, which);
    return verdict;
}

std::string Journal::head_text() const { return std::to_string(state_->head.seq) + ":" + hex_of(state_->head.chain); }

} // namespace credlease::audit
