#include "audit/writer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace credlease::audit {
namespace {

constexpr std::uint64_t reserve_step = std::uint64_t{1} << 20;
/// What stays free for leases when the disk is full: about a thousand records.
constexpr std::uint64_t reserve_least = std::uint64_t{256} << 10;
constexpr std::size_t buffer_kept = std::size_t{1} << 20;

/// Writes what lies between two places of a file there once more.
bool copy_in_place(const File& file, std::uint64_t from, std::uint64_t end) {
    Buffer bytes(std::size_t{256} << 10);
    while (from < end) {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), end - from));
        const auto part = std::span(bytes).first(size);
        if (file.read_at(part, from) != size || !file.write_at(part, from)) return false;
        from += size;
    }
    return true;
}

} // namespace

void Turn::clear() {
    bytes.clear();
    entries.clear();
    if (bytes.capacity() > buffer_kept) {
        bytes.shrink_to_fit();
        entries.shrink_to_fit();
    }
    tells.clear();
    changes.clear();
    pruned = 0;
    segment.reset();
    written = false;
}

void Writer::go_on(std::shared_ptr<OpenSegment> segment, const Mark& at) {
    segment_ = std::move(segment);
    segment_->end = at.offset;
    at_ = at;
    reserved_ = at.offset;
    is_dirty_ = false;
}

bool Writer::begin_segment(vocabulary::Time now) {
    auto made = std::make_shared<OpenSegment>();
    made->path = options_.directory / segment_name(at_.seq);
    made->first = at_.seq;
    auto file = File::open(made->path, O_RDWR | O_CREAT | O_TRUNC);
    if (!file) return false;
    const auto header = make_header(mac_, {.first = at_.seq, .created = now, .chain_before = at_.chain});
    if (!file->write_at(header, 0)) {
        ::unlink(made->path.c_str());
        return false;
    }
    made->file = std::move(*file);
    go_on(std::move(made), {.seq = at_.seq, .offset = segment::header_size, .chain = at_.chain});
    return true;
}

void Writer::write(Turn& turn) {
    turn.written = false;
    turn.segment = segment_;
    turn.end = at_.offset;
    if (is_dirty_ && !cut_back()) return;
    // Where no new segment can be begun, the old one grows: that it is large harms nobody.
    if (at_.offset >= options_.segment_size) static_cast<void>(begin_segment(turn.latest));
    reserve(turn.bytes.size(), turn.space_is_short);
    chain(turn);
    if (!segment_->file.write_at(turn.bytes, at_.offset)) {
        is_dirty_ = true;
        static_cast<void>(cut_back()); // else before the next write
    } else {
        at_.seq += turn.entries.size();
        at_.offset += turn.bytes.size();
        at_.chain = turn.chain;
        segment_->end = at_.offset;
        turn.written = true;
    }
    turn.end = at_.offset;
    turn.segment = segment_;
}

void Writer::chain(Turn& turn) {
    mac::Digest value = at_.chain;
    for_each_frame(turn.bytes, [&](std::span<std::byte> frame) {
        value = chain_after(mac_, value, frame);
        std::memcpy(frame.data() + frame.size(), value.data(), segment::mac_size);
    });
    turn.chain = value;
}

bool Writer::cut_back() {
    if (!segment_->file.cut(at_.offset)) return false;
    reserved_ = at_.offset;
    is_dirty_ = false;
    return true;
}

void Writer::reserve(std::size_t size, bool& is_short) {
    const std::uint64_t needed = at_.offset + size + reserve_least;
    if (needed <= reserved_) {
        is_short = false;
        return;
    }
    const std::uint64_t step = (needed - reserved_ + reserve_step - 1) / reserve_step * reserve_step;
    const bool reserved = segment_->file.reserve(reserved_, step);
    if (reserved) reserved_ += step;
    is_short = !reserved && errno == ENOSPC; // a file system without fallocate(2) has no reserve
}

bool Writer::write_again(const std::vector<std::shared_ptr<OpenSegment>>& segments, const Place& from) const {
    for (const auto& segment : segments) {
        const bool begins_here = from.segment < segment->first;
        auto reader = SegmentReader::open({segment->first, segment->path}, mac_);
        if (!reader) return false;
        if (!begins_here) reader->go_to(from.mark);
        Frame frame;
        while (reader->at().offset < segment->end) {
            if (reader->next(frame) != SegmentReader::Next::frame) return false;
        }
        const bool is_last = segment == segment_;
        if (is_last && reader->at().chain != at_.chain) return false;
        if (!copy_in_place(segment->file, begins_here ? 0 : from.mark.offset, segment->end)) return false;
    }
    return true;
}

} // namespace credlease::audit
