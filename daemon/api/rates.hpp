#pragma once

#include "runtime/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace credlease::api {

/// `[limits] requests_per_second`: how often one grant or rule may ask, a second's worth of it at once. The generic
/// cell rate algorithm: one point in time a caller, no timer.
class Rates {
  public:
    /// nullopt: it may. Otherwise when to come again, in whole seconds. `per_second` 0: everyone may.
    [[nodiscard]] std::optional<std::uint32_t> must_wait(std::string_view principal, std::uint32_t per_second,
                                                         runtime::BootTime now);

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    using Moment = std::chrono::time_point<runtime::BootTime::clock, std::chrono::nanoseconds>;
    static constexpr std::size_t forget_above = 4096; ///< callers; then those who are not in debt are forgotten

    /// When the requests that were let through would be done, at the given rate.
    std::unordered_map<std::string, Moment, Hash, std::equal_to<>> done_at_;
    std::size_t forget_at_ = forget_above;
};

} // namespace credlease::api
