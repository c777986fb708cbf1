#pragma once

#include "api/request.hpp"
#include "api/routes.hpp"
#include "broker/broker.hpp"

#include <list>
#include <map>

namespace credlease::api {

/// Requests of workers that can only be told apart once their executable is hashed: they wait here. One file of a uid
/// is hashed at a time, so that who starts ever new programs waits for itself; what a client that has gone sent is
/// forgotten, so that it holds no memory on behalf of nobody.
class HashedWorkers {
  public:
    using Handle = std::function<void(const Request&, const Parts&, Responder)>;

    explicit HashedWorkers(broker::Broker& broker);
    ~HashedWorkers();
    HashedWorkers(const HashedWorkers&) = delete;
    HashedWorkers& operator=(const HashedWorkers&) = delete;

    /// Calls `handle`, which outlives this, with the request: now, or once it is known what its process runs. A
    /// handler that throws then ends its own request alone.
    void call(const Request& request, const Parts& parts, Responder responder, const Handle& handle);

  private:
    struct Kept;
    using Queue = std::list<Kept>;

    [[nodiscard]] bool must_wait(const Request& request) const;
    [[nodiscard]] runtime::Task<> serve(broker::Unsealed& house, std::uint32_t uid);
    [[nodiscard]] runtime::Task<> hash(broker::Unsealed& house, const Kept& first, Queue& others) const;
    void answer(Kept& kept) const;
    static void drop_gone(Queue& queue);

    broker::Broker& broker_;
    std::map<std::uint32_t, Queue> waiting_; ///< by uid; there is one while its task runs
};

} // namespace credlease::api
