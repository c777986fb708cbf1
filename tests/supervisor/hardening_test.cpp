#define BOOST_TEST_DYN_LINK
#include "child.hpp"
#include "supervisor/hardening.hpp"

#include <boost/test/unit_test.hpp>
#include <seccomp.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <thread>

using credlease::supervisor::drop_privileges;
using credlease::supervisor::refuse_inspection;
using supervisor_test::in_a_child;

namespace {

constexpr uid_t nobody = 65534;

/// Where the tests run as root, the part that shows what others can't do runs as someone who may not.
void become_nobody() {
    if (::getuid() != 0) return;
    if (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0) ::_exit(98);
    ::prctl(PR_SET_DUMPABLE, 1); // setuid(2) took it
}

std::string outcome(long returned) {
    return returned >= 0 ? "done" : errno == EPERM || errno == EACCES ? "refused" : std::strerror(errno);
}

/// What a process of the same uid can do to `target`: attach, read its memory, open its memory file, take a descriptor.
std::string inspect(pid_t target) {
    const std::string folder = "/proc/" + std::to_string(target);
    char byte = 0;
    iovec here{&byte, 1}, there{&byte, 1}; // a fork: the same addresses are mapped there
    const auto read = outcome(::process_vm_readv(target, &here, 1, &there, 1, 0));
    const auto memory = outcome(::open((folder + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, target, 0));
    const auto descriptor = outcome(::syscall(SYS_pidfd_getfd, pidfd, 1, 0));
    const auto attach = outcome(::ptrace(PTRACE_ATTACH, target, nullptr, nullptr));
    return "read " + read + ", mem " + memory + ", descriptor " + descriptor + ", attach " + attach;
}

/// A process and its inspector, both of one uid without rights.
std::string inspected(const std::function<bool()>& prepare) {
    return in_a_child([&] {
               become_nobody();
               std::array<int, 2> prepared{};
               if (::pipe(prepared.data()) != 0) return std::string("no pipe");
               const pid_t target = ::fork();
               if (target == 0) {
                   const char ok = prepare() ? 'y' : 'n';
                   if (::write(prepared[1], &ok, 1) != 1) ::_exit(1);
                   ::pause();
               }
               char ok = 0;
               std::string said = "not prepared";
               if (::read(prepared[0], &ok, 1) == 1 && ok == 'y') said = inspect(target);
               ::kill(target, SIGKILL);
               return said;
           })
        .said;
}

/// The value of one line of /proc/self/task/TID/status ("CapPrm").
std::string status_line(const std::string& name) {
    std::ifstream status("/proc/thread-self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(name + ":")) return line.substr(name.size() + 2);
    return "absent";
}

/// As the system unit starts it: one capability, ambient too, and capset(2) refused from then on.
bool start_as_the_unit_does(bool with_one_capability) {
    __user_cap_header_struct head{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> words{};
    words[0].effective = words[0].permitted = words[0].inheritable = CAP_TO_MASK(CAP_SYS_PTRACE);
    if (with_one_capability && ::syscall(SYS_capset, &head, words.data()) != 0) return false;
    if (with_one_capability && ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_PTRACE, 0, 0) != 0) return false;
    const auto filter = ::seccomp_init(SCMP_ACT_ALLOW);
    const bool loaded =
        ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(capset), 0) == 0 && ::seccomp_load(filter) == 0;
    ::seccomp_release(filter);
    return loaded;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_process_of_the_same_user_can_neither_attach_nor_read_memory_nor_take_a_descriptor) {
    // The control: what can be done to a process that did nothing for itself.
    BOOST_TEST(inspected([] { return true; }) == "read done, mem done, descriptor done, attach done");
    BOOST_TEST(inspected([] { return refuse_inspection().has_value(); }) ==
               "read refused, mem refused, descriptor refused, attach refused");
}

BOOST_AUTO_TEST_CASE(its_files_in_proc_are_roots) {
    const auto ended = in_a_child([] {
        become_nobody();
        if (!refuse_inspection()) return std::string("failed");
        struct stat seen{};
        ::stat("/proc/self/environ", &seen);
        return std::to_string(seen.st_uid);
    });
    BOOST_TEST(ended.said == "0");
}

BOOST_AUTO_TEST_CASE(a_crash_leaves_no_core) {
    const auto ended = in_a_child([] {
        const rlimit whole{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
        ::setrlimit(RLIMIT_CORE, &whole);
        if (!refuse_inspection()) return std::string("failed");
        ::signal(SIGQUIT, SIG_DFL);
        ::raise(SIGQUIT);
        return std::string("lived");
    });
    BOOST_TEST(ended.said.empty());
    BOOST_TEST(WIFSIGNALED(ended.status));
    BOOST_TEST(!WCOREDUMP(ended.status));

    const auto limits = in_a_child([] {
        if (!refuse_inspection()) return std::string("failed");
        rlimit core{.rlim_cur = 1, .rlim_max = 1};
        ::getrlimit(RLIMIT_CORE, &core);
        return std::to_string(core.rlim_cur) + " " + std::to_string(core.rlim_max) + " " +
               std::to_string(::prctl(PR_GET_DUMPABLE));
    });
    BOOST_TEST(limits.said == "0 0 0");
}

BOOST_AUTO_TEST_CASE(the_process_itself_can_neither_trace_nor_read_other_processes_nor_take_descriptors) {
    const auto ended = in_a_child([] {
        const auto hardening = drop_privileges();
        if (!hardening || !hardening->filters_calls) return std::string("not filtered");
        char byte = 'x', copy = 0;
        iovec here{&copy, 1}, there{&byte, 1};
        const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
        return "read " + outcome(::process_vm_readv(::getpid(), &here, 1, &there, 1, 0)) + ", write " +
               outcome(::process_vm_writev(::getpid(), &here, 1, &there, 1, 0)) + ", descriptor " +
               outcome(::syscall(SYS_pidfd_getfd, pidfd, 1, 0));
    });
    BOOST_TEST(ended.said == "read refused, write refused, descriptor refused");
}

#if !(defined(__has_feature) && __has_feature(address_sanitizer)) // its leak checker traces us
BOOST_AUTO_TEST_CASE(the_process_itself_can_not_trace) {
    const auto ended = in_a_child([] {
        if (!drop_privileges()) return std::string("failed");
        return outcome(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
    });
    BOOST_TEST(ended.said == "refused");
}
#endif

BOOST_AUTO_TEST_CASE(of_roots_capabilities_one_stays_in_every_thread_and_none_can_be_gained) {
    const auto ended = in_a_child([] {
        const auto hardening = drop_privileges();
        if (!hardening) return hardening.error().detail();
        std::string said = hardening->reads_other_processes ? "kept" : "none";
        std::thread([&] {
            for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"})
                said += std::string(" ") + set + "=" + status_line(set);
        }).join();
        return said;
    });
    const std::string none = "0000000000000000", traces = "0000000000080000"; // CAP_SYS_PTRACE is 19
    if (::getuid() == 0)
        BOOST_TEST(ended.said == "kept CapInh=" + none + " CapPrm=" + traces + " CapEff=" + traces +
                                     " CapBnd=" + traces + " CapAmb=" + none + " NoNewPrivs=1");
    else
        BOOST_TEST(ended.said.starts_with("none CapInh=" + none + " CapPrm=" + none + " CapEff=" + none));
}

BOOST_AUTO_TEST_CASE(under_the_units_filter_the_one_capability_is_kept_from_what_the_daemon_starts) {
    if (::getuid() != 0) return;
    const auto ended = in_a_child([] {
        if (!start_as_the_unit_does(true)) return std::string("not started");
        const auto hardening = drop_privileges();
        if (!hardening) return hardening.error().detail();
        return (hardening->reads_other_processes ? "kept " : "none ") + status_line("CapAmb");
    });
    BOOST_TEST(ended.said == "kept 0000000000000000");
}

BOOST_AUTO_TEST_CASE(capabilities_that_can_not_be_dropped_stop_the_start) {
    if (::getuid() != 0) return;
    const auto ended = in_a_child([] {
        if (!start_as_the_unit_does(false)) return std::string("not started");
        const auto hardening = drop_privileges();
        return hardening ? std::string("started") : hardening.error().detail();
    });
    BOOST_TEST(ended.said.starts_with("The process could not drop its capabilities."));
}

BOOST_AUTO_TEST_CASE(what_is_kept_lets_root_see_other_users_executables_and_nothing_more) {
    if (::getuid() != 0) return;
    const auto ended = in_a_child([] {
        std::array<int, 2> prepared{}, alive{};
        if (::pipe(prepared.data()) != 0 || ::pipe(alive.data()) != 0) return std::string("no pipe");
        const pid_t other = ::fork();
        if (other == 0) {
            become_nobody();
            ::prctl(PR_SET_DUMPABLE, 0);
            ::close(alive[1]);
            char none = 0; // it ends with its parent, which will lack the right to end it
            ::_exit(::write(prepared[1], "y", 1) == 1 && ::read(alive[0], &none, 1) == 0 ? 0 : 1);
        }
        char ready = 0;
        if (::read(prepared[0], &ready, 1) != 1 || !drop_privileges()) return std::string("not prepared");
        const std::string executable = "/proc/" + std::to_string(other) + "/exe";
        struct stat seen{};
        return "exe " + outcome(::stat(executable.c_str(), &seen)) + ", kill " + outcome(::kill(other, 0));
    });
    BOOST_TEST(ended.said == "exe done, kill refused");
}
