#pragma once

#include "client/holding.hpp"

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

namespace credlease::client {

/// The thread that renews a client's leases at two thirds of their time, over a connection of its own; started with the
/// first lease, stopped and joined when this dies. It holds no lease alive.
class Renewals {
  public:
    Renewals() = default;
    ~Renewals();
    Renewals(const Renewals&) = delete;
    Renewals& operator=(const Renewals&) = delete;

    void add(const std::shared_ptr<Holding>& holding, std::shared_ptr<Session> session);

  private:
    using BootTime = std::chrono::nanoseconds; ///< CLOCK_BOOTTIME: counts while the host sleeps, as the broker does
    struct Planned {
        std::weak_ptr<Holding> holding;
        std::shared_ptr<Session> session;
        BootTime at{};
    };
    using Next = std::optional<BootTime>;
    void start();
    void run();
    void wait(std::unique_lock<std::mutex>& held);
    /// Renews one lease; the moment of its next renewal, if there is to be one.
    static Next renew(const Planned& planned);
    static BootTime now();

    std::mutex lock_;
    std::condition_variable changed_;
    std::list<Planned> planned_;    ///< a list: the one that is being renewed stays where it is
    std::shared_ptr<Session> busy_; ///< what the thread waits for just now
    bool is_stopping_ = false;
    std::thread thread_;
};

} // namespace credlease::client
