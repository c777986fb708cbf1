#pragma once

#include "api/connections.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace credlease::api {

/// How the visits of a turn are shared out between uids and, within each, between grants (`Connection::turn_class`).
class TurnShares {
  public:
    void begin_turn();
    /// Whether the next visit of this turn may go to it before anybody gets more than their share; if so, it is
    /// counted.
    [[nodiscard]] bool take_first(const Connection& connection);
    /// The same for what is left of the turn.
    [[nodiscard]] bool take_more(const Connection& connection);
    /// A request came over it.
    void came(const Connection& connection);

  private:
    /// Whether several of a kind have been about lately.
    class Company {
      public:
        void came(std::uint32_t who, std::uint64_t turn);
        [[nodiscard]] bool is_mixed(std::uint64_t turn) const;

      private:
        std::optional<std::uint32_t> last_;  ///< who came last
        std::optional<std::uint64_t> mixed_; ///< the last turn in which somebody else came than before
    };

    [[nodiscard]] bool has_its_part(const Connection& connection) const;
    void count(const Connection& connection);

    std::uint64_t turn_ = 0;
    std::uint32_t visits_ = 0;                       ///< in this turn
    std::array<std::uint8_t, turn_classes> taken_{}; ///< of them, by class
    Company classes_;
    Company uids_;
};

} // namespace credlease::api
