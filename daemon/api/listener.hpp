#pragma once

#include "api/request.hpp"
#include "api/routes.hpp"
#include "runtime/clock.hpp"
#include "runtime/loop.hpp"
#include "secret/arena.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace credlease::api {

/// Makes a listening Unix socket whose rights are never wrong, not for an instant: bound under umask 0177 to a
/// temporary name in the directory, given its group and mode, then renamed into place. A stale socket is taken over; a
/// live one (something accepts on it) refuses with `configuration`.
struct SocketPlace {
    std::filesystem::path path;
    std::uint32_t mode = 0600;
    std::optional<std::uint32_t> group{};
};
[[nodiscard]] result::Result<attestation::Descriptor> listen_at(const SocketPlace& place);
/// A socket that systemd passed (sd_listen_fds(3)): refused when its file's rights are wider than `place` says.
[[nodiscard]] result::Result<void> check_passed_socket(int socket, const SocketPlace& place);

/// Accepts, reads bounded requests, hands each to the routes, sends the replies: one epoll set of its own, nested in
/// the loop. In one turn it handles whatever is ready and then calls `end_of_turn` once, so that the journal is written
/// once a turn.
class Listener {
  public:
    struct Options {
        std::uint32_t connections_per_uid = 1024;
        std::uint32_t listeners_per_uid = 1024;
        std::function<void()> end_of_turn{};
        std::function<bool()> is_sealed{};
        std::function<void(const attestation::Peer&, std::string_view code)>
            refused{};                                       ///< peers refused before a request
        std::function<void(std::string_view what)> broken{}; ///< a handler threw; its client got `internal`
    };

    Listener(runtime::Loop& loop, runtime::Clock& clock, secret::Arena& arena, const Routes& routes, Options options);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    void add(Door door, attestation::Descriptor listening);
    void set_connections_per_uid(std::uint32_t most);
    void set_listeners_per_uid(std::uint32_t most);
    /// No new connections; idle ones are closed, others after their reply, listeners after what they were to be sent.
    /// `done` once all have gone or `deadline` passed.
    void stop(runtime::BootTime deadline, std::function<void()> done);

    [[nodiscard]] std::size_t connections() const;

  private:
    std::shared_ptr<Traffic> traffic_; ///< shared with the responders, which may outlive the listener
};

} // namespace credlease::api
