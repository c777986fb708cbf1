#pragma once

#include "catalog/oauth.hpp"
#include "runtime/boot_time.hpp"

#include <list>

namespace credlease::oauth {

/// Several entries may know one client: the narrower of their budgets holds.
[[nodiscard]] catalog::Budget narrower(const catalog::Budget& one, const catalog::Budget& other);

/// When one OAuth client may ask its provider for tokens: within the budget in any span of its length, no more at once
/// than it allows, and not before the provider wants it. Requests that nobody waits for are kept apart besides. Pure:
/// driven by the times that it is given, none earlier than the one before.
class Pace {
  public:
    static constexpr runtime::BootTime never = runtime::BootTime::max();

    explicit Pace(const catalog::Budget& budget) : budget_(budget) {}
    void narrow(const catalog::Budget& budget);

    /// When the next request may begin, in the past where it may now; `never`: when one has ended.
    [[nodiscard]] runtime::BootTime next() const;
    /// The same of a request that nobody waits for.
    [[nodiscard]] runtime::BootTime next_unasked() const;

    void begin(runtime::BootTime now);
    /// The next one that nobody waits for begins `apart` later; a few may make up for a moment in which none could.
    void begin_unasked(runtime::BootTime now, std::chrono::microseconds apart);
    void end() { --under_way_; }
    /// The provider's Retry-After.
    void hold(runtime::BootTime until) { held_until_ = std::max(held_until_, until); }
    /// A request that was made before this was there, and has ended.
    void note(runtime::BootTime begun);

    /// When it has nothing more to remember, and does as a new one would; `never` while a request is under way.
    [[nodiscard]] runtime::BootTime idle_at() const;

  private:
    using Apart = std::chrono::time_point<struct runtime::BootClock, std::chrono::microseconds>;
    void trim();

    catalog::Budget budget_;
    std::list<runtime::BootTime> begun_; ///< the last ones, as many as the budget counts
    std::uint32_t under_way_ = 0;
    runtime::BootTime held_until_{};
    Apart apart_until_{};
};

} // namespace credlease::oauth
