#include "broker/exchange_shares.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

std::size_t held_by(const std::map<std::string, std::size_t>& held, const std::string& name) {
    const auto found = held.find(name);
    return found == held.end() ? 0 : found->second;
}

} // namespace

bool ExchangeShares::take(const Claim& claim) {
    const auto bytes = size_of(claim);
    const auto of_owner = held_by(by_owner_, claim.owner);
    const auto of_host = held_by(by_host_, claim.host);
    if (bytes > free_) return false;
    if (of_owner > 0 && 4 * (free_ - bytes) < all_) return false; // which is for those that have none
    if (of_owner > 0 && 2 * (of_owner + bytes) > free_) return false;
    if (of_host > 0 && of_host + bytes > free_) return false;
    free_ -= bytes;
    by_owner_[claim.owner] += bytes;
    by_host_[claim.host] += bytes;
    return true;
}

void ExchangeShares::give_back(const Claim& claim) {
    const auto bytes = size_of(claim);
    if (bytes == 0) return;
    free_ += bytes;
    take_off(by_owner_, claim.owner, bytes);
    take_off(by_host_, claim.host, bytes);
}

/// What is larger than all of it waits until nothing is under way.
std::size_t ExchangeShares::size_of(const Claim& claim) const { return std::min(claim.bytes, all_); }

void ExchangeShares::take_off(Held& held, const std::string& name, std::size_t bytes) {
    const auto found = held.find(name);
    found->second -= bytes;
    if (found->second == 0) held.erase(found);
}

} // namespace credlease::broker
