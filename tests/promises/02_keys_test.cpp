#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fstream>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace credlease::tests;

namespace {

constexpr std::size_t arena_size = std::size_t{4} << 20;

/// A mapping of the daemon, as /proc/PID/smaps tells of it.
struct Mapping {
    std::uint64_t begin = 0, end = 0;
    std::string name, flags; ///< VmFlags: "lo" locked, "dd" not in dumps, "wf" wiped in a fork
    std::size_t locked = 0;  ///< KiB

    [[nodiscard]] bool has(const std::string& flag) const { return (flags + " ").contains(" " + flag + " "); }
    [[nodiscard]] std::size_t size() const { return end - begin; }
};

std::uint64_t hexadecimal(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number, 16);
    return number;
}

std::vector<Mapping> mappings_of(pid_t pid) {
    std::vector<Mapping> all;
    std::ifstream in("/proc/" + std::to_string(pid) + "/smaps");
    for (std::string line; std::getline(in, line);) {
        const auto dash = line.find('-'), space = line.find(' ');
        if (dash < space && space != std::string::npos && line.find(':') > space) {
            Mapping next;
            next.begin = hexadecimal(line.substr(0, dash));
            next.end = hexadecimal(line.substr(dash + 1, space - dash - 1));
            next.name = line.substr(std::min(line.find('/'), line.size()));
            all.push_back(next);
        } else if (line.starts_with("VmFlags:")) {
            all.back().flags = line.substr(8);
        } else if (line.starts_with("Locked:")) {
            all.back().locked = std::stoul(line.substr(7));
        }
    }
    return all;
}

/// The arena: the one mapping of its size that is locked or secret.
Mapping arena_of(const Daemon& daemon) {
    std::vector<Mapping> found;
    for (const auto& mapping : mappings_of(daemon.pid())) {
        const bool is_arena = mapping.has("lo") || mapping.name.contains("secretmem");
        if (is_arena && mapping.size() == arena_size) found.push_back(mapping);
    }
    BOOST_REQUIRE_EQUAL(found.size(), 1U);
    return found.front();
}

/// By whoever runs the test, as a debugger would.
bool can_read(const Daemon& daemon, const Mapping& mapping) {
    const int memory = ::open(("/proc/" + std::to_string(daemon.pid()) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
    std::array<char, 4096> page{};
    const auto got = memory < 0 ? -1 : ::pread(memory, page.data(), page.size(), static_cast<off_t>(mapping.begin));
    if (memory >= 0) ::close(memory);
    return got > 0;
}

bool has_descriptor_of(const Daemon& daemon, const std::string& name) {
    for (const auto& file : std::filesystem::directory_iterator("/proc/" + std::to_string(daemon.pid()) + "/fd")) {
        std::error_code gone;
        if (std::filesystem::read_symlink(file, gone).native().contains(name)) return true;
    }
    return false;
}

std::string with_arena(const std::string& kind) { return "[memory]\narena = \"" + kind + "\"\nsize = \"4MiB\"\n"; }

/// Neither kind of memory can be locked then.
void lock_nothing() {
    const rlimit none{};
    ::setrlimit(RLIMIT_MEMLOCK, &none);
    (void)::prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK); // which root would have again after exec
}

} // namespace

BOOST_AUTO_TEST_SUITE(keys)

BOOST_AUTO_TEST_CASE(not_even_root_reads_keys_in_memfd_secret_and_no_descriptor_of_it_is_left) {
    Daemon daemon({.config = with_arena("memfd_secret")});
    if (!daemon.start()) {
        BOOST_REQUIRE_MESSAGE(daemon.log().contains("memfd_secret"), daemon.log());
        BOOST_TEST_MESSAGE("skipped: this kernel gives none");
        return;
    }
    auto client = client_of(daemon);
    (void)store_token(client, "kept", "tok_kept_12345678");
    const auto arena = arena_of(daemon);
    BOOST_TEST(arena.name.contains("secretmem"));
    BOOST_TEST(!can_read(daemon, arena));
    BOOST_TEST(!has_descriptor_of(daemon, "secretmem"));
    BOOST_TEST(daemon.log().contains("memfd_secret"));
}

BOOST_AUTO_TEST_CASE(else_they_lie_in_memory_that_is_locked_and_neither_dumped_nor_forked) {
    Daemon daemon({.config = with_arena("mlock")});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "kept", "tok_kept_12345678");
    const auto arena = arena_of(daemon);
    BOOST_TEST(arena.locked * 1024 == arena_size);
    BOOST_TEST(arena.has("dd"));
    BOOST_TEST(arena.has("wf"));
    for (const auto& mapping : mappings_of(daemon.pid())) { // guard pages on both sides
        const bool is_beside = mapping.end == arena.begin || mapping.begin == arena.end;
        if (is_beside) BOOST_TEST((!mapping.has("rd") && !mapping.has("wr")));
    }
    BOOST_TEST(daemon.log().contains("mlock"));
}

BOOST_AUTO_TEST_CASE(without_either_the_start_is_refused_with_what_is_needed) {
    Daemon daemon({.config = with_arena("auto"), .before_exec = lock_nothing});
    BOOST_TEST(!daemon.start());
    BOOST_TEST(daemon.log().contains("RLIMIT_MEMLOCK"));
    BOOST_TEST(!std::filesystem::exists(daemon.config_folder() / "root.key"));
}

BOOST_AUTO_TEST_SUITE_END()
