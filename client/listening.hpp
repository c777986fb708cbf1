#pragma once

#include "client/holding.hpp"
#include "client/renewals.hpp"
#include "credlease/client.hpp"

#include <functional>
#include <memory>

namespace credlease::client {

/// The thread that hears what the broker tells of a client's leases, over a connection of its own; started with the
/// first lease that wants to hear, stopped and joined when this dies. It holds no lease alive. Where the broker does
/// not tell (it is too old), nothing is heard.
class Listening {
  public:
    Listening() = default;
    ~Listening();
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;

    using Tell = std::function<void(const LeaseChange&)>;
    /// `renewals` bring its new secret before it is told of; null: nothing renews it.
    void add(const std::shared_ptr<Holding>& holding, const std::shared_ptr<Session>& session, Tell tell,
             std::shared_ptr<Renewals> renewals);
    /// No more is told, and no call is under way, but for one that this is called from.
    void remove(const std::shared_ptr<Holding>& holding);

  private:
    struct Thread;
    void start(const Session& session);
    std::shared_ptr<Thread> thread_; ///< shared with itself: it may end this object, from a call
};

} // namespace credlease::client
