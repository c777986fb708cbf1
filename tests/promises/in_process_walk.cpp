#include "promises/memory_scan.hpp"
#include "support/daemon/secret_windows.hpp"

#include <array>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace credlease::tests {
namespace {

constexpr int patience_ms = 60000;

bool has_input(int socket) {
    pollfd ready{.fd = socket, .events = POLLIN, .revents = 0};
    return ::poll(&ready, 1, patience_ms) == 1;
}

bool read_all(int from, void* into, std::size_t size) {
    for (auto* at = static_cast<char*>(into); size > 0;) {
        const auto got = has_input(from) ? ::read(from, at, size) : 0;
        if (got <= 0) return false;
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

bool write_all(int to, const void* from, std::size_t size) {
    for (const auto* at = static_cast<const char*>(from); size > 0;) {
        const auto written = ::send(to, at, size, MSG_NOSIGNAL);
        if (written <= 0) return false;
        at += written;
        size -= static_cast<std::size_t>(written);
    }
    return true;
}

/// "FIRST LAST PLACE in REGION", the window masked.
std::string unmasked(const std::string& line) {
    std::istringstream fields(line);
    Window window;
    fields >> std::hex >> window.first >> window.last;
    window.first ^= Window::mask;
    window.last ^= static_cast<std::uint32_t>(Window::mask);
    std::array<char, window_size> text{};
    std::memcpy(text.data(), &window.first, sizeof window.first);
    std::memcpy(text.data() + sizeof window.first, &window.last, sizeof window.last);
    std::string place;
    std::getline(fields, place);
    return place + ": " + std::string(text.data(), text.size());
}

} // namespace

InProcessWalk::InProcessWalk() {
    std::string pattern = std::filesystem::temp_directory_path() / "credlease-walk-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    folder_ = pattern;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder_ + "/socket").copy(address.sun_path, sizeof address.sun_path - 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool listens = ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                         ::listen(listener_, 8) == 0;
    if (!listens) throw std::runtime_error("no socket to look into a daemon by");
}

InProcessWalk::~InProcessWalk() {
    ::close(listener_);
    if (socket_ >= 0) ::close(socket_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

Daemon::Setup InProcessWalk::setup(std::string config) const {
    return {.config = std::move(config),
            .environment = {{"LD_PRELOAD", MEMORY_WALK_BUILT}, {"MEMORY_WALK", folder_ + "/socket"}}};
}

/// What the daemon starts connects too: only the daemon itself is looked into.
bool InProcessWalk::meet(pid_t pid) {
    while (pid_ != pid && has_input(listener_)) {
        const int met = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        ucred peer{};
        socklen_t size = sizeof peer;
        const bool is_wanted = ::getsockopt(met, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == pid;
        if (is_wanted) {
            if (socket_ >= 0) ::close(socket_);
            socket_ = met;
            pid_ = pid;
        } else {
            ::close(met);
        }
    }
    return pid_ == pid;
}

std::vector<std::string> InProcessWalk::find(pid_t pid, const std::vector<std::string>& traces) {
    if (!meet(pid)) return {"the daemon could not be looked into"};
    std::vector<Window> windows;
    for (const auto& trace : traces) {
        if (!trace.contains('\0')) windows.push_back(Window::at(trace.data()));
    }
    const std::uint64_t count = windows.size();
    std::uint64_t size = 0;
    std::string told;
    const bool is_asked = write_all(socket_, &count, sizeof count) &&
                          write_all(socket_, windows.data(), count * sizeof(Window)) &&
                          read_all(socket_, &size, sizeof size);
    told.resize(size);
    if (!is_asked || !read_all(socket_, told.data(), size)) return {"the daemon did not look into itself"};
    std::vector<std::string> found;
    std::istringstream lines(told);
    for (std::string line; std::getline(lines, line);) found.push_back(unmasked(line));
    return found;
}

} // namespace credlease::tests
