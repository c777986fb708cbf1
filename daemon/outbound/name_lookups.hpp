#pragma once

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

/// getaddrinfo(3), which blocks for as long as a name service is silent, on threads that come and go: a name that hangs
/// keeps neither the loop waiting nor, while fewer than 16 hang, other names. Whoever asks for a name that is being
/// looked up waits for that one answer.
class NameLookups {
  public:
    explicit NameLookups(runtime::Loop& loop);
    ~NameLookups(); ///< waits for none: what is still looked up is forgotten
    NameLookups(const NameLookups&) = delete;
    NameLookups& operator=(const NameLookups&) = delete;

    /// From the loop thread; calls `done` on the loop. Threads inherit the caller's blocked signals.
    void start(std::string host, std::function<void(Addresses)> done);

  private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

} // namespace credlease::outbound
