#include "audit/state.hpp"

#include <algorithm>
#include <ranges>

namespace credlease::audit {
namespace {

using vocabulary::AuditRecord;

bool fits(std::string_view wanted, std::string_view is) { return wanted.empty() || wanted == is; }

/// "lease.issued", or "lease.*" for all of a kind.
bool fits_action(std::string_view wanted, vocabulary::Action action) {
    const auto name = name_of(action);
    if (!wanted.ends_with(".*")) return fits(wanted, name);
    return name.starts_with(wanted.substr(0, wanted.size() - 1));
}

bool fits(const Journal::Query& query, const AuditRecord& record) {
    if (query.credential && record.credential != *query.credential) return false;
    if (query.lease && record.lease != *query.lease) return false;
    if ((query.since && record.at < *query.since) || (query.until && record.at >= *query.until)) return false;
    if (!fits_action(query.action, record.action) || !fits(query.workflow, record.workflow)) return false;
    if (!fits(query.run, record.run)) return false;
    if (!fits(query.principal, record.principal) && !fits(query.principal, record.on_behalf_of)) return false;
    return !query.keep || query.keep(record);
}

/// Can the segment hold an answer at all?
bool may_hold(const SegmentIndex& index, const Journal::Query& query) {
    if (query.credential && !index.holds(*query.credential)) return false;
    if (query.lease && !index.may_hold(*query.lease)) return false;
    if ((query.since && index.latest() < *query.since) || (query.until && index.earliest() >= *query.until))
        return false;
    if (query.action.empty()) return true;
    for (unsigned action = 0; action < 256; ++action) {
        const auto one = static_cast<vocabulary::Action>(action);
        if (index.holds(one) && fits_action(query.action, one)) return true;
    }
    return false;
}

result::Error damaged(std::uint64_t seq, const std::filesystem::path& file) {
    return {.code = result::ErrorCode::damaged,
            .sentence = "The audit log does not verify.",
            .next_step = "Run `credlease audit verify`.",
            .about = result::PublicText::of("record " + std::to_string(seq) + " in " + file.filename().string())};
}

/// Reads a segment backward, part by part; each part forward, since the chain runs forward.
class Search {
  public:
    Search(const Journal::Query& query, const mac::ChainMac& mac, std::uint64_t last,
           const std::function<void(const AuditRecord&)>& show)
        : query_(query), mac_(mac), last_(last), show_(show) {}

    result::Result<> look_through(const SegmentFile& file, const SegmentIndex& index) {
        auto reader = SegmentReader::open(file, mac_);
        if (!reader) return result::refuse(std::move(reader.error()));
        std::uint64_t end = std::min(last_ + 1, index.next());
        for (const auto& mark : index.marks() | std::views::reverse) {
            if (mark.seq >= end) continue;
            reader->go_to(mark);
            if (!find(*reader, end)) return result::refuse(damaged(reader->at().seq, file.path));
            show_found();
            end = mark.seq;
            ++parts_;
            looked_down_to_ = is_full() ? last_shown_ : end;
            if (is_done()) return {};
        }
        return {};
    }

    [[nodiscard]] bool is_done() const { return is_full() || (query_.parts != 0 && parts_ >= query_.parts); }
    [[nodiscard]] std::uint64_t looked_down_to() const { return looked_down_to_; }

  private:
    struct Found {
        std::uint64_t seq;
        FrameKind kind;
        Buffer payload;
    };

    [[nodiscard]] bool is_full() const { return shown_ >= query_.limit; }

    bool find(SegmentReader& reader, std::uint64_t end) {
        found_.clear();
        Frame frame;
        while (reader.at().seq < end) {
            if (reader.next(frame) != SegmentReader::Next::frame) return false;
            if (!read_frame(frame.kind, frame.payload, frame.seq, decoded_)) return false;
            if (!fits(query_, decoded_.record)) continue;
            found_.push_back({frame.seq, frame.kind, Buffer(frame.payload.begin(), frame.payload.end())});
        }
        return true;
    }

    void show_found() {
        for (const auto& found : found_ | std::views::reverse) {
            if (is_full() || !read_frame(found.kind, found.payload, found.seq, decoded_)) return;
            show_(decoded_.record);
            last_shown_ = found.seq;
            ++shown_;
        }
    }

    const Journal::Query& query_;
    const mac::ChainMac& mac_;
    std::uint64_t last_;
    const std::function<void(const AuditRecord&)>& show_;
    std::vector<Found> found_;
    Decoded decoded_;
    std::size_t shown_ = 0;
    std::size_t parts_ = 0;
    std::uint64_t last_shown_ = 0;
    std::uint64_t looked_down_to_ = 0;
};

} // namespace

result::Result<std::uint64_t> Journal::query(const Query& query,
                                             const std::function<void(const AuditRecord&)>& show) const {
    const std::uint64_t written = state_->readable.load(std::memory_order_acquire);
    const std::uint64_t last = query.before == 0 ? written : std::min(written, query.before - 1);
    auto segments = list_segments(state_->options.directory);
    std::erase_if(segments, [&](const SegmentFile& file) { return file.first > written; });
    Search search(query, state_->keys.chain, last, show);
    std::uint64_t end = written; // last record of the segment
    for (std::size_t left = segments.size(); left > 0 && !search.is_done(); --left) {
        const auto& file = segments[left - 1];
        const bool is_growing = left == segments.size();
        const std::uint64_t segment_end = std::exchange(end, file.first - 1);
        if (file.first > last) continue;
        if (is_growing && !state_->growing.grow(file, state_->keys.chain, segment_end)) {
            return result::refuse(damaged(state_->growing.next(), file.path));
        }
        const auto closed = is_growing ? std::nullopt : SegmentIndex::of_closed(file, segment_end, state_->keys.chain);
        if (!is_growing && !closed) {
            if (!std::filesystem::exists(file.path)) break; // pruned meanwhile
            return result::refuse(damaged(file.first, file.path));
        }
        const auto& index = is_growing ? state_->growing : *closed;
        if (!may_hold(index, query)) continue;
        if (auto looked = search.look_through(file, index); !looked) return result::refuse(std::move(looked.error()));
    }
    return search.is_done() ? search.looked_down_to() : 0;
}

} // namespace credlease::audit
