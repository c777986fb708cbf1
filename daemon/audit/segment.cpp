#include "audit/segment.hpp"

#include "runtime/behind_leases.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>

namespace credlease::audit {
namespace {

using result::PublicText;
using result::refuse;
using result::Result;
using Next = SegmentReader::Next;

constexpr std::string_view magic = "CLJOURN1";
constexpr std::size_t digest_size = sizeof(mac::Digest);
constexpr std::size_t signed_size = segment::header_size - digest_size;
constexpr std::size_t name_digits = 20;
constexpr std::uint64_t frames_in_one_go = 32;
constexpr std::size_t read_ahead = std::size_t{256} << 10;

mac::Digest header_mac(const mac::ChainMac& mac, Bytes header) {
    return mac.of({mac::bytes_of("segment"), header.first(signed_size)});
}

result::Error bad_header(const std::filesystem::path& path) {
    return {.code = result::ErrorCode::damaged,
            .sentence = "A segment of the audit log does not begin as it was written.",
            .next_step = "Keep a copy of the log and find out who changed it; restore it from a backup.",
            .about = PublicText::of(path.filename().string())};
}

result::Error newer(const std::filesystem::path& path, std::uint64_t format) {
    return {.code = result::ErrorCode::configuration,
            .sentence = "The audit log was written by a newer version of Credlease.",
            .next_step = "Start that version or a later one. Nothing was written.",
            .about = PublicText::of(path.filename().string() + ": format " + std::to_string(format) +
                                    ", this version knows up to " + std::to_string(segment::format_version))};
}

result::Error unreadable(const std::filesystem::path& path) {
    return {.code = result::ErrorCode::store_unavailable,
            .sentence = "The audit log can't be read.",
            .next_step = "Look for a failing disk and at the rights of the data directory.",
            .about = PublicText::of(path.string() + ": " + std::strerror(errno))};
}

} // namespace

Buffer make_header(const mac::ChainMac& mac, const SegmentHeader& header) {
    Buffer made;
    Encoder out(made);
    out.bytes(mac::bytes_of(magic));
    out.bytes(mac::little_endian(segment::format_version));
    out.bytes(mac::little_endian(header.first));
    out.bytes(mac::little_endian(static_cast<std::uint64_t>(header.created.time_since_epoch().count())));
    out.fixed(header.chain_before);
    made.resize(signed_size);
    out.fixed(header_mac(mac, made));
    return made;
}

mac::Digest chain_after(const mac::ChainMac& mac, const mac::Digest& before, Bytes frame) {
    return mac.of({mac::bytes_of(before), frame});
}

std::string segment_name(std::uint64_t first) {
    const std::string digits = std::to_string(first);
    return std::string(name_digits - digits.size(), '0') + digits + ".log";
}

std::vector<SegmentFile> list_segments(const std::filesystem::path& directory) {
    std::vector<SegmentFile> found;
    std::error_code ignored;
    for (std::filesystem::directory_iterator at(directory, ignored), end; !ignored && at != end;
         at.increment(ignored)) {
        const std::string name = at->path().filename().string();
        std::uint64_t first = 0;
        const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), first);
        if (error == std::errc{} && name == segment_name(first)) found.push_back({first, at->path()});
    }
    std::ranges::sort(found, {}, &SegmentFile::first);
    return found;
}

Result<SegmentReader> SegmentReader::open(const SegmentFile& file, const mac::ChainMac& mac) {
    auto opened = File::open(file.path, O_RDONLY);
    if (!opened) return refuse(unreadable(file.path));
    SegmentReader reader(std::move(*opened), file.path, mac);
    if (auto read = reader.read_header(file.first); !read) return refuse(std::move(read.error()));
    return reader;
}

Result<> SegmentReader::read_header(std::uint64_t first) {
    std::array<std::byte, segment::header_size> bytes{};
    const auto size = file_.read_at(bytes, 0);
    if (!size) return refuse(unreadable(path_));
    if (*size < segment::header_size) return refuse(bad_header(path_));
    const Bytes header(bytes);
    if (std::memcmp(header.data(), magic.data(), magic.size()) != 0) return refuse(bad_header(path_));
    Decoder in(header.subspan(magic.size()));
    const auto format = in.fixed_number();
    if (format > segment::format_version) return refuse(newer(path_, format));
    const auto expected = header_mac(*mac_, header);
    if (!mac::equal_in_constant_time(header.subspan(signed_size), mac::bytes_of(expected))) {
        return refuse(bad_header(path_));
    }
    header_.first = in.fixed_number();
    header_.created = vocabulary::Time(vocabulary::Duration(static_cast<std::int64_t>(in.fixed_number())));
    header_.chain_before = in.fixed<digest_size>();
    if (header_.first != first) return refuse(bad_header(path_)); // a segment under another's name
    at_ = {.seq = header_.first, .offset = segment::header_size, .chain = header_.chain_before};
    return {};
}

std::optional<Bytes> SegmentReader::have(std::size_t size) {
    std::size_t skip =
        at_.offset >= buffer_offset_ ? static_cast<std::size_t>(at_.offset - buffer_offset_) : buffer_.size();
    if (at_.offset < buffer_offset_ || skip > buffer_.size() || buffer_.size() - skip < size) {
        buffer_.resize(std::max(size, read_ahead));
        buffer_offset_ = at_.offset;
        skip = 0;
        const auto got = file_.read_at(buffer_, buffer_offset_);
        if (!got) return std::nullopt;
        buffer_.resize(*got);
    }
    return Bytes(buffer_).subspan(skip);
}

Next SegmentReader::next(Frame& frame) {
    if (at_.seq % frames_in_one_go == 0) runtime::give_way(); // whoever reads the log can wait
    auto bytes = have(segment::length_size);
    if (!bytes) return Next::failed;
    if (bytes->empty()) return Next::end;
    if (bytes->size() < segment::length_size) return Next::bad;
    std::uint32_t length = 0;
    std::memcpy(&length, bytes->data(), sizeof length);
    if (length == 0) return Next::end;
    if (length > read_ahead && !fits(length)) return Next::bad;
    const std::size_t signed_part = segment::length_size + length;
    bytes = have(signed_part + segment::mac_size);
    if (!bytes) return Next::failed;
    if (bytes->size() < signed_part + segment::mac_size) return Next::bad;
    const mac::Digest chain = chain_after(*mac_, at_.chain, bytes->first(signed_part));
    if (!mac::equal_in_constant_time(bytes->subspan(signed_part, segment::mac_size),
                                     mac::bytes_of(chain).first(segment::mac_size))) {
        return Next::bad;
    }
    frame.seq = at_.seq;
    frame.kind = static_cast<FrameKind>((*bytes)[segment::length_size]);
    frame.payload = bytes->subspan(segment::length_size + 1, signed_part - segment::length_size - 1);
    at_ = {.seq = at_.seq + 1, .offset = at_.offset + signed_part + segment::mac_size, .chain = chain};
    return Next::frame;
}

bool SegmentReader::fits(std::uint64_t length) const {
    const auto size = file_.size();
    return size && *size > at_.offset && length < *size - at_.offset;
}

void SegmentReader::go_to(const Mark& mark) { at_ = mark; }

Next LogReader::begin_segment(std::size_t index) {
    segment_ = index;
    auto opened = SegmentReader::open(files_[index], *mac_);
    if (!opened) {
        error_ = std::move(opened.error());
        return error_->code == result::ErrorCode::store_unavailable ? Next::failed : Next::bad;
    }
    const auto& header = opened->header();
    if (reader_ && (header.first != expected_ || header.chain_before != chain_)) {
        error_ = bad_header(files_[index].path);
        return Next::bad;
    }
    chain_ = header.chain_before;
    expected_ = header.first;
    reader_.emplace(std::move(*opened));
    return Next::frame;
}

Next LogReader::next(Frame& frame) {
    if (files_.empty()) return Next::end;
    for (;;) {
        if (!reader_) {
            if (const auto begun = begin_segment(0); begun != Next::frame) return begun;
        }
        const auto got = reader_->next(frame);
        if (got == Next::frame) {
            chain_ = reader_->at().chain;
            expected_ = reader_->at().seq;
        }
        if (got == Next::failed) error_ = unreadable(reader_->path());
        if (got != Next::end || segment_ + 1 == files_.size()) return got;
        if (const auto begun = begin_segment(segment_ + 1); begun != Next::frame) return begun;
    }
}

std::string LogReader::place() const {
    const auto& file = files_[segment_];
    return "record " + std::to_string(reader_ ? expected_ : file.first) + " in " + file.path.filename().string();
}

} // namespace credlease::audit
