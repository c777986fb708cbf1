#include "kill_ledger.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

namespace credlease::tests {
namespace {

std::string text_at(const Provider::Line& line, const char* member) {
    const auto* value = line.if_contains(member);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

} // namespace

void KillLedger::read() {
    for (std::string part; std::getline(log_, part);) {
        rest_ += part;
        if (log_.eof()) break;
        take(boost::json::parse(std::exchange(rest_, {})).as_object());
    }
    log_.clear();
}

void KillLedger::take(const Provider::Line& line) {
    const auto hash = text_at(line, "token");
    if (hash.empty()) return;
    const auto state = text_at(line, "state");
    const auto grant = text_at(line, "provider") + " " + text_at(line, "grant");
    ++refreshes_;
    const auto [at, is_new] = tokens_.try_emplace(hash, Token{.first_used_in = life_, .grant = grant});
    auto& token = at->second;
    const bool is_again = !is_new && token.last_used_in < life_;
    if (is_again) ++unanswered_;
    if (state != "live") {
        BOOST_REQUIRE_MESSAGE(is_again, "used twice in one life: " << boost::json::serialize(line));
        const bool has_grace = state == "grace";
        if (!has_grace) ++uses_of_spent_;
    }
    token.last_used_in = life_;
    if (const auto next = text_at(line, "next"); !next.empty()) token.next = next;
    last_of_[grant] = hash;
}

bool KillLedger::has_lost_an_answer(const std::string& provider, const std::string& grant) const {
    const auto last = last_of_.find(provider + " " + grant);
    if (last == last_of_.end()) return false;
    const auto& token = tokens_.at(last->second);
    return !token.next.empty() && !tokens_.contains(token.next) && token.first_used_in < token.last_used_in;
}

} // namespace credlease::tests
