#include "supervisor/supervisor.hpp"

#include <systemd/sd-daemon.h>

#include <cstdlib>
#include <string>
#include <sys/socket.h>
#include <vector>

namespace credlease::supervisor {
namespace {

constexpr int first_passed = 3; // SD_LISTEN_FDS_START

result::Failure refused(result::StaticText sentence, std::string_view name) {
    return result::refuse({.code = result::ErrorCode::configuration,
                           .sentence = sentence,
                           .next_step = "Pass two sockets, FileDescriptorName=lease and FileDescriptorName=admin.",
                           .about = result::PublicText::of(name)});
}

/// The names in the order of the descriptors, which begin at `first_passed`.
std::vector<std::string> take_names() {
    char** names = nullptr;
    const int count = ::sd_listen_fds_with_names(1, &names);
    std::vector<std::string> taken;
    for (int i = 0; i < count; ++i) {
        taken.emplace_back(names[i]);
        std::free(names[i]);
    }
    std::free(names);
    return taken;
}

} // namespace

result::Result<std::optional<PassedSockets>> passed_sockets() {
    const auto names = take_names();
    if (names.empty()) return std::nullopt;

    PassedSockets sockets;
    int descriptor = first_passed;
    for (const auto& name : names) {
        int* place = name == "lease" ? &sockets.lease : name == "admin" ? &sockets.admin : nullptr;
        if (place == nullptr) return refused("The service manager passed a socket of an unknown name.", name);
        if (*place >= 0) return refused("The service manager passed two sockets of one name.", name);
        if (::sd_is_socket_unix(descriptor, SOCK_STREAM, 1, nullptr, 0) <= 0)
            return refused("What the service manager passed is no listening Unix stream socket.", name);
        *place = descriptor++;
    }
    if (sockets.lease < 0) return refused("The service manager did not pass a socket.", "lease");
    if (sockets.admin < 0) return refused("The service manager did not pass a socket.", "admin");
    return sockets;
}

} // namespace credlease::supervisor
