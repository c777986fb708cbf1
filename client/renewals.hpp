#pragma once

#include "client/holding.hpp"

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

namespace credlease::client {

/// The thread that renews a client's leases at two thirds of their time, and at once where their secret has changed,
/// over a connection of its own; started with the first lease, stopped and joined when this dies. It holds no lease
/// alive.
class Renewals {
  public:
    Renewals() = default;
    ~Renewals();
    Renewals(const Renewals&) = delete;
    Renewals& operator=(const Renewals&) = delete;

    void add(const std::shared_ptr<Holding>& holding, std::shared_ptr<Session> session);
    /// Its secret has changed: a renewal begins soon after, and is tried again until one works or the lease is over.
    void hurry(const std::shared_ptr<Holding>& holding);

  private:
    using BootTime = std::chrono::nanoseconds; ///< CLOCK_BOOTTIME: counts while the host sleeps, as the broker does
    struct Planned {
        std::weak_ptr<Holding> holding;
        std::shared_ptr<Session> session;
        BootTime at{};
        BootTime not_before{};            ///< the broker asked for it
        bool is_hurried = false;          ///< the secret that it holds is not the newest
        std::chrono::nanoseconds pause{}; ///< before it is tried again, where it is hurried
    };
    using Next = std::optional<Planned>;
    void start();
    void run();
    void wait(std::unique_lock<std::mutex>& held);
    void attempt(std::unique_lock<std::mutex>& held, std::list<Planned>::iterator due);
    static void hasten(Planned& planned);
    /// Renews one lease; what is planned for it then, unless it is over.
    static Next renew(const Planned& planned);
    static Planned after_success(const Planned& planned, const LeaseTimes& times);
    static Planned after_failure(const Planned& planned, const LeaseTimes& times, const Error& error);
    static BootTime now();

    std::mutex lock_;
    std::condition_variable changed_;
    std::list<Planned> planned_;    ///< a list: the one that is being renewed stays where it is
    std::shared_ptr<Session> busy_; ///< what the thread waits for just now
    bool is_stopping_ = false;
    std::thread thread_;
};

} // namespace credlease::client
