#include "audit/file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::audit {

std::optional<File> File::open(const std::filesystem::path& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (descriptor < 0) return std::nullopt;
    return File(descriptor);
}

File::~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<std::uint64_t> File::size() const {
    struct stat about{};
    if (::fstat(descriptor_, &about) != 0) return std::nullopt;
    return static_cast<std::uint64_t>(about.st_size);
}

std::optional<std::size_t> File::read_at(std::span<std::byte> into, std::uint64_t offset) const {
    std::size_t done = 0;
    while (done < into.size()) {
        const auto got =
            ::pread(descriptor_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::nullopt;
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

bool File::write_at(std::span<const std::byte> bytes, std::uint64_t offset) const {
    while (!bytes.empty()) {
        const auto put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR) continue;
        if (put == 0) errno = ENOSPC;
        if (put <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(put));
        offset += static_cast<std::uint64_t>(put);
    }
    return true;
}

bool File::sync() const { return ::fdatasync(descriptor_) == 0; }

bool File::cut(std::uint64_t size) const { return ::ftruncate(descriptor_, static_cast<off_t>(size)) == 0; }

bool File::reserve(std::uint64_t offset, std::uint64_t size) const {
    return ::fallocate(descriptor_, 0, static_cast<off_t>(offset), static_cast<off_t>(size)) == 0;
}

bool sync_directory(const std::filesystem::path& directory) {
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return false;
    const bool synced = ::fsync(descriptor) == 0;
    ::close(descriptor);
    return synced;
}

} // namespace credlease::audit
