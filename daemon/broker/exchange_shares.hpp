#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace credlease::broker {

/// What an exchange takes of the arena until its answer has been read, beside the tokens and fields that it is made
/// from.
inline constexpr std::size_t usual_exchange = std::size_t{9} * 1024;

/// The room for exchanges with providers, in bytes of the arena, shared out so that no owner of OAuth clients and no
/// host that hangs takes the room of the others (guarantee 19): one owner has at most half as much as it leaves free,
/// all exchanges with one host together at most as much, and the last quarter is for owners that have none under way:
/// these need only what it takes.
class ExchangeShares {
  public:
    struct Claim {
        std::string owner{}; ///< ClientKey
        std::string host{};
        std::size_t bytes = 0;
    };

    explicit ExchangeShares(std::size_t bytes) : all_(bytes), free_(bytes) {}
    ExchangeShares(const ExchangeShares&) = delete;
    ExchangeShares& operator=(const ExchangeShares&) = delete;

    [[nodiscard]] std::size_t all() const { return all_; }
    /// False: not now.
    [[nodiscard]] bool take(const Claim& claim);
    void give_back(const Claim& claim);

  private:
    using Held = std::map<std::string, std::size_t>;
    [[nodiscard]] std::size_t size_of(const Claim& claim) const;
    static void take_off(Held& held, const std::string& name, std::size_t bytes);

    std::size_t all_;
    std::size_t free_;
    Held by_owner_, by_host_; ///< of those that have some under way
};

} // namespace credlease::broker
