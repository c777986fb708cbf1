#include "audit/lease_filter.hpp"

namespace credlease::audit {

void LeaseFilter::add(const vocabulary::LeaseId& lease) {
    bits_.resize(words);
    visit_probes(lease, [this](std::size_t word, std::uint64_t bit) {
        bits_[word] |= bit;
        return true;
    });
}

bool LeaseFilter::may_hold(const vocabulary::LeaseId& lease) const {
    return !bits_.empty() &&
           visit_probes(lease, [this](std::size_t word, std::uint64_t bit) { return (bits_[word] & bit) != 0; });
}

void LeaseFilter::write(Encoder& out) const {
    out.byte(bits_.empty() ? 0 : 1);
    for (const auto word : bits_) out.bytes(mac::little_endian(word));
}

void LeaseFilter::read(Decoder& in) {
    bits_.assign(in.byte() == 0 ? 0 : words, 0);
    for (auto& word : bits_) word = in.fixed_number();
}

} // namespace credlease::audit
