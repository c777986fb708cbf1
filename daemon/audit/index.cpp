#include "audit/index.hpp"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>

namespace credlease::audit {
namespace {

constexpr std::string_view magic = "CLINDEX2";

mac::Digest index_mac(const mac::ChainMac& mac, Bytes index) { return mac.of({mac::bytes_of("index"), index}); }

std::uint64_t milliseconds(vocabulary::Time time) {
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

vocabulary::Time read_time(Decoder& in) {
    return vocabulary::Time(vocabulary::Duration(static_cast<std::int64_t>(in.number())));
}

} // namespace

std::filesystem::path index_path(const std::filesystem::path& segment) {
    return std::filesystem::path(segment).replace_extension(".idx");
}

void SegmentIndex::begin(const SegmentHeader& header) {
    *this = {};
    first_ = header.first;
    end_ = {.seq = header.first, .offset = segment::header_size, .chain = header.chain_before};
    marks_.push_back(end_);
}

bool SegmentIndex::grow(const SegmentFile& file, const mac::ChainMac& mac, std::uint64_t last) {
    auto reader = SegmentReader::open(file, mac);
    if (!reader) return false;
    if (first_ != file.first) begin(reader->header());
    reader->go_to(end_);
    Frame frame;
    Decoded decoded;
    while (end_.seq <= last) {
        if (reader->next(frame) != SegmentReader::Next::frame) return false;
        if (!read_frame(frame.kind, frame.payload, frame.seq, decoded)) return false;
        take_in(decoded.record);
        end_ = reader->at();
        if (end_.offset >= marks_.back().offset + marks_apart) marks_.push_back(end_);
    }
    return true;
}

void SegmentIndex::take_in(const vocabulary::AuditRecord& record) {
    actions_.set(static_cast<std::uint8_t>(record.action));
    earliest_ = std::min(earliest_, record.at);
    latest_ = std::max(latest_, record.at);
    if (record.lease != vocabulary::LeaseId{}) leases_.add(record.lease);
    if (record.credential == vocabulary::CredentialId{}) return;
    credentials_.insert(record.credential.value().low);
}

bool SegmentIndex::holds(const vocabulary::CredentialId& credential) const {
    return credentials_.contains(credential.value().low);
}

Buffer SegmentIndex::write(const mac::ChainMac& mac) const {
    Buffer made;
    Encoder out(made);
    out.bytes(mac::bytes_of(magic));
    out.number(first_);
    out.number(end_.seq);
    out.number(milliseconds(earliest_));
    out.number(milliseconds(latest_));
    for (std::size_t action = 0; action < actions_.size(); ++action) out.byte(actions_[action] ? 1 : 0);
    out.number(credentials_.size());
    for (const auto credential : credentials_) out.bytes(mac::little_endian(credential));
    leases_.write(out);
    out.number(marks_.size());
    for (const auto& mark : marks_) {
        out.number(mark.seq);
        out.number(mark.offset);
        out.fixed(mark.chain);
    }
    out.fixed(index_mac(mac, made));
    return made;
}

bool SegmentIndex::read(Bytes bytes, const mac::ChainMac& mac) {
    constexpr std::size_t mac_size = sizeof(mac::Digest);
    if (bytes.size() < magic.size() + mac_size) return false;
    const Bytes index = bytes.first(bytes.size() - mac_size);
    const auto expected = index_mac(mac, index);
    if (!mac::equal_in_constant_time(bytes.last(mac_size), mac::bytes_of(expected))) return false;
    if (!std::ranges::equal(index.first(magic.size()), mac::bytes_of(magic))) return false; // another version's
    Decoder in(index.subspan(magic.size()));
    first_ = in.number();
    end_.seq = in.number();
    earliest_ = read_time(in);
    latest_ = read_time(in);
    for (std::size_t action = 0; action < actions_.size(); ++action) actions_.set(action, in.byte() != 0);
    for (auto left = in.number(in.left() / sizeof(std::uint64_t)); left > 0; --left)
        credentials_.insert(in.fixed_number());
    leases_.read(in);
    marks_.resize(static_cast<std::size_t>(in.number(in.left() / mac_size)));
    for (auto& mark : marks_) {
        mark.seq = in.number();
        mark.offset = in.number();
        mark.chain = in.fixed<mac_size>();
    }
    return !in.failed() && in.left() == 0 && !marks_.empty();
}

std::optional<SegmentIndex> SegmentIndex::of_closed(const SegmentFile& file, std::uint64_t last,
                                                    const mac::ChainMac& mac) {
    const auto path = index_path(file.path);
    if (const auto stored = File::open(path, O_RDONLY)) {
        Buffer bytes(static_cast<std::size_t>(stored->size().value_or(0)));
        SegmentIndex index;
        const bool is_whole = stored->read_at(bytes, 0) == bytes.size() && index.read(bytes, mac);
        if (is_whole && index.first_ == file.first && index.end_.seq == last + 1) return index;
    }
    SegmentIndex index;
    if (!index.grow(file, mac, last)) return std::nullopt;
    // Not synced: what is lost is made anew.
    const auto made = std::filesystem::path(path).concat(".new");
    const auto bytes = index.write(mac);
    const auto out = File::open(made, O_RDWR | O_CREAT | O_TRUNC);
    if (out && out->write_at(bytes, 0)) std::rename(made.c_str(), path.c_str());
    return index;
}

} // namespace credlease::audit
