#pragma once

#include "client/grant.hpp"
#include "client/listening.hpp"
#include "client/places.hpp"
#include "client/process.hpp"
#include "client/renewals.hpp"
#include "client/session.hpp"
#include "credlease/client.hpp"

#include <map>
#include <memory>

namespace credlease {

/// A client's connections and its grant. Those of the parent are abandoned in a forked child, which makes its own.
struct __attribute__((visibility("hidden"))) Client::State {
    explicit State(Options chosen);

    /// The session with lease.sock, with the grant if there is one.
    Result<std::shared_ptr<client::Session>> lease_door();
    std::shared_ptr<client::Session> admin_door();
    Result<std::shared_ptr<client::Session>> door(Door which);
    /// At admin.sock where no grant is set and it lets the caller in, else at lease.sock; `asked` is the one that
    /// answered.
    Result<client::Reply> ask_for_lease(const std::string& body, std::shared_ptr<client::Session>& asked);
    Result<client::Reply> exchange(const Request& request, const secret::SecretBuffer* secret_body,
                                   bool secret_answer = false);
    Result<client::Grant> grant();
    void use_grant(SecretText text);
    /// A state for a forked child: the same options; a grant that was set has gone with the parent's memory.
    [[nodiscard]] std::shared_ptr<State> for_child() const;

    client::ProcessMark process = client::this_process();
    Options options;
    client::Places places;
    std::shared_ptr<client::Renewals> renewals = std::make_shared<client::Renewals>();
    /// Of the leases taken over that session: who is told depends on where a lease was taken.
    std::shared_ptr<client::Listening> listening_at(const std::shared_ptr<client::Session>& session);

  private:
    enum class GrantFrom { environment, caller, lost_by_fork };
    [[nodiscard]] std::shared_ptr<client::Session> make_session(client::Place place, client::Grant grant) const;

    GrantFrom grant_from_ = GrantFrom::environment;
    std::optional<Result<client::Grant>> grant_;
    std::shared_ptr<client::Session> lease_door_;
    std::shared_ptr<client::Session> admin_door_;
    std::map<std::shared_ptr<client::Session>, std::shared_ptr<client::Listening>> listening_;
};

/// A lease in the hands of the program: what it holds, and how it is renewed and given back.
struct __attribute__((visibility("hidden"))) Lease::State {
    explicit State(const LeaseRequest& request) : holding(std::make_shared<client::Holding>(request.ttl)) {}
    ~State();
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    /// Of no lease: empty ones.
    static client::LeaseFacts facts_of(const State* held);
    static client::LeaseTimes times_of(const State* held);

    client::ProcessMark process = client::this_process();
    std::shared_ptr<client::Holding> holding;
    std::shared_ptr<client::Session> session;
    std::shared_ptr<client::Renewals> renewals;   ///< null: nothing renews it; else it lives as long as this does
    std::shared_ptr<client::Listening> listening; ///< null: it is not told of changes
    bool is_kept = false;
};

} // namespace credlease
