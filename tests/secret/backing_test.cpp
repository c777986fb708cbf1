#define BOOST_TEST_DYN_LINK
#include "secret/arena.hpp"
#include "support/in_child.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <map>
#include <sstream>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace credlease::secret;
using credlease::test::in_child;
using Choice = ArenaOptions::Choice;

namespace {

constexpr std::size_t kib = 1024;
constexpr std::string_view planted = "a planted secret of the arena";

std::unique_ptr<Arena> arena_with(Choice choice) {
    auto made = Arena::make({.choice = choice, .size = 256 * kib});
    BOOST_REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().detail()));
    return std::move(*made);
}

bool has_memfd_secret() {
    const auto made = Arena::make({.choice = Choice::memfd_secret, .size = 256 * kib});
    return made.has_value();
}

/// The backings of this kernel.
std::vector<Choice> choices() {
    return has_memfd_secret() ? std::vector{Choice::memfd_secret, Choice::mlock} : std::vector{Choice::mlock};
}

std::span<std::byte> plant(Arena& arena) {
    const auto slot = arena.allocate(planted.size(), Share::leases);
    std::memcpy(slot.data(), planted.data(), planted.size());
    return slot;
}

/// What /proc/self/mem has at `address`; empty where it cannot be read.
std::string read_by_proc(const std::byte* address, std::size_t size) {
    const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    std::string read(size, '\0');
    const ssize_t got = pread(memory, read.data(), size, static_cast<off_t>(reinterpret_cast<std::uintptr_t>(address)));
    close(memory);
    return got == static_cast<ssize_t>(size) ? read : "";
}

/// The VmFlags line of the mapping that begins at `address` (proc(5)).
std::string flags_of(const void* address) {
    std::ifstream maps("/proc/self/smaps");
    std::ostringstream begin;
    begin << std::hex << reinterpret_cast<std::uintptr_t>(address) << '-';
    bool here = false;
    for (std::string line; std::getline(maps, line);) {
        if (line.starts_with(begin.str())) here = true;
        if (here && line.starts_with("VmFlags:")) return line + " ";
    }
    return "";
}

/// In a child without privileges whose memlock limit is `limit`: what `make` gives.
template <class Body> int with_limit(std::size_t limit, Body body) {
    return in_child([&] {
        const rlimit memlock{limit, limit};
        if (setrlimit(RLIMIT_MEMLOCK, &memlock) != 0) return 101;
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) return 102;
        return body();
    });
}

/// From here on memfd_secret(2) fails with `error`.
bool refuse_memfd_secret(int error) {
    std::array<sock_filter, 4> code = {{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 447, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_guard_pages_fault_on_both_sides) {
    for (const Choice choice : choices()) {
        for (const bool before : {true, false}) {
            BOOST_TEST(in_child([&] {
                           const auto arena = arena_with(choice);
                           const auto all = arena->all_for_test();
                           const volatile std::byte* const at = before ? all.data() - 1 : all.data() + all.size();
                           return static_cast<int>(*at);
                       }) == -SIGSEGV);
        }
        BOOST_TEST(in_child([&] {
                       const auto arena = arena_with(choice);
                       const auto all = arena->all_for_test();
                       return static_cast<int>(all.front()) + static_cast<int>(all.back());
                   }) == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_forked_child_reads_zeros_from_mlocked_memory) {
    const auto arena = arena_with(Choice::mlock);
    const auto slot = plant(*arena);
    BOOST_TEST(in_child([&] {
                   return std::ranges::all_of(slot, [](std::byte each) { return each == std::byte{0}; }) ? 0 : 1;
               }) == 0);
    BOOST_TEST(std::memcmp(slot.data(), planted.data(), planted.size()) == 0);
}

BOOST_AUTO_TEST_CASE(a_forked_child_has_no_memfd_secret_pages) {
    if (!has_memfd_secret()) return;
    const auto arena = arena_with(Choice::memfd_secret);
    const auto slot = plant(*arena);
    BOOST_TEST(in_child([&] { return static_cast<int>(slot.front()); }) == -SIGSEGV);
}

BOOST_AUTO_TEST_CASE(a_forked_child_is_given_nothing_and_takes_nothing_back) {
    for (const Choice choice : choices()) {
        auto arena = arena_with(choice);
        const auto slot = plant(*arena);
        BOOST_TEST(in_child([&] {
                       if (!arena->allocate(32, Share::keys).empty()) return 1;
                       arena->release(slot);
                       arena.reset();
                       return 0;
                   }) == 0);
        BOOST_TEST(std::memcmp(slot.data(), planted.data(), planted.size()) == 0);
        arena->release(slot);
    }
}

BOOST_AUTO_TEST_CASE(not_even_root_reads_memfd_secret_through_proc) {
    const auto open_arena = arena_with(Choice::mlock);
    BOOST_TEST(read_by_proc(plant(*open_arena).data(), planted.size()) == planted); // the test can find what is there
    if (!has_memfd_secret()) return;
    const auto arena = arena_with(Choice::memfd_secret);
    BOOST_TEST(name_of(arena->backing()) == "memfd_secret");
    BOOST_TEST(read_by_proc(plant(*arena).data(), planted.size()) == "");
}

BOOST_AUTO_TEST_CASE(the_descriptor_is_closed_once_the_memory_is_mapped) {
    if (!has_memfd_secret()) return;
    const auto count = [] {
        return std::ranges::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                     std::filesystem::directory_iterator{});
    };
    const auto before = count();
    const auto arena = arena_with(Choice::memfd_secret);
    BOOST_TEST(count() == before);
}

BOOST_AUTO_TEST_CASE(the_memory_is_locked_and_not_in_core_dumps) {
    for (const Choice choice : choices()) {
        const auto arena = arena_with(choice);
        const std::string flags = flags_of(arena->all_for_test().data());
        BOOST_TEST(flags.find(" lo ") != std::string::npos, "not locked:" << flags);
        BOOST_TEST(flags.find(" dd ") != std::string::npos, "in dumps:" << flags);
    }
}

BOOST_AUTO_TEST_CASE(the_memory_is_gone_with_its_arena) {
    for (const Choice choice : choices()) {
        BOOST_TEST(in_child([&] {
                       auto arena = arena_with(choice);
                       const volatile std::byte* const at = arena->all_for_test().data();
                       arena.reset();
                       return static_cast<int>(*at);
                   }) == -SIGSEGV);
    }
}

BOOST_AUTO_TEST_CASE(the_size_is_halved_until_it_fits_the_limit_of_a_plain_user) {
    const std::map<std::size_t, std::size_t> fits = {
        {8192 * kib, 4096 * kib}, {4096 * kib, 4096 * kib}, {2500 * kib, 2048 * kib}, {256 * kib, 256 * kib}};
    for (const auto& [limit, size] : fits) {
        BOOST_TEST(with_limit(limit, [&] {
                       const auto made = Arena::make({});
                       if (!made) return 1;
                       return (*made)->size() == size ? 0 : static_cast<int>((*made)->size() >> 18) + 2;
                   }) == 0);
    }
}

BOOST_AUTO_TEST_CASE(where_memfd_secret_is_refused_mlock_is_tried_within_the_same_limit) {
    for (const int error : {ENOSYS, EPERM, ENOMEM}) {
        BOOST_TEST(with_limit(1500 * kib, [&] {
                       if (!refuse_memfd_secret(error)) return 103;
                       const auto made = Arena::make({});
                       if (!made || (*made)->backing() != Backing::mlock) return 1;
                       if ((*made)->size() != 1024 * kib) return 2;
                       return Arena::make({.choice = Choice::memfd_secret}).has_value() ? 3 : 0;
                   }) == 0);
    }
}

BOOST_AUTO_TEST_CASE(memory_that_cannot_be_locked_is_refused_with_what_is_needed_and_allowed) {
    for (const bool with_memfd_secret : {true, false}) {
        BOOST_TEST(with_limit(64 * kib, [&] {
                       if (!with_memfd_secret && !refuse_memfd_secret(ENOSYS)) return 103;
                       const auto made = Arena::make({});
                       if (made || made.error().code != credlease::result::ErrorCode::configuration) return 1;
                       const std::string detail = made.error().detail();
                       if (detail.find("256 KiB needed, 64 KiB allowed") == std::string::npos) return 2;
                       return detail.find("LimitMEMLOCK") == std::string::npos ? 3 : 0;
                   }) == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_chosen_backing_is_never_made_smaller) {
    for (const Choice choice : choices()) {
        BOOST_TEST(with_limit(1024 * kib, [&] {
                       const auto made = Arena::make({.choice = choice});
                       if (made) return 1;
                       return made.error().detail().find("4096 KiB needed") == std::string::npos ? 2 : 0;
                   }) == 0);
    }
}

BOOST_AUTO_TEST_CASE(only_who_asks_gets_memory_that_is_not_locked) {
    BOOST_TEST(with_limit(0, [] {
                   if (Arena::make({})) return 1;
                   const auto made = Arena::make({.allow_unlocked = true});
                   if (!made || (*made)->backing() != Backing::unlocked) return 2;
                   if (name_of((*made)->backing()) != "unlocked") return 3;
                   return (*made)->allocate(100, Share::work).empty() ? 4 : 0;
               }) == 0);
    const auto locked = Arena::make({.choice = Choice::mlock, .size = 256 * kib, .allow_unlocked = true});
    BOOST_TEST(name_of((*locked)->backing()) == "mlock");
}
