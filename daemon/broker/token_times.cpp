#include "broker/token_times.hpp"

#include <algorithm>
#include <cmath>

namespace credlease::broker {

using vocabulary::Duration;

void Durations::add(Duration took) {
    took = std::max(took, Duration::zero());
    std::size_t step = 0;
    while (step + 1 < steps && took > end_of(step)) ++step;
    ++in_step_[step];
    ++count_;
    sum_ += took;
    last_ = took;
    most_ = std::max(most_, took);
}

Duration Durations::quantile(double part) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(static_cast<double>(count_) * part));
    std::uint64_t seen = 0;
    for (std::size_t step = 0; step + 1 < steps; ++step) {
        seen += in_step_[step];
        if (seen >= wanted) return std::min(end_of(step), most_);
    }
    return most_;
}

void TokenTimes::note(std::string_view service, const Refresh& refresh) {
    auto& times = by_service_[std::string(service)];
    times.until_durable.add(refresh.since_answer);
    if (refresh.kills_access_token) times.refused.add(refresh.since_request);
}

std::optional<Duration> TokenTimes::last_refused(std::string_view service) const {
    const auto found = by_service_.find(service);
    if (found == by_service_.end() || found->second.refused.count() == 0) return std::nullopt;
    return found->second.refused.last();
}

} // namespace credlease::broker
