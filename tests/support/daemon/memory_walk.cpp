// Loaded into the daemon (LD_PRELOAD): a thread that looks through the process's own memory, memfd_secret(2) too, which
// nobody sees from outside. It connects to the socket that MEMORY_WALK names, reads masked windows, and tells where
// they lie.

#include "support/daemon/secret_windows.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace credlease::tests;

constexpr std::size_t told_most = 100;

std::array<char, 65536> piece; ///< of the memory that is looked at: a copy, and left out itself

bool read_all(int from, void* into, std::size_t size) {
    for (auto* at = static_cast<char*>(into); size > 0;) {
        const auto got = ::read(from, at, size);
        if (got <= 0) return false;
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

struct Region {
    std::uintptr_t begin = 0, end = 0;
    std::string line;
};

std::vector<Region> regions() {
    std::vector<Region> found;
    std::ifstream maps("/proc/self/maps");
    for (Region region; std::getline(maps, region.line);) {
        std::istringstream fields(region.line);
        char dash = 0;
        std::string rights;
        fields >> std::hex >> region.begin >> dash >> region.end >> rights;
        if (rights.starts_with('r') && !region.line.contains("[v")) found.push_back(region);
    }
    return found;
}

/// Copies memory that another thread may unmap meanwhile: the kernel says so, where a plain read would end the process.
class Copier {
  public:
    Copier() { has_pipe_ = ::pipe(ends_.data()) == 0; }
    ~Copier() {
        for (const int end : ends_) ::close(end);
    }
    Copier(const Copier&) = delete;
    Copier& operator=(const Copier&) = delete;

    [[nodiscard]] std::string_view copy(std::uintptr_t from, std::size_t size) const {
        const auto taken = has_pipe_ ? ::write(ends_[1], reinterpret_cast<const void*>(from), size) : -1;
        if (taken <= 0 || !read_all(ends_[0], piece.data(), static_cast<std::size_t>(taken))) return {};
        return {piece.data(), static_cast<std::size_t>(taken)};
    }

  private:
    std::array<int, 2> ends_{-1, -1};
    bool has_pipe_ = false;
};

bool is_own(std::uintptr_t at) {
    const auto begin = reinterpret_cast<std::uintptr_t>(piece.data());
    return at + window_size > begin && at < begin + piece.size();
}

/// A line for each place: its region and the masked window.
std::string walk(const SecretWindows& wanted) {
    std::ostringstream told;
    std::size_t count = 0;
    const Copier copier;
    for (const auto& region : regions()) {
        for (auto at = region.begin; at < region.end; at += piece.size() - window_size) {
            const auto bytes = copier.copy(at, std::min(piece.size(), region.end - at));
            wanted.look(bytes, [&](std::size_t place) {
                if (is_own(at + place) || ++count > told_most) return;
                const auto window = Window::at(bytes.data() + place);
                told << std::hex << window.first << ' ' << window.last << ' ' << at + place << " in " << region.line
                     << '\n';
            });
        }
    }
    piece.fill(0);
    return told.str();
}

void serve(int socket) {
    for (std::uint64_t count = 0; read_all(socket, &count, sizeof count);) {
        std::vector<Window> wanted(count);
        if (!read_all(socket, wanted.data(), count * sizeof(Window))) return;
        const auto told = walk(SecretWindows(std::move(wanted)));
        const std::uint64_t size = told.size();
        if (::write(socket, &size, sizeof size) != sizeof size) return;
        for (std::size_t sent = 0; sent < told.size();) {
            const auto written = ::write(socket, told.data() + sent, told.size() - sent);
            if (written <= 0) return;
            sent += static_cast<std::size_t>(written);
        }
    }
}

[[gnu::constructor]] void begin() {
    const char* const path = std::getenv("MEMORY_WALK");
    if (path == nullptr) return;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string_view(path).copy(address.sun_path, sizeof address.sun_path - 1);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before); // the daemon's signals are the daemon's
    std::thread(serve, socket).detach();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

} // namespace
