#pragma once

#include "audit/journal.hpp"
#include "audit/segment.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace credlease::audit {

/// What becomes of a staged record when its turn is written, or fails.
enum class Fate : std::uint8_t {
    told,    ///< its waiter is told at once
    durable, ///< its waiter is told once it is synced
    change,  ///< so is its change
    note,    ///< nobody waits: it goes with the next turn if this one fails
    disown,  ///< a note that says that a change was not made
    refusal, ///< nobody waits: it is counted if this turn fails
};

using Tell = std::function<void(result::Result<std::uint64_t>)>;

struct Entry {
    Waiter waiter{};
    Fate fate = Fate::told;
    bool is_issue = false;      ///< of a lease: if its waiter was told that it failed, the lease is ended in the log
    std::uint64_t disowned = 0; ///< sequence number of the change's record
};

struct StagedChange {
    std::uint64_t seq = 0;
    std::uint64_t number = 0;
    mac::Digest state{};
    std::uint64_t oldest_copy = 0; ///< before it dropped some
    store::Prepared prepared;
    Tell tell;
    Sync sync = Sync::at_once;
};

/// A segment that is being written, or waits for its last sync.
struct OpenSegment {
    File file;
    std::filesystem::path path;
    std::uint64_t first = 0;
    std::uint64_t end = 0; ///< bytes; the log thread's
};

/// A place in the log.
struct Place {
    std::uint64_t segment = 0; ///< first sequence number of the segment
    Mark mark;
};

/// The records that go to the kernel in one write. The loop fills it, the log thread writes it, the loop tells those
/// who wait. Buffers keep their capacity.
struct Turn {
    // ---- filled on the loop
    std::uint64_t first = 0; ///< sequence number
    vocabulary::Time latest{};
    Buffer bytes; ///< frames, with room for their MACs
    std::vector<Entry> entries;
    std::vector<std::pair<std::uint64_t, Tell>> tells; ///< of `durable` entries without a waiter, by sequence number
    std::vector<StagedChange> changes;
    std::uint64_t pruned = 0; ///< what its `log.pruned` says; 0: there is none
    // ---- the log thread's answer
    bool written = false;
    mac::Digest chain{};   ///< of the last record
    std::uint64_t end = 0; ///< offset behind it
    std::shared_ptr<OpenSegment> segment;
    bool space_is_short = false; ///< only the reserve is left, which is for leases

    [[nodiscard]] bool empty() const { return entries.empty(); }
    [[nodiscard]] std::uint64_t last() const { return first + entries.size() - 1; }
    void clear();
};

/// Calls `use(frame)` with length, kind and payload of each frame in turn; the frame's MAC lies behind it.
template <class Use> void for_each_frame(std::span<std::byte> bytes, Use&& use) {
    while (!bytes.empty()) {
        std::uint32_t length = 0;
        std::memcpy(&length, bytes.data(), sizeof length);
        const auto frame = bytes.first(segment::length_size + length);
        use(frame);
        bytes = bytes.subspan(frame.size() + segment::mac_size);
    }
}
/// Appends a frame around what `fill(Buffer&)` appends, with room for its MAC.
template <class Fill> void append_frame(Buffer& bytes, FrameKind kind, Fill&& fill) {
    const std::size_t begin = bytes.size();
    bytes.resize(begin + segment::length_size);
    bytes.push_back(static_cast<std::byte>(kind));
    fill(bytes);
    const auto length = static_cast<std::uint32_t>(bytes.size() - begin - segment::length_size);
    std::memcpy(bytes.data() + begin, &length, sizeof length);
    bytes.resize(bytes.size() + segment::mac_size);
}

/// Writes turns, on the log thread. After a failure the file is as it was before the turn, or is made so before the
/// next one.
class Writer {
  public:
    Writer(const Options& options, const mac::ChainMac& mac) : options_(options), mac_(mac) {}

    /// Goes on in a segment at a place behind its last record.
    void go_on(std::shared_ptr<OpenSegment> segment, const Mark& at);
    /// Begins the log (or goes on) in a new segment.
    [[nodiscard]] bool begin_segment(vocabulary::Time now);

    /// Chains and writes the turn's records.
    void write(Turn& turn);
    /// Writes everything behind `from` once more, after it was read and found authentic: after a failed sync the
    /// kernel may have dropped it, and counts it as clean (fsync(2), "NOTES").
    [[nodiscard]] bool write_again(const std::vector<std::shared_ptr<OpenSegment>>& segments, const Place& from) const;

    [[nodiscard]] const std::shared_ptr<OpenSegment>& segment() const { return segment_; }
    [[nodiscard]] const Mark& at() const { return at_; }

  private:
    void chain(Turn& turn);
    [[nodiscard]] bool cut_back();
    void reserve(std::size_t size, bool& is_short);

    const Options& options_;
    const mac::ChainMac& mac_;
    std::shared_ptr<OpenSegment> segment_;
    Mark at_;
    std::uint64_t reserved_ = 0; ///< the file is this long
    bool is_dirty_ = false;      ///< a failed write may have left bytes behind `at_`
};

} // namespace credlease::audit
