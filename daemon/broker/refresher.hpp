#pragma once

#include "broker/get_tokens.hpp"
#include "broker/refresh_schedule.hpp"
#include "broker/unsealed.hpp"

#include <functional>
#include <list>
#include <memory>
#include <unordered_map>

namespace credlease::broker {

/// Keeps tokens fresh: one request at a time for a credential, whoever asks for it (guarantee 15), and each at its
/// time, at the pace that its provider allows (guarantee 16). Loop thread only.
class Refresher {
  public:
    explicit Refresher(Unsealed& house) : house_(house) {}
    Refresher(const Refresher&) = delete;
    Refresher& operator=(const Refresher&) = delete;

    enum class By : std::uint8_t { lease, person }; ///< a lease keeps a back-off after failures, a person need not

    /// Gets tokens, or joins the request that is under way. `refresh_timeout`: it goes on, but nobody waits for it
    /// longer than until `deadline`. `rate_limited`: its turn comes later than that, by the provider's budget or its
    /// Retry-After. `overloaded`: too many others of its owner, or at its host, are under way. Else as get_tokens.
    [[nodiscard]] runtime::Task<result::Result<>> refresh(vocabulary::Scope scope, vocabulary::CredentialId id,
                                                          runtime::BootTime deadline, By by);

    /// Waits for its request under way, if there is one.
    [[nodiscard]] runtime::Task<> settle(vocabulary::CredentialId id, runtime::BootTime deadline);

    using Work = std::function<runtime::Task<result::Result<>>(const Refreshed&)>;
    /// Takes the place of a request for its tokens, until it ends.
    void fly(const vocabulary::Scope& scope, const vocabulary::CredentialId& id, Work work);
    /// Waits until all that is under way has ended.
    [[nodiscard]] runtime::Task<> settle_all(runtime::BootTime deadline);

    /// Its place in the schedule (oauth::refresh_at).
    [[nodiscard]] std::uint64_t seed_of(const vocabulary::Scope& scope, const vocabulary::CredentialId& id);
    /// After anything that changed a credential or its tokens: it is refreshed by itself when that is due.
    void plan(const vault::Entry& entry);
    /// At a start or unseal.
    void plan_all();
    /// Where many are planned at one time: its token has ended, and is due.
    [[nodiscard]] bool is_late(const vault::Entry& entry) const;
    /// … and, where it is late, in the `room` ahead.
    void plan_anew(const vault::Entry& entry, vocabulary::Duration room);
    /// The clock calls no more; what is under way goes on, what waits for its turn is refused.
    void quiet();
    [[nodiscard]] std::size_t under_way() const { return flights_.size(); }
    /// Its provider is asked now.
    [[nodiscard]] bool is_asking(const vocabulary::CredentialId& id) const;
    /// Its answer has been read, or none came.
    void has_read(const vocabulary::CredentialId& id);

  private:
    struct Waiter {
        runtime::Resume resume;
        std::uint64_t call = 0; ///< of its deadline
    };
    struct Flight {
        bool is_begun = false; ///< else it waits for its turn
        std::optional<result::Result<>> outcome{};
        std::list<Waiter> waiting{};
    };
    using FlightRef = std::shared_ptr<Flight>;

    /// The one that is under way or waits for its turn, else a new one.
    [[nodiscard]] result::Result<FlightRef>
    find_flight(const vocabulary::Scope& scope, const vocabulary::CredentialId& id, runtime::BootTime deadline, By by);
    void begin(const RefreshSchedule::Turn& turn);
    [[nodiscard]] runtime::Task<> run(Refreshed what);
    [[nodiscard]] runtime::Task<> run_work(Refreshed what, Work work);
    void end(const Refreshed& what, result::Result<> outcome);
    [[nodiscard]] runtime::Task<> wait(FlightRef flight, runtime::BootTime deadline);
    void land(const vocabulary::CredentialId& id, result::Result<> outcome);
    [[nodiscard]] bool is_of_another_clock(const vault::Entry& entry) const;
    [[nodiscard]] std::optional<vocabulary::Time> due_at(const vault::Entry& entry) const;
    [[nodiscard]] std::optional<RefreshSchedule::When> when(const vault::Entry& entry) const;
    void note_past(const vault::Entry& entry);
    void take_turns();
    void set_clock();

    Unsealed& house_;
    std::unordered_map<vocabulary::CredentialId, FlightRef> flights_;
    RefreshSchedule schedule_{house_.shares};
    std::uint64_t call_ = 0;
    runtime::BootTime call_at_{};
    runtime::BootTime rests_until_{};
};

} // namespace credlease::broker
