#include "supervisor/hardening.hpp"

#include <seccomp.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <linux/capability.h>
#include <memory>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace credlease::supervisor {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CREDLEASE_LEAK_CHECKER
#endif
#endif
#ifdef CREDLEASE_LEAK_CHECKER
constexpr bool leak_checker_traces = true; // LeakSanitizer stops our threads by ptrace(2) when the process ends
#else
constexpr bool leak_checker_traces = false;
#endif

result::Failure failed(result::StaticText sentence) {
    return result::refuse({.code = result::ErrorCode::internal,
                           .sentence = sentence,
                           .next_step = "Start the broker where prctl(2) and capset(2) are not filtered."});
}

// ---- capabilities(7); glibc has no wrapper for capget(2) and capset(2)

using CapabilityWords = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

constexpr std::uint32_t kept_bit = CAP_TO_MASK(CAP_SYS_PTRACE);

bool read_capabilities(CapabilityWords& words) {
    __user_cap_header_struct head{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    return ::syscall(SYS_capget, &head, words.data()) == 0;
}

void empty_bounding_set() {
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability) {
        // Without CAP_SETPCAP this is refused, and nothing is lost: with no_new_privs no exec gains from the set.
        if (capability != CAP_SYS_PTRACE) ::prctl(PR_CAPBSET_DROP, capability);
    }
}

/// Drops what can be dropped, then looks at what is left: under a service manager's filter capset(2) itself is refused
/// because there is nothing to drop.
result::Result<bool> drop_capabilities() {
    CapabilityWords words{};
    if (!read_capabilities(words)) return failed("The capabilities of the process could not be read.");
    const bool kept = (words[0].permitted & kept_bit) != 0;

    empty_bounding_set();
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    words = {};
    words[0].effective = words[0].permitted = kept ? kept_bit : 0;
    __user_cap_header_struct head{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    ::syscall(SYS_capset, &head, words.data());

    if (!read_capabilities(words) || (words[0].permitted & ~kept_bit) != 0 || words[1].permitted != 0)
        return failed("The process could not drop its capabilities.");
    return kept;
}

/// seccomp(2), for all threads of the process. False where the kernel has no such filter or it may not be set.
bool filter_calls() {
    const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(::seccomp_init(SCMP_ACT_ALLOW), ::seccomp_release);
    if (!filter) return false;
    const std::array refused = {SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd),
                                SCMP_SYS(ptrace)};
    for (const int call : refused) {
        if (leak_checker_traces && call == SCMP_SYS(ptrace)) continue;
        if (::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0) != 0) return false;
    }
    ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
    return ::seccomp_load(filter.get()) == 0;
}

} // namespace

result::Result<> refuse_inspection() {
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) return failed("The process could not be made undumpable.");
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    if (::setrlimit(RLIMIT_CORE, &none) != 0) return failed("The core limit could not be set to 0.");
    return {};
}

result::Result<Hardening> drop_privileges() {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("The process could not give up new privileges.");
    const auto kept = drop_capabilities();
    if (!kept) return std::unexpected(kept.error());
    return Hardening{.reads_other_processes = *kept, .filters_calls = filter_calls()};
}

} // namespace credlease::supervisor
