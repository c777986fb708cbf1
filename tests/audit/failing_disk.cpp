#include "failing_disk.hpp"

#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <sys/syscall.h>
#include <unistd.h>

namespace credlease::audit::test {
namespace {

struct Fault {
    std::string part;
    int error = 0; ///< zero: none
    int times = 0;
    bool hangs = false;
    bool is_reached = false;
    int dies_after = -1;
};

struct Faults {
    std::mutex mutex;
    std::condition_variable changed;
    std::array<Fault, 3> of;
    std::map<std::string, std::uint64_t> syncs;
};

Faults& faults() {
    static Faults all;
    return all;
}

Fault& fault_of(Call call) { return faults().of[static_cast<std::size_t>(call)]; }

std::string path_of(int descriptor) {
    std::array<char, 512> path{};
    const auto link = "/proc/self/fd/" + std::to_string(descriptor);
    const auto size = ::readlink(link.c_str(), path.data(), path.size());
    return {path.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

/// False, with errno, when the call is to fail.
bool pass(Call call, int descriptor) {
    std::unique_lock lock(faults().mutex);
    Fault& fault = fault_of(call);
    const bool counts = call == Call::sync;
    if (!counts && fault.part.empty()) return true;
    const std::string path = path_of(descriptor);
    if (counts) ++faults().syncs[path];
    const auto is_meant = [&] { return !fault.part.empty() && path.contains(fault.part); };
    if (!is_meant()) return true;
    if (fault.dies_after >= 0 && fault.dies_after-- == 0) ::kill(::getpid(), SIGKILL);
    if (fault.hangs) {
        fault.is_reached = true;
        faults().changed.wait(lock, [&] { return !fault.hangs; });
    }
    if (fault.error == 0 || !is_meant()) return true;
    errno = fault.error;
    if (fault.times > 0 && --fault.times == 0) fault.error = 0;
    return false;
}

void set(Call call, Fault fault) {
    const std::lock_guard lock(faults().mutex);
    fault_of(call) = std::move(fault);
    faults().changed.notify_all();
}

} // namespace

FailingDisk::FailingDisk(Call call, std::string part, int error, int times) : call_(call) {
    set(call, {.part = std::move(part), .error = error, .times = times});
}
FailingDisk::~FailingDisk() { set(call_, {}); }

HangingDisk::HangingDisk(Call call, std::string part) : call_(call) {
    set(call, {.part = std::move(part), .hangs = true});
}
void HangingDisk::let_go() { set(call_, {}); }
bool HangingDisk::is_reached() const {
    const std::lock_guard lock(faults().mutex);
    return fault_of(call_).is_reached;
}

void die_at(Call call, std::string part, int after) { set(call, {.part = std::move(part), .dies_after = after}); }

std::uint64_t syncs_of(const std::string& part) {
    const std::lock_guard lock(faults().mutex);
    std::uint64_t count = 0;
    for (const auto& [path, made] : faults().syncs) count += path.contains(part) ? made : 0;
    return count;
}

} // namespace credlease::audit::test

// The program's own functions come before the library's, for shared libraries too.
namespace {
using credlease::audit::test::Call;

ssize_t write_through(int descriptor, const void* bytes, size_t size, off_t offset) {
    if (!credlease::audit::test::pass(Call::write, descriptor)) return -1;
    return ::syscall(SYS_pwrite64, descriptor, bytes, size, offset);
}
int sync_through(int descriptor, long number) {
    if (!credlease::audit::test::pass(Call::sync, descriptor)) return -1;
    return static_cast<int>(::syscall(number, descriptor));
}
} // namespace

extern "C" {
__attribute__((visibility("default"))) ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
    return write_through(descriptor, bytes, size, offset);
}
__attribute__((visibility("default"))) ssize_t pwrite64(int descriptor, const void* bytes, size_t size,
                                                        off64_t offset) {
    return write_through(descriptor, bytes, size, offset);
}
__attribute__((visibility("default"))) ssize_t write(int descriptor, const void* bytes, size_t size) {
    if (!credlease::audit::test::pass(Call::append, descriptor)) return -1;
    return ::syscall(SYS_write, descriptor, bytes, size);
}
__attribute__((visibility("default"))) int fdatasync(int descriptor) { return sync_through(descriptor, SYS_fdatasync); }
__attribute__((visibility("default"))) int fsync(int descriptor) { return sync_through(descriptor, SYS_fsync); }
}
