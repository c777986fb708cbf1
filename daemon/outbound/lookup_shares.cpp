#include "outbound/lookup_shares.hpp"

#include <utility>

namespace credlease::outbound {

LookupShares::Ticket LookupShares::ask(std::string host, std::string owner) {
    const Ticket ticket = ++last_ticket_;
    Name& name = names_[host];
    name.asked.insert(ticket);
    if (!name.begun_for) {
        Owner& own = owners_[owner];
        if (own.line.empty()) own.turn = ++last_turn_; // behind those that wait already
        own.line.insert(ticket);
    }
    asks_.emplace(ticket, Ask{.host = std::move(host), .owner = std::move(owner)});
    return ticket;
}

void LookupShares::give_up(Ticket ticket) {
    const auto ask = asks_.extract(ticket);
    if (!ask) return;
    const auto name = names_.find(ask.mapped().host);
    name->second.asked.erase(ticket);
    if (name->second.begun_for) return; // getaddrinfo(3) can't be told to end: its thread is taken until it does
    leave_line(ask.mapped().owner, ticket);
    if (name->second.asked.empty()) names_.erase(name);
}

bool LookupShares::may_begin(const Owner& owner) const {
    if (owner.line.empty() || free_ == 0) return false;
    if (owner.at_work == 0) return true;
    const auto left = free_ - 1;
    return 4 * left >= all_ && owner.at_work + 1 <= left;
}

std::optional<LookupShares::Next> LookupShares::next() const {
    const Owners::value_type* first = nullptr;
    for (const auto& each : owners_) {
        if (may_begin(each.second) && (first == nullptr || each.second.turn < first->second.turn)) first = &each;
    }
    if (first == nullptr) return std::nullopt;
    return Next{.host = asks_.at(*first->second.line.begin()).host, .owner = first->first};
}

void LookupShares::begin(const Next& next) {
    --free_;
    Owner& own = owners_.at(next.owner);
    ++own.at_work;
    own.turn = ++last_turn_;
    Name& name = names_.at(next.host);
    name.begun_for = next.owner;
    for (const Ticket ticket : name.asked) leave_line(asks_.at(ticket).owner, ticket);
}

std::vector<LookupShares::Ticket> LookupShares::end(const std::string& host) {
    const auto ended = names_.extract(host);
    const Name& name = ended.mapped();
    ++free_;
    const auto owner = owners_.find(*name.begun_for);
    --owner->second.at_work;
    drop_if_idle(owner);
    for (const Ticket ticket : name.asked) asks_.erase(ticket);
    return {name.asked.begin(), name.asked.end()};
}

void LookupShares::leave_line(const std::string& owner, Ticket ticket) {
    const auto found = owners_.find(owner);
    found->second.line.erase(ticket);
    drop_if_idle(found);
}

void LookupShares::drop_if_idle(Owners::iterator owner) {
    if (owner->second.line.empty() && owner->second.at_work == 0) owners_.erase(owner);
}

} // namespace credlease::outbound
