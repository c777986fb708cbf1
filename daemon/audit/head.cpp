#include "audit/head.hpp"

#include "audit/encoding.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>

namespace credlease::audit {
namespace {

using result::PublicText;
using result::refuse;
using result::Result;

constexpr std::string_view magic = "CLHEAD01";
constexpr std::uint64_t format_version = 1;
constexpr std::size_t slot_distance = 4096;
constexpr std::size_t signed_size = 8 * 6 + 16 + 2 * sizeof(mac::Digest);
constexpr std::size_t slot_size = signed_size + sizeof(mac::Digest);

mac::Digest slot_mac(const mac::HeadMac& mac, Bytes slot) {
    return mac.of({mac::bytes_of("head"), slot.first(signed_size)});
}

Buffer make_slot(const mac::HeadMac& mac, const Head& head) {
    Buffer made;
    Encoder out(made);
    out.bytes(mac::bytes_of(magic));
    for (const auto number : {format_version, head.writes, head.seq, head.changes, head.pruned}) {
        out.bytes(mac::little_endian(number));
    }
    out.fixed(head.boot_id);
    out.fixed(head.chain);
    out.fixed(head.state);
    out.fixed(slot_mac(mac, made));
    return made;
}

bool has_magic(Bytes slot) { return std::memcmp(slot.data(), magic.data(), magic.size()) == 0; }

/// A slot that is not ours, torn, or forged is no slot.
std::optional<Head> read_slot(const mac::HeadMac& mac, Bytes slot) {
    const auto expected = slot_mac(mac, slot);
    if (!has_magic(slot) || !mac::equal_in_constant_time(slot.subspan(signed_size), mac::bytes_of(expected))) {
        return std::nullopt;
    }
    Decoder in(slot.subspan(magic.size()));
    Head head;
    if (in.fixed_number() != format_version) return std::nullopt;
    head.writes = in.fixed_number();
    head.seq = in.fixed_number();
    head.changes = in.fixed_number();
    head.pruned = in.fixed_number();
    head.boot_id = in.fixed<16>();
    head.chain = in.fixed<sizeof(mac::Digest)>();
    head.state = in.fixed<sizeof(mac::Digest)>();
    return head;
}

bool is_newer(Bytes slot) {
    Decoder in(slot.subspan(magic.size()));
    return has_magic(slot) && in.fixed_number() > format_version;
}

result::Error unusable(const std::filesystem::path& path) {
    return {.code = result::ErrorCode::configuration,
            .sentence = "The audit head's file can't be used.",
            .next_step = "Its directory must exist and belong to the broker's account; see head_file in the config.",
            .about = PublicText::of(path.string() + ": " + std::strerror(errno))};
}

} // namespace

Result<std::optional<Head>> HeadFile::read(const std::filesystem::path& path, const mac::HeadMac& mac) {
    const auto file = File::open(path, O_RDONLY);
    if (!file && errno == ENOENT) return std::nullopt;
    if (!file) return refuse(unusable(path));
    Buffer bytes(slot_distance + slot_size);
    const auto size = file->read_at(bytes, 0);
    if (!size) return refuse(unusable(path));
    if (*size == 0) return std::nullopt;
    const Bytes first = Bytes(bytes).first(slot_size);
    const Bytes second = Bytes(bytes).subspan(slot_distance, slot_size);
    const auto left = read_slot(mac, first);
    const auto right = read_slot(mac, second);
    if (left && right) return left->writes > right->writes ? left : right;
    if (left || right) return left ? left : right;
    if (is_newer(first) || is_newer(second)) {
        return refuse({.code = result::ErrorCode::configuration,
                       .sentence = "The audit head was written by a newer version of Credlease.",
                       .next_step = "Start that version or a later one. Nothing was written.",
                       .about = PublicText::of(path.string())});
    }
    return refuse({.code = result::ErrorCode::damaged,
                   .sentence = "The audit head is damaged, or belongs to another root key.",
                   .next_step = "Put back the head file that belongs to this store.",
                   .about = PublicText::of(path.string())});
}

Result<HeadFile> HeadFile::open(const std::filesystem::path& path, const mac::HeadMac& mac, const Head& head) {
    auto there = File::open(path, O_RDWR);
    if (!there && errno != ENOENT) return refuse(unusable(path));
    const auto size = there ? there->size() : 0;
    if (!size) return refuse(unusable(path));
    if (*size != 0) return HeadFile(std::move(*there));
    // Under another name first: the file is whole from its first moment on.
    const auto made = std::filesystem::path(path).concat(".new");
    auto file = File::open(made, O_RDWR | O_CREAT | O_TRUNC);
    Buffer slots = make_slot(mac, head);
    slots.resize(slot_distance);
    const Buffer second = make_slot(mac, head);
    slots.insert(slots.end(), second.begin(), second.end());
    if (!file || !file->write_at(slots, 0) || !file->sync() || ::rename(made.c_str(), path.c_str()) != 0 ||
        !sync_directory(path.parent_path())) {
        return refuse(unusable(path));
    }
    return HeadFile(std::move(*file));
}

bool HeadFile::write(const mac::HeadMac& mac, const Head& head) const {
    return file_.write_at(make_slot(mac, head), (head.writes % 2) * slot_distance) && file_.sync();
}

} // namespace credlease::audit
