#include "api/rates.hpp"

#include <algorithm>

namespace credlease::api {

std::optional<std::uint32_t> Rates::must_wait(std::string_view principal, std::uint32_t per_second,
                                              runtime::BootTime now) {
    constexpr std::chrono::nanoseconds second = std::chrono::seconds(1);
    if (per_second == 0) return std::nullopt;
    auto found = done_at_.find(principal);
    if (found == done_at_.end()) {
        if (done_at_.size() >= forget_at_) {
            std::erase_if(done_at_, [&](const auto& known) { return known.second <= now; });
            forget_at_ = std::max(forget_above, 2 * done_at_.size());
        }
        found = done_at_.emplace(std::string(principal), Moment(now)).first;
    }
    const auto from = std::max(found->second, Moment(now));
    if (const auto ahead = from + second / per_second - now; ahead > second) {
        return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(ahead - second).count());
    }
    found->second = from + second / per_second;
    return std::nullopt;
}

} // namespace credlease::api
