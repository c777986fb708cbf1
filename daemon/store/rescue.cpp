#include "store/rescue.hpp"

#include "store/bytes.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::store {
namespace {

using result::PublicText;
using result::refuse;
using result::Result;

constexpr std::uint32_t mark = 0x31435352; ///< "RSC1"; a free slot begins with zeros
constexpr std::size_t head_size = 8;       ///< mark, size
constexpr auto file_size = static_cast<off_t>(Rescue::slot_size * Rescue::slots);

off_t offset_of(std::size_t slot) { return static_cast<off_t>(slot * Rescue::slot_size); }

bool write_whole(int file, std::string_view bytes, off_t at) {
    while (!bytes.empty()) {
        const auto written = ::pwrite(file, bytes.data(), bytes.size(), at);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
        at += written;
    }
    return true;
}

/// As much as there is.
std::string read_at(int file, std::size_t size, off_t at) {
    std::string bytes(size, '\0');
    const auto read = ::pread(file, bytes.data(), size, at);
    bytes.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
    return bytes;
}

bool sync_folder(const std::filesystem::path& folder) {
    const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return false;
    const bool synced = ::fsync(opened) == 0;
    ::close(opened);
    return synced;
}

bool is_free(std::string_view head) { return head.find_first_not_of('\0') == std::string_view::npos; }

} // namespace

Rescue::~Rescue() { close(); }

void Rescue::close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
    taken_.clear();
}

result::Failure Rescue::unavailable() const {
    return refuse({.code = result::ErrorCode::store_unavailable,
                   .sentence = "The file that keeps new tokens while the store refuses them can't be used.",
                   .next_step = "Look for a full or failing disk; until then such tokens are kept in memory alone.",
                   .about = PublicText::of(path_.string() + ": " + std::strerror(errno))});
}

Result<> Rescue::open() {
    close();
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (descriptor_ < 0) return unavailable();
    ++file_;
    errno = ::posix_fallocate(descriptor_, 0, file_size);
    if (errno != 0 || ::fsync(descriptor_) != 0 || !sync_folder(path_.parent_path())) {
        auto failed = unavailable();
        close();
        return failed;
    }
    read([](const Place&, std::string_view) {});
    return {};
}

/// Whether the file is still the one that the next start will read.
bool Rescue::is_in_place() const {
    struct stat held{}, named{};
    return descriptor_ >= 0 && ::fstat(descriptor_, &held) == 0 && ::lstat(path_.c_str(), &named) == 0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

Result<Rescue::Place> Rescue::put(std::string_view bytes) {
    if (!is_in_place()) {
        if (auto opened = open(); !opened) return refuse(std::move(opened.error()));
    }
    std::size_t slot = 0;
    while (taken_.contains(slot)) ++slot;
    errno = slot >= slots ? ENOSPC : EFBIG;
    if (slot >= slots || bytes.size() > slot_size - head_size) return unavailable();
    std::string whole;
    ByteWriter writer(whole);
    writer.u32(mark);
    writer.text(bytes);
    if (!write_whole(descriptor_, whole, offset_of(slot)) || ::fdatasync(descriptor_) != 0) {
        auto failed = unavailable();
        std::ignore = write_whole(descriptor_, std::string(head_size, '\0'), offset_of(slot));
        return failed;
    }
    taken_.insert(slot);
    return Place{.file = file_, .slot = slot};
}

Result<> Rescue::clear(const Place& place) {
    if (place.file != file_ || descriptor_ < 0) return {};
    const std::string zeros(slot_size, '\0');
    if (!write_whole(descriptor_, zeros, offset_of(place.slot)) || ::fdatasync(descriptor_) != 0) return unavailable();
    taken_.erase(place.slot);
    return {};
}

void Rescue::read(const std::function<void(const Place&, std::string_view)>& show) {
    for (std::size_t slot = 0; descriptor_ >= 0 && slot < slots; ++slot) {
        const auto head = read_at(descriptor_, head_size, offset_of(slot));
        if (is_free(head)) continue;
        taken_.insert(slot);
        ByteReader reader(head);
        const bool is_marked = reader.u32() == mark;
        const std::size_t size = reader.u32();
        std::string bytes;
        if (is_marked && size <= slot_size - head_size) {
            bytes = read_at(descriptor_, size, offset_of(slot) + static_cast<off_t>(head_size));
        }
        if (bytes.size() != size) bytes.clear();
        show({.file = file_, .slot = slot}, bytes);
    }
}

} // namespace credlease::store
