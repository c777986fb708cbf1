#pragma once

#include "audit/lease_filter.hpp"
#include "audit/segment.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <bitset>
#include <vector>

namespace credlease::audit {

/// What one segment holds, so that a query need not read it: beside a closed segment in NAME.idx, authenticated; made
/// anew whenever it is not there or does not verify.
class SegmentIndex {
  public:
    /// A place to begin reading at, about every 256 KiB.
    static constexpr std::uint64_t marks_apart = std::uint64_t{256} << 10;

    /// Forgets everything and begins with a segment.
    void begin(const SegmentHeader& header);
    /// Takes in the records up to `last`, from where it had got to. False: something there does not verify.
    [[nodiscard]] bool grow(const SegmentFile& file, const mac::ChainMac& mac, std::uint64_t last);

    /// The index of a closed segment: read, or built and stored.
    [[nodiscard]] static std::optional<SegmentIndex> of_closed(const SegmentFile& file, std::uint64_t last,
                                                               const mac::ChainMac& mac);

    [[nodiscard]] bool holds(const vocabulary::CredentialId& credential) const;
    [[nodiscard]] bool may_hold(const vocabulary::LeaseId& lease) const { return leases_.may_hold(lease); }
    [[nodiscard]] bool holds(vocabulary::Action action) const { return actions_[static_cast<std::uint8_t>(action)]; }
    [[nodiscard]] vocabulary::Time earliest() const { return earliest_; }
    [[nodiscard]] vocabulary::Time latest() const { return latest_; }
    [[nodiscard]] std::uint64_t first() const { return first_; }
    [[nodiscard]] std::uint64_t next() const { return end_.seq; } ///< first sequence number that it does not know
    [[nodiscard]] const std::vector<Mark>& marks() const { return marks_; }

  private:
    void take_in(const vocabulary::AuditRecord& record);
    [[nodiscard]] Buffer write(const mac::ChainMac& mac) const;
    [[nodiscard]] bool read(Bytes bytes, const mac::ChainMac& mac);

    std::uint64_t first_ = 0;
    Mark end_;
    std::vector<Mark> marks_;
    boost::unordered_flat_set<std::uint64_t> credentials_; ///< the random halves of their ids
    LeaseFilter leases_;
    std::bitset<256> actions_;
    vocabulary::Time earliest_ = vocabulary::Time::max();
    vocabulary::Time latest_ = vocabulary::Time::min();
};

/// "….idx", beside the segment.
[[nodiscard]] std::filesystem::path index_path(const std::filesystem::path& segment);

} // namespace credlease::audit
