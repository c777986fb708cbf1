#pragma once

#include "outbound/step.hpp"
#include "outbound/tls.hpp"
#include "runtime/boot_time.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <optional>

namespace credlease::outbound {

/// A TCP connection to a provider, and TLS on it, whichever exchange uses it. Never blocks. Plaintext is in the
/// caller's buffers alone once a call has returned. Without `say_end` it is closed without a word.
class Connection {
  public:
    Connection(runtime::Loop& loop, runtime::BootTime begun) : socket_(loop.context()), begun_(begun) {}

    [[nodiscard]] boost::asio::ip::tcp::socket& socket() { return socket_; }
    [[nodiscard]] runtime::BootTime begun() const { return begun_; }
    /// Once it is connected; what is read and written from now on goes through it.
    Tls& begin_tls(std::shared_ptr<TlsContext> context, const Url& url);

    [[nodiscard]] Step read(std::span<std::byte> into);
    [[nodiscard]] Step write(std::span<const std::byte> from);
    /// Neither has anything come that was not read, nor the other side's end.
    [[nodiscard]] bool is_quiet();
    /// Tells the other side that nothing more comes, if that can be done at once.
    void say_end();

  private:
    boost::asio::ip::tcp::socket socket_;
    std::optional<Tls> tls_{}; ///< on the socket, and destroyed before it
    runtime::BootTime begun_;
};

} // namespace credlease::outbound
