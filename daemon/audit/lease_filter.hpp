#pragma once

#include "audit/encoding.hpp"
#include "vocabulary/lease.hpp"

#include <cstdint>
#include <vector>

namespace credlease::audit {

/// Which leases a segment's records may be about: a Bloom filter (Bloom, 1970) over the random half of their ids. It
/// never says no to one that is there; of the others it takes 1 in 40 for one of them when a segment of 64 MiB is full
/// of leases. Takes no memory until the first lease.
class LeaseFilter {
  public:
    void add(const vocabulary::LeaseId& lease);
    [[nodiscard]] bool may_hold(const vocabulary::LeaseId& lease) const;

    void write(Encoder& out) const;
    void read(Decoder& in);

  private:
    static constexpr unsigned log2_of_bits = 21; ///< 256 KiB
    static constexpr std::size_t words = (std::size_t{1} << log2_of_bits) / 64;
    static constexpr unsigned probes = 3; ///< each takes 21 of the id's 64 random bits

    /// Shows word and bit of each probe until `use` says no; whether it never did.
    template <class Use> static bool visit_probes(const vocabulary::LeaseId& lease, const Use& use) {
        std::uint64_t random = lease.value().low;
        for (unsigned probe = 0; probe < probes; ++probe, random >>= log2_of_bits) {
            const std::size_t at = random & ((std::size_t{1} << log2_of_bits) - 1);
            if (!use(at / 64, std::uint64_t{1} << at % 64)) return false;
        }
        return true;
    }

    std::vector<std::uint64_t> bits_;
};

} // namespace credlease::audit
