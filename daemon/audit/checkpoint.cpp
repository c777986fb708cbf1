#include "audit/checkpoint.hpp"

#include "audit/state.hpp"

#include <cstdio>
#include <fcntl.h>

namespace credlease::audit {
namespace {

constexpr std::string_view magic = "CLSTART1";
constexpr std::size_t digest_size = sizeof(mac::Digest);

mac::Digest digest_of(const mac::ChainMac& mac, Bytes bytes) { return mac.of({mac::bytes_of("start"), bytes}); }

/// The first record that is not in it, and the chain before that one.
void write_place(Encoder& out, const SegmentHeader& header) {
    out.bytes(mac::bytes_of(magic));
    out.number(header.first);
    out.fixed(header.chain_before);
}

/// Its records, if it is authentic and of that place.
std::optional<Bytes> find_records(const Buffer& bytes, const SegmentHeader& header, const mac::ChainMac& mac) {
    Buffer place;
    Encoder out(place);
    write_place(out, header);
    if (bytes.size() < place.size() + digest_size) return std::nullopt;
    const Bytes all(bytes);
    const Bytes told = all.first(all.size() - digest_size);
    const auto expected = digest_of(mac, told);
    if (!mac::equal_in_constant_time(all.last(digest_size), mac::bytes_of(expected))) return std::nullopt;
    if (std::memcmp(told.data(), place.data(), place.size()) != 0) return std::nullopt;
    return told.subspan(place.size());
}

std::optional<Buffer> read_file(const std::filesystem::path& path) {
    const auto file = File::open(path, O_RDONLY);
    if (!file) return std::nullopt;
    Buffer bytes(static_cast<std::size_t>(file->size().value_or(0)));
    return file->read_at(bytes, 0) == bytes.size() ? std::optional(std::move(bytes)) : std::nullopt;
}

} // namespace

std::filesystem::path checkpoint_path(const std::filesystem::path& segment) {
    return std::filesystem::path(segment).replace_extension(".start");
}

Checkpoint::Checkpoint(const SegmentHeader& header) {
    Encoder out(bytes_);
    write_place(out, header);
}

void Checkpoint::add(const vocabulary::AuditRecord& record) {
    Buffer one;
    Encoder encoded(one);
    write_record(encoded, record);
    Encoder out(bytes_);
    out.number(one.size());
    out.bytes(one);
}

bool Checkpoint::write(const std::filesystem::path& segment, const mac::ChainMac& mac) {
    const auto digest = digest_of(mac, bytes_);
    Encoder(bytes_).fixed(digest);
    const auto path = checkpoint_path(segment);
    const auto made = std::filesystem::path(path).concat(".new");
    const auto file = File::open(made, O_RDWR | O_CREAT | O_TRUNC);
    return file && file->write_at(bytes_, 0) && std::rename(made.c_str(), path.c_str()) == 0;
}

bool Checkpoint::replay(const SegmentFile& segment, const mac::ChainMac& mac, const Visit& visit) {
    const auto bytes = read_file(checkpoint_path(segment.path));
    if (!bytes) return false;
    const auto reader = SegmentReader::open(segment, mac);
    const auto records = reader ? find_records(*bytes, reader->header(), mac) : std::nullopt;
    if (!records) return false;
    Decoder in(*records);
    while (in.left() != 0 && !in.failed()) {
        Decoded decoded;
        if (read_record(in.bytes(in.number()), 0, decoded)) visit(decoded.record);
    }
    return true;
}

bool Checkpoint::verifies(const SegmentFile& segment, const mac::ChainMac& mac) {
    return replay(segment, mac, [](const vocabulary::AuditRecord&) {});
}

bool Checkpoint::is_safe(const SegmentFile& segment, const mac::ChainMac& mac) {
    if (!verifies(segment, mac)) return false;
    const auto file = File::open(checkpoint_path(segment.path), O_RDWR);
    return file && file->sync() && sync_directory(segment.path.parent_path());
}

namespace {

/// Shows what was said before segment `index`, from the last checkpoint on. False where the log does not verify, or
/// lacks what was pruned.
bool replay_before(const std::vector<SegmentFile>& segments, std::size_t index, const SegmentHeader& header,
                   const mac::ChainMac& mac, const Checkpoint::Visit& visit) {
    std::size_t from = index - 1;
    bool is_told = Checkpoint::replay(segments[from], mac, visit);
    while (!is_told && from > 0) is_told = Checkpoint::replay(segments[--from], mac, visit);
    if (!is_told && segments.front().first > 1) return false;
    const auto at = [&](std::size_t i) { return segments.begin() + static_cast<std::ptrdiff_t>(i); };
    LogReader log({at(from), at(index)}, mac);
    Frame frame;
    Decoded decoded;
    auto next = log.next(frame);
    for (; next == SegmentReader::Next::frame; next = log.next(frame)) {
        if (!read_frame(frame.kind, frame.payload, frame.seq, decoded)) return false;
        visit(decoded.record);
    }
    return next == SegmentReader::Next::end && log.expected() == header.first && log.chain() == header.chain_before;
}

} // namespace

bool Journal::checkpoint(const Shortener& shortener) const {
    const auto& mac = state_->keys.chain;
    const auto segments = list_segments(state_->options.directory);
    if (segments.size() < 2) return true;
    const std::size_t newest = segments.size() - 1;
    if (Checkpoint::verifies(segments[newest], mac)) return true;
    const auto reader = SegmentReader::open(segments[newest], mac);
    if (!reader || !replay_before(segments, newest, reader->header(), mac, shortener.take)) return false;
    Checkpoint made(reader->header());
    shortener.give([&made](const vocabulary::AuditRecord& record) { made.add(record); });
    return made.write(segments[newest].path, mac);
}

} // namespace credlease::audit
