#define BOOST_TEST_DYN_LINK
#include "refresh_house.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <barrier>
#include <set>
#include <thread>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;

namespace {

constexpr int workers = 100;

/// What a hundred that ask at once were answered, and what the provider was asked by then.
struct Answers {
    std::atomic<int> served = 0, timed_out = 0, others = 0;
    std::size_t requests_before = 0; ///< token requests of the grant, a moment before they ask
};

/// They ask when the token ends: its refresh before that failed, and is tried again later.
void ask_at_the_end(RefreshHouse& house, const RefreshHouse::Connected& one, Answers& answers) {
    auto lease = house.client.lease({.credential = one.name});
    BOOST_REQUIRE(lease.ok());
    const auto end = lease->expires_at() + 20ms; // the clocks of leases and tokens differ by a millisecond
    std::barrier all(workers);
    std::vector<std::jthread> threads;
    std::jthread counts([&] {
        std::this_thread::sleep_until(end - 100ms);
        answers.requests_before = house.requests(one).size();
    });
    for (int i = 0; i < workers; ++i) {
        threads.emplace_back([&] {
            auto client = client_of(house.daemon);
            (void)ask(client, "GET", "/v1/whoami"); // its connection is there
            all.arrive_and_wait();
            std::this_thread::sleep_until(end);
            const std::string body = R"({"credential":")" + one.name + "\"}";
            const auto leased = ask(client, "POST", "/v1/leases", body, Client::Door::lease);
            if (leased.status == 201U) {
                ++answers.served;
            } else if (leased.code == "refresh_timeout") {
                ++answers.timed_out;
            } else {
                ++answers.others;
            }
        });
    }
}

/// No refresh token was sent twice. The new one may have been used already: it is due again soon.
bool each_token_was_sent_once(const RefreshHouse& house, const RefreshHouse::Connected& one) {
    std::set<std::string> sent;
    std::size_t refreshes = 0;
    for (const auto& line : house.requests(one)) {
        const auto* token = line.if_contains("token");
        if (token == nullptr) continue; // the code's
        ++refreshes;
        sent.emplace(token->as_string());
    }
    return refreshes > 0 && sent.size() == refreshes;
}

} // namespace

/// Seconds of an access token. Its first refresh comes when no connection is kept any more (four seconds), or it would
/// be made anew at once; and the next one long after all have been answered.
constexpr int life = 12;

BOOST_AUTO_TEST_SUITE(one_refresh)

BOOST_AUTO_TEST_CASE(a_hundred_that_ask_at_the_instant_of_expiry_are_one_request) {
    RefreshHouse house(life);
    const auto one = house.connect("one", "rotating");
    house.misbehave("rotating", {{"do", "drop_before"}});
    house.misbehave("rotating", {{"do", "slow"}, {"nth", 2}, {"before_ms", 700}});
    Answers answers;
    ask_at_the_end(house, one, answers);
    BOOST_TEST(answers.served == workers);
    BOOST_TEST(house.requests(one).size() == answers.requests_before + 1);
    BOOST_TEST(each_token_was_sent_once(house, one));
}

BOOST_AUTO_TEST_CASE(whoever_waits_too_long_fails_and_never_refreshes) {
    RefreshHouse house(life, {.config = "timeout = \"8s\"\n"}); // a lease waits half of it
    const auto one = house.connect("one", "rotating");
    house.misbehave("rotating", {{"do", "drop_before"}});
    house.misbehave("rotating", {{"do", "slow"}, {"nth", 2}, {"before_ms", 7000}});
    Answers answers;
    ask_at_the_end(house, one, answers);
    BOOST_TEST(answers.timed_out == workers);
    BOOST_TEST(house.wait_for_requests(one, answers.requests_before + 1));
    BOOST_TEST(house.requests(one).size() == answers.requests_before + 1);
    BOOST_TEST(!house.token_of(one).empty()); // what they asked for came, and serves
    BOOST_TEST(each_token_was_sent_once(house, one));
}

BOOST_AUTO_TEST_SUITE_END()
