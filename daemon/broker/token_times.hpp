#pragma once

#include "vocabulary/time.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::broker {

/// How long something took, each time: counted in steps that double.
class Durations {
  public:
    static constexpr std::size_t steps = 18;
    /// The upper end of a step; the last has none.
    [[nodiscard]] static constexpr vocabulary::Duration end_of(std::size_t step) {
        return vocabulary::Duration(std::int64_t{1} << step);
    }

    void add(vocabulary::Duration took);
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] vocabulary::Duration sum() const { return sum_; }
    [[nodiscard]] vocabulary::Duration last() const { return last_; }
    [[nodiscard]] vocabulary::Duration most() const { return most_; }
    [[nodiscard]] const std::array<std::uint64_t, steps>& in_step() const { return in_step_; }
    /// Not less than this part of them took, to a step's width; at most `most`.
    [[nodiscard]] vocabulary::Duration quantile(double part) const;

  private:
    std::uint64_t count_ = 0;
    vocabulary::Duration sum_{}, last_{}, most_{};
    std::array<std::uint64_t, steps> in_step_{};
};

/// What refreshes cost whoever holds a token, and what a crash could cost, by service; since the broker was unsealed.
class TokenTimes {
  public:
    struct OfService {
        Durations until_durable{}; ///< from an answer that was read to its tokens on the disk: our part of guarantee 7
        Durations refused{};       ///< from a request that kills the live access token to the telling of its successor
    };
    /// A refresh whose tokens are on the disk and were told of.
    struct Refresh {
        vocabulary::Duration since_request{};
        vocabulary::Duration since_answer{};
        bool kills_access_token = false;
    };
    void note(std::string_view service, const Refresh& refresh);

    [[nodiscard]] const auto& by_service() const { return by_service_; }
    /// The last time that was measured of `OfService::refused`.
    [[nodiscard]] std::optional<vocabulary::Duration> last_refused(std::string_view service) const;

  private:
    std::map<std::string, OfService, std::less<>> by_service_;
};

} // namespace credlease::broker
