#pragma once

#include "audit/segment.hpp"

#include <functional>

namespace credlease::audit {

/// What the log said before a segment, told by fewer records: replayed, they bring back what all of it would. Beside
/// the segment in NAME.start, authenticated and bound to its place in the chain. One that is not there, or does not
/// verify, costs a longer replay and nothing else, unless the log before it was pruned: then nothing else tells of it.
class Checkpoint {
  public:
    using Visit = std::function<void(const vocabulary::AuditRecord&)>;

    /// Of what lies before the segment with this header.
    explicit Checkpoint(const SegmentHeader& header);
    void add(const vocabulary::AuditRecord& record);
    /// Not synced: what is lost is made anew.
    [[nodiscard]] bool write(const std::filesystem::path& segment, const mac::ChainMac& mac);

    /// Shows its records; false, and nothing shown, when there is no good one.
    [[nodiscard]] static bool replay(const SegmentFile& segment, const mac::ChainMac& mac, const Visit& visit);
    [[nodiscard]] static bool verifies(const SegmentFile& segment, const mac::ChainMac& mac);
    /// It verifies and is on the disk: it may stand for a log that goes.
    [[nodiscard]] static bool is_safe(const SegmentFile& segment, const mac::ChainMac& mac);

  private:
    Buffer bytes_;
};

[[nodiscard]] std::filesystem::path checkpoint_path(const std::filesystem::path& segment);

} // namespace credlease::audit
