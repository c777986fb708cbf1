#include "secret/locked_mapping.hpp"

#include "secret/wipe.hpp"

#include <cerrno>
#include <fcntl.h>
#include <span>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447 // the same on every architecture; Debian 12's headers lack it on some
#endif

namespace credlease::secret {
namespace {

using Kind = MappingFailure::Kind;
constexpr int read_write = PROT_READ | PROT_WRITE;

std::size_t page_size() {
    static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return size;
}

Kind kind_of_memfd_error(int error) {
    return error == ENOSYS || error == EPERM || error == ENOMEM ? Kind::unavailable : Kind::broken;
}

/// mlock(2): ENOMEM and EAGAIN over the limit, EPERM where the limit is 0.
Kind kind_of_lock_error(int error) {
    return error == ENOMEM || error == EAGAIN || error == EPERM ? Kind::over_limit : Kind::broken;
}

/// A page of memfd_secret comes with the first touch; if there is no memory for it, that must show now.
void touch_each_page(std::byte* data, std::size_t size) {
    for (std::size_t at = 0; at < size; at += page_size()) *static_cast<volatile std::byte*>(data + at) = std::byte{0};
}

std::expected<void, MappingFailure> map_memfd_secret(std::byte* data, std::size_t size) {
    const auto descriptor = static_cast<int>(syscall(SYS_memfd_secret, O_CLOEXEC));
    if (descriptor < 0) return std::unexpected(MappingFailure{kind_of_memfd_error(errno), errno});
    // The size can be set only once. With the descriptor closed nobody, root included, can map the pages a second time.
    int error = ftruncate(descriptor, static_cast<off_t>(size)) == 0 ? 0 : errno;
    Kind kind = Kind::broken;
    if (error == 0 && mmap(data, size, read_write, MAP_SHARED | MAP_FIXED, descriptor, 0) == MAP_FAILED) {
        error = errno;
        kind = error == EAGAIN ? Kind::over_limit : Kind::broken;
    }
    if (close(descriptor) != 0 && error == 0) error = errno;
    // The pages are shared: a child would see and wipe its parent's secrets, so it gets none (madvise(2)).
    if (error == 0 && madvise(data, size, MADV_DONTFORK) != 0) error = errno;
    if (error != 0) return std::unexpected(MappingFailure{kind, error});
    touch_each_page(data, size);
    return {};
}

std::expected<void, MappingFailure> map_anonymous(std::byte* data, std::size_t size, bool locked) {
    if (mprotect(data, size, read_write) != 0) return std::unexpected(MappingFailure{Kind::broken, errno});
    if (madvise(data, size, MADV_WIPEONFORK) != 0) return std::unexpected(MappingFailure{Kind::broken, errno});
    // mlock2 with no flags is mlock; the sanitizers replace mlock, and only it, with a function that does nothing.
    if (locked && mlock2(data, size, 0) != 0) return std::unexpected(MappingFailure{kind_of_lock_error(errno), errno});
    return {};
}

} // namespace

std::string_view name_of(Backing backing) {
    switch (backing) {
    case Backing::memfd_secret:
        return "memfd_secret";
    case Backing::mlock:
        return "mlock";
    case Backing::unlocked:
        return "unlocked";
    }
    std::unreachable();
}

std::expected<LockedMapping, MappingFailure> LockedMapping::make(std::size_t size, Backing backing) {
    LockedMapping made;
    if (const int error = made.reserve(size)) return std::unexpected(MappingFailure{Kind::broken, error});
    made.backing_ = backing;
    const auto mapped = backing == Backing::memfd_secret ? map_memfd_secret(made.data_, size)
                                                         : map_anonymous(made.data_, size, backing == Backing::mlock);
    if (!mapped) return std::unexpected(mapped.error());
    if (madvise(made.data_, size, MADV_DONTDUMP) != 0) return std::unexpected(MappingFailure{Kind::broken, errno});
    if (const int error = made.set_fork_mark()) return std::unexpected(MappingFailure{Kind::broken, error});
    return made;
}

int LockedMapping::reserve(std::size_t size) {
    const std::size_t page = page_size();
    const std::size_t whole = page + size + page + page;
    void* const at = mmap(nullptr, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return errno;
    reserved_ = static_cast<std::byte*>(at);
    reserved_size_ = whole;
    data_ = reserved_ + page;
    size_ = size;
    return 0;
}

int LockedMapping::set_fork_mark() {
    std::byte* const page = data_ + size_ + page_size();
    if (mprotect(page, page_size(), read_write) != 0) return errno;
    if (madvise(page, page_size(), MADV_WIPEONFORK) != 0) return errno;
    *page = std::byte{1};
    fork_mark_ = page;
    return 0;
}

LockedMapping::LockedMapping(LockedMapping&& other) noexcept { swap(other); }

LockedMapping& LockedMapping::operator=(LockedMapping&& other) noexcept {
    LockedMapping taken(std::move(other));
    swap(taken);
    return *this;
}

LockedMapping::~LockedMapping() {
    if (reserved_ == nullptr) return;
    if (is_ours()) wipe({data_, size_});
    munmap(reserved_, reserved_size_);
}

void LockedMapping::swap(LockedMapping& other) noexcept {
    std::swap(reserved_, other.reserved_);
    std::swap(reserved_size_, other.reserved_size_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(fork_mark_, other.fork_mark_);
    std::swap(backing_, other.backing_);
}

} // namespace credlease::secret
