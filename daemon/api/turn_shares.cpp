#include "api/turn_shares.hpp"

#include <utility>

namespace credlease::api {
namespace {

/// Visits that each class of connections, and each uid with all of its classes, gets before any gets more.
constexpr std::uint8_t class_share = 2;
constexpr std::uint32_t uid_share = 4;
/// Visits of a turn, unless the shares of many uids are more.
constexpr std::uint32_t visits_a_turn = 16;
/// Whoever comes in the middle of a turn waits for its end. So one class gets no more of it than this while others are
/// about, and one uid no more than its share; a crowd that is alone is better served by long turns.
constexpr std::uint8_t class_most = 6;
/// For so many turns others are about: tens of milliseconds beside a crowd.
constexpr std::uint64_t about = 256;

} // namespace

void TurnShares::begin_turn() {
    ++turn_;
    visits_ = 0;
    taken_.fill(0);
}

void TurnShares::count(const Connection& connection) {
    ++visits_;
    ++taken_[connection.turn_class];
    ++connection.account->visits;
}

bool TurnShares::take_first(const Connection& connection) {
    Account& account = *connection.account;
    if (std::exchange(account.turn, turn_) != turn_) account.visits = 0;
    if (taken_[connection.turn_class] >= class_share || account.visits >= uid_share) return false;
    count(connection);
    return true;
}

bool TurnShares::take_more(const Connection& connection) {
    if (visits_ >= visits_a_turn || has_its_part(connection)) return false;
    count(connection);
    return true;
}

bool TurnShares::has_its_part(const Connection& connection) const {
    return (classes_.is_mixed(turn_) && taken_[connection.turn_class] >= class_most) ||
           (uids_.is_mixed(turn_) && connection.account->visits >= uid_share);
}

void TurnShares::came(const Connection& connection) {
    classes_.came(connection.turn_class, turn_);
    uids_.came(connection.account->uid, turn_);
}

void TurnShares::Company::came(std::uint32_t who, std::uint64_t turn) {
    if (last_ && *last_ != who) mixed_ = turn;
    last_ = who;
}

bool TurnShares::Company::is_mixed(std::uint64_t turn) const { return mixed_ && turn - *mixed_ < about; }

} // namespace credlease::api
