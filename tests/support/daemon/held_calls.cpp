// Loaded before the daemon's libraries (LD_PRELOAD): its calls on the disk wait, or fail, while a test says so.

#include <array>
#include <cerrno>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <unistd.h>

namespace {

/// What the test says now: "hold sync", "hold store sync", "hold write", "slow sync", "fail ERRNO PART…" (writes of
/// files with such a path), or nothing.
std::string order() {
    const char* path = std::getenv("HELD_CALLS");
    const int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return {};
    std::array<char, 128> text{};
    const auto size = ::read(file, text.data(), text.size());
    ::close(file);
    return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

void wait_while(std::string_view told) {
    while (order() == told) ::usleep(1000);
}

std::string path_of(int descriptor) {
    std::array<char, 4096> path{};
    const auto link = "/proc/self/fd/" + std::to_string(descriptor);
    const auto size = ::readlink(link.c_str(), path.data(), path.size());
    return {path.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

bool is_journal(int descriptor) { return path_of(descriptor).contains("/journal/"); }
bool is_store(int descriptor) { return path_of(descriptor).contains("/store/"); }

/// Whether a write is to fail; with errno.
bool must_fail(int descriptor) {
    std::istringstream words(order());
    std::string verb, part;
    int error = 0;
    words >> verb >> error;
    if (verb != "fail") return false;
    const auto path = path_of(descriptor);
    while (words >> part) {
        if (!path.contains(part)) continue;
        errno = error;
        return true;
    }
    return false;
}

template <class Function> Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

} // namespace

extern "C" [[gnu::visibility("default")]] int fdatasync(int descriptor) {
    static auto* const call = next<int(int)>("fdatasync");
    wait_while("hold sync");
    if (is_store(descriptor)) wait_while("hold store sync");
    if (order() == "slow sync") ::usleep(100000);
    return call(descriptor);
}

extern "C" [[gnu::visibility("default")]] int fsync(int descriptor) {
    static auto* const call = next<int(int)>("fsync");
    if (order() == "slow sync") ::usleep(100000);
    return call(descriptor);
}

extern "C" [[gnu::visibility("default")]] ssize_t pwrite64(int descriptor, const void* bytes, size_t size,
                                                           off64_t offset) {
    static auto* const call = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
    if (is_journal(descriptor)) wait_while("hold write");
    return must_fail(descriptor) ? -1 : call(descriptor, bytes, size, offset);
}

extern "C" [[gnu::visibility("default")]] ssize_t write(int descriptor, const void* bytes, size_t size) {
    static auto* const call = next<ssize_t(int, const void*, size_t)>("write");
    return must_fail(descriptor) ? -1 : call(descriptor, bytes, size);
}

extern "C" [[gnu::visibility("default")]] ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
    return pwrite64(descriptor, bytes, size, offset);
}
