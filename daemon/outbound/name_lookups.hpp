#pragma once

#include "outbound/lookup_shares.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/ip/address.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace credlease::outbound {

/// What a name service says of a name.
struct Addresses {
    int failure = 0; ///< of getaddrinfo(3)
    std::vector<boost::asio::ip::address> list{};
};

/// getaddrinfo(3), which blocks for as long as a name service is silent, on up to 16 threads that come and go: a name
/// that hangs keeps neither the loop waiting nor other names, as far as LookupShares has threads for their owners.
/// Whoever asks for a name that is being looked up waits for that one answer.
class NameLookups {
  public:
    using Ticket = LookupShares::Ticket;

    explicit NameLookups(runtime::Loop& loop);
    ~NameLookups(); ///< waits for none: what is still looked up is forgotten
    NameLookups(const NameLookups&) = delete;
    NameLookups& operator=(const NameLookups&) = delete;

    /// From the loop thread; calls `done` on the loop. Threads inherit the caller's blocked signals.
    [[nodiscard]] Ticket start(std::string host, std::string on_behalf_of, std::function<void(Addresses)> done);
    /// From the loop thread: nobody waits for it any more, if it was not found yet.
    void give_up(Ticket ticket);

  private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

} // namespace credlease::outbound
