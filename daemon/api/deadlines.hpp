#pragma once

#include "api/connections.hpp"
#include "runtime/clock.hpp"

#include <array>
#include <functional>
#include <optional>

namespace credlease::api {

/// When each connection has waited long enough. One list for each kind of waiting: all of a kind wait equally long, so
/// a list stays sorted by itself. The clock is asked for one call at a time, and for none while nobody waits.
class Deadlines {
  public:
    /// `passed` is told of each connection whose time has come; by then it waits for nothing.
    Deadlines(runtime::Clock& clock, Connections& connections, std::function<void(Connection&, Waiting)> passed);
    ~Deadlines();
    Deadlines(const Deadlines&) = delete;
    Deadlines& operator=(const Deadlines&) = delete;

    /// From now on; what it waited for before is forgotten.
    void start(Connection& connection, Waiting waiting);
    void stop(Connection& connection);

  private:
    struct List {
        std::uint32_t first = no_slot;
        std::uint32_t last = no_slot;
    };
    [[nodiscard]] List& list_of(Waiting waiting) { return lists_[static_cast<std::size_t>(waiting) - 1]; }
    [[nodiscard]] std::optional<runtime::BootTime> earliest();
    void wake_at(runtime::BootTime when);
    void ring();

    runtime::Clock& clock_;
    Connections& connections_;
    std::function<void(Connection&, Waiting)> passed_;
    std::array<List, 4> lists_{};
    std::uint64_t call_ = 0; ///< 0: none asked for
    runtime::BootTime call_time_{};
};

} // namespace credlease::api
