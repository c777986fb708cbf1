// Loaded before the daemon's libraries (LD_PRELOAD): what it syncs is written down, so that a test can show it what a
// disk would have after a power loss, and that it is another boot.

#include "support/daemon/durable_memory.hpp"

#include <cstdarg>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <string_view>

namespace {

template <class Function> Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// A disk that can't be written down has synced nothing.
bool note(int descriptor) {
    static const credlease::tests::DurableMemory memory(std::getenv("FORGETFUL_MEMORY"));
    return memory.note_sync(descriptor);
}

} // namespace

extern "C" [[gnu::visibility("default")]] int fdatasync(int descriptor) {
    static auto* const call = next<int(int)>("fdatasync");
    return note(descriptor) ? call(descriptor) : -1;
}

extern "C" [[gnu::visibility("default")]] int fsync(int descriptor) {
    static auto* const call = next<int(int)>("fsync");
    return note(descriptor) ? call(descriptor) : -1;
}

extern "C" [[gnu::visibility("default")]] int open(const char* path, int flags, ...) {
    static auto* const call = next<int(const char*, int, ...)>("open");
    std::va_list more;
    va_start(more, flags);
    const auto mode = va_arg(more, mode_t); // without O_CREAT nobody looks at it
    va_end(more);
    const bool asks_for_boot = std::string_view(path) == "/proc/sys/kernel/random/boot_id";
    return call(asks_for_boot ? std::getenv("FORGETFUL_BOOT") : path, flags, mode);
}
