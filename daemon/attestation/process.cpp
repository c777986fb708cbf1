#include "attestation/process.hpp"

#include "attestation/unit.hpp"

#include <climits>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <span>
#include <sys/syscall.h>
#include <unistd.h>

namespace credlease::attestation {
namespace {

/// As much of a file as `room` holds; empty where it can't be read. (Files of /proc have no size to ask for.)
std::string_view read_into(const char* path, std::span<char> room) {
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return {};
    std::size_t size = 0;
    while (size < room.size()) {
        const ssize_t got = ::read(file, room.data() + size, room.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        size += static_cast<std::size_t>(got);
    }
    ::close(file);
    return {room.data(), size};
}

/// Takes the next word off `line`.
std::string_view next_word(std::string_view& line) {
    constexpr std::string_view blank = " \t\n";
    line.remove_prefix(std::min(line.find_first_not_of(blank), line.size()));
    const auto word = line.substr(0, line.find_first_of(blank));
    line.remove_prefix(word.size());
    return word;
}

template <class Number> std::optional<Number> read_number(std::string_view word) {
    Number number{};
    const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (failure != std::errc{} || end != word.data() + word.size()) return std::nullopt;
    return number;
}

} // namespace

ProcPath::ProcPath(pid_t pid, const char* name) { std::snprintf(text_, sizeof text_, "/proc/%d/%s", pid, name); }

std::optional<ProcessStat> parse_stat(std::string_view line) {
    const auto end_of_name = line.rfind(')');
    if (end_of_name == std::string_view::npos) return std::nullopt;
    line.remove_prefix(end_of_name + 1);
    const auto state = next_word(line); // field 3
    if (state.size() != 1) return std::nullopt;
    constexpr int between = 22 - 3 - 1;
    for (int i = 0; i < between; ++i) (void)next_word(line);
    const auto start_time = read_number<std::uint64_t>(next_word(line));
    if (!start_time) return std::nullopt;
    return ProcessStat{.state = state.front(), .start_time = *start_time};
}

std::optional<ProcessStat> read_stat(pid_t pid) {
    std::array<char, 1024> room; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read(2)
    return parse_stat(read_into(ProcPath(pid, "stat").text(), room));
}

std::optional<ProcessUids> read_uids(pid_t pid) {
    constexpr std::string_view key = "\nUid:";
    std::array<char, 4096> room; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read(2)
    auto text = read_into(ProcPath(pid, "status").text(), room);
    // The process's own name stands before the key, in line 1; the kernel escapes newlines in it.
    const auto at = text.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + key.size());
    const auto real = read_number<uid_t>(next_word(text));
    const auto effective = read_number<uid_t>(next_word(text));
    if (!real || !effective) return std::nullopt;
    return ProcessUids{.real = *real, .effective = *effective};
}

std::string unit_of_process(pid_t pid) {
    std::array<char, 16384> room; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read(2)
    return unit_of_cgroup(cgroup_path(read_into(ProcPath(pid, "cgroup").text(), room)));
}

std::string executable_path(pid_t pid) {
    std::array<char, PATH_MAX> room; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by readlink(2)
    const ssize_t size = ::readlink(ProcPath(pid, "exe").text(), room.data(), room.size());
    return size > 0 ? std::string(room.data(), static_cast<std::size_t>(size)) : std::string();
}

std::uint64_t ticks_since_boot() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    constexpr std::uint64_t second = 1'000'000'000;
    const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return static_cast<std::uint64_t>(now.tv_sec) * ticks + static_cast<std::uint64_t>(now.tv_nsec) / (second / ticks);
}

int pidfd_open(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

} // namespace credlease::attestation
