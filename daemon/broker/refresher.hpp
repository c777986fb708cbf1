#pragma once

#include "broker/get_tokens.hpp"

#include <functional>
#include <list>
#include <memory>
#include <set>
#include <unordered_map>

namespace credlease::broker {

/// Keeps tokens fresh: one request at a time for a credential, whoever asks for it (guarantee 15), and each at its time
/// (guarantee 16). Loop thread only.
class Refresher {
  public:
    explicit Refresher(Unsealed& house) : house_(house) {}
    Refresher(const Refresher&) = delete;
    Refresher& operator=(const Refresher&) = delete;

    /// Gets tokens, or joins the request that is under way. `refresh_timeout`: it goes on, but nobody waits for it
    /// longer than until `deadline`. Else as get_tokens.
    [[nodiscard]] runtime::Task<result::Result<>> refresh(vocabulary::Scope scope, vocabulary::CredentialId id,
                                                          runtime::BootTime deadline);

    /// Waits for the request that is under way, if there is one.
    [[nodiscard]] runtime::Task<> settle(vocabulary::CredentialId id, runtime::BootTime deadline);

    /// Its place in the schedule (oauth::refresh_at).
    [[nodiscard]] std::uint64_t seed_of(const vocabulary::Scope& scope, const vocabulary::CredentialId& id);
    /// After anything that changed a credential or its tokens: it is refreshed by itself when that is due.
    void plan(const vault::Entry& entry);
    using Work = std::function<runtime::Task<result::Result<>>(const Refreshed&)>;
    /// Takes the place of a request for its tokens, until it ends.
    void fly(const vocabulary::Scope& scope, const vocabulary::CredentialId& id, Work work);
    /// Waits until all that is under way has landed.
    [[nodiscard]] runtime::Task<> land(runtime::BootTime deadline);
    /// At a start or unseal.
    void plan_all();
    /// The clock calls no more; what is under way goes on.
    void quiet();
    [[nodiscard]] std::size_t under_way() const { return flights_.size(); }

  private:
    struct Waiter {
        runtime::Resume resume;
        std::uint64_t call = 0; ///< of its deadline
    };
    struct Flight {
        std::optional<result::Result<>> outcome{};
        std::list<Waiter> waiting{};
    };
    using FlightRef = std::shared_ptr<Flight>;
    struct Planned {
        std::shared_ptr<const vocabulary::Scope> scope; ///< credentials of one scope share it
        std::optional<vocabulary::Time> at{};           ///< its place in `due_`
        std::uint64_t seed = 0;
        std::uint32_t failures = 0; ///< since the last success
    };

    [[nodiscard]] Planned& planned(const vocabulary::Scope& scope, const vocabulary::CredentialId& id);
    [[nodiscard]] FlightRef fly(const vocabulary::Scope& scope, const vocabulary::CredentialId& id);
    void take_off(const vocabulary::Scope& scope, const vocabulary::CredentialId& id, const FlightRef& flight,
                  Work work);
    [[nodiscard]] runtime::Task<> run(Refreshed what, FlightRef flight, Work work);
    [[nodiscard]] runtime::Task<> wait(FlightRef flight, runtime::BootTime deadline);
    [[nodiscard]] std::optional<vocabulary::Time> due_at(const vault::Entry& entry) const;
    void set_time(const vocabulary::CredentialId& id, Planned& planned, std::optional<vocabulary::Time> at);
    void forget(const vocabulary::CredentialId& id);
    void ring();
    void set_clock();

    Unsealed& house_;
    std::unordered_map<vocabulary::CredentialId, FlightRef> flights_;
    std::set<std::pair<vocabulary::Time, vocabulary::CredentialId>> due_;
    std::unordered_map<vocabulary::CredentialId, Planned> planned_;
    std::shared_ptr<const vocabulary::Scope> last_scope_;
    std::uint64_t seeds_ = 0;
    std::uint64_t call_ = 0;
    vocabulary::Time call_at_{};
};

} // namespace credlease::broker
