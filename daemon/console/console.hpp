#pragma once

#include "broker/broker.hpp"
#include "broker/browser_authorization.hpp"
#include "console/server.hpp"

namespace credlease::console {

/// The daemon's pages for browsers, on the loopback address of `[outbound] callback` alone: where an authorization is
/// begun (GET /oauth/start/ID) and where its provider sends the browser back to (GET /oauth/callback). Requests that
/// name another host are refused: a page elsewhere must not reach it by a name of its own (DNS rebinding).
class Console {
  public:
    explicit Console(broker::Broker& broker);
    ~Console();
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;

    /// See broker::Parts::await_browsers.
    [[nodiscard]] result::Result<> await_browsers(bool are_awaited);
    /// After the broker has stopped.
    [[nodiscard]] runtime::Task<> close() { return server_.close(); }

  private:
    void answer(Request request, const Server::Answer& answer);
    [[nodiscard]] Reply start(broker::Unsealed& house, std::string_view id, broker::Proofs proofs);
    [[nodiscard]] static runtime::Task<> finish(broker::Unsealed& house, secret::SecretBuffer query,
                                                broker::Proofs proofs, Server::Answer answer);

    broker::Broker& broker_;
    Server server_;
};

} // namespace credlease::console
