#include "broker/send_in_share.hpp"

#include "catalog/url.hpp"

namespace credlease::broker {
namespace {

constexpr int looks_most = 200; ///< five seconds
constexpr std::chrono::milliseconds between_looks{25};

/// Gives it back, whatever becomes of the task.
class Held {
  public:
    Held(ExchangeShares& shares, const ExchangeShares::Claim& claim) : shares_(shares), claim_(claim) {}
    ~Held() { shares_.give_back(claim_); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

  private:
    ExchangeShares& shares_;
    const ExchangeShares::Claim& claim_;
};

outbound::Outcome no_share() {
    result::Error error{.code = result::ErrorCode::overloaded,
                        .sentence = "Too many requests to providers are under way.",
                        .next_step = "Ask again in a moment.",
                        .retry_after_seconds = 1};
    return std::unexpected(outbound::Failed{.error = std::move(error), .was_sent = false});
}

} // namespace

runtime::Task<outbound::Outcome> send_in_share(Unsealed& house, std::string owner, outbound::Request request) {
    const ExchangeShares::Claim claim{.owner = owner + " by hand",
                                      .host = std::string(catalog::find_host(request.url).value_or(request.url)),
                                      .bytes = usual_exchange + request.body.size()};
    const auto takes = [&] { return house.parts.outbound.has_room() && house.shares.take(claim); };
    bool has_share = takes();
    for (int looks = 0; looks < looks_most && !has_share; ++looks) {
        co_await house.parts.clock.sleep_until(house.parts.clock.boot() + between_looks);
        has_share = takes();
    }
    if (!has_share) co_return no_share();
    const Held held(house.shares, claim);
    request.on_behalf_of = claim.owner;
    co_return co_await house.parts.outbound.send(std::move(request));
}

} // namespace credlease::broker
