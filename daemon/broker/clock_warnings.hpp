#pragma once

#include "broker/grant_clocks.hpp"

namespace credlease::broker {

/// Warns people before a clock ends that no refresh stops: once at each of its times (oauth/endings.hpp), by a record
/// and a line of the log, and of a credential by an event. Nothing is kept of it: who knows until when was warned looks
/// at all grants, and tells of what has come since; after a restart that is when the log ends. Loop thread only.
class ClockWarnings {
  public:
    /// Until `told_until` others have warned.
    ClockWarnings(Unsealed& house, vocabulary::Time told_until) : house_(house), told_until_(told_until) {}
    ClockWarnings(const ClockWarnings&) = delete;
    ClockWarnings& operator=(const ClockWarnings&) = delete;

    /// After a change that may have set a clock nearer.
    void look_soon();
    /// The clock calls no more.
    void quiet();
    /// How many clocks run out, or have: at the last look.
    [[nodiscard]] std::size_t ending() const { return ending_; }
    /// Of those that run out, whose.
    struct Ending {
        oauth::RunningClock clock;
        std::string service{};
        std::string credential{}, name{}; ///< empty: of the organization's client for the service
    };
    /// The one that ends first.
    [[nodiscard]] const std::optional<Ending>& first_ending() const { return first_; }

  private:
    struct Look {
        vocabulary::Time until{};
        vocabulary::Time next{}; ///< when to look again
        std::size_t ending = 0;
        std::optional<Ending> first{};

        [[nodiscard]] bool is_first(const oauth::RunningClock& clock) const {
            return oauth::last_warning(clock, until) && (!first || clock.ends < first->clock.ends);
        }
    };

    [[nodiscard]] runtime::Task<> look();
    void look_at(const vault::Entry& entry, Look& look);
    void look_at(const vault::OAuthClient& client, Look& look);
    /// Whether it is to be warned of now.
    [[nodiscard]] bool is_due(const oauth::RunningClock& clock, Look& look) const;
    void set_clock(runtime::BootTime at);

    Unsealed& house_;
    vocabulary::Time told_until_;
    std::size_t ending_ = 0;
    std::optional<Ending> first_{};
    bool is_looking_ = false;
    bool must_look_again_ = false;
    std::uint64_t call_ = 0;
    runtime::BootTime call_at_{};
};

} // namespace credlease::broker
