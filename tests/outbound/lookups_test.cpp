#define BOOST_TEST_DYN_LINK
#include "world.hpp"

#include <thread>

namespace credlease::outbound::test {
namespace {

constexpr auto soon = 100ms;
constexpr auto in_time = 5000ms;

/// Hosts whose name services are silent, more than look names up at once, and a provider whose host is found at once.
struct SilentNames : World {
    static constexpr std::size_t many = 40;

    SilentNames() { set_addresses("provider.test", {"127.0.0.1"}); }
    ~SilentNames() { let_go(); }

    static std::string name(std::size_t i) {
        return boost::unit_test::framework::current_test_case().p_name.get() + std::to_string(i) + ".test";
    }
    void wait_at_most(std::chrono::milliseconds timeout) {
        Options options = trusting();
        options.timeout = timeout;
        BOOST_REQUIRE(client->set(std::move(options)).has_value());
    }
    [[nodiscard]] Request request_of(const std::string& owner, std::string url) const {
        Request made = request(std::move(url));
        made.on_behalf_of = owner;
        return made;
    }
    /// Begins a request to each of them; owners by turns.
    void start_silent(const std::vector<std::string>& owners) {
        for (std::size_t i = 0; i < many; ++i) {
            hang(name(i));
            start(request_of(owners.at(i % owners.size()), "https://" + name(i) + "/"), silent.at(i));
        }
        begin();
    }
    [[nodiscard]] Request served(const std::string& owner) const {
        return request_of(owner, Provider::get().url("good", "/echo", "provider.test"));
    }
    [[nodiscard]] static std::size_t begun() {
        std::size_t count = 0;
        for (std::size_t i = 0; i < many; ++i) count += lookups_of(name(i));
        return count;
    }
    [[nodiscard]] static bool begin_in_time(std::size_t count) {
        const auto end = std::chrono::steady_clock::now() + in_time;
        while (begun() != count) {
            if (std::chrono::steady_clock::now() > end) return false;
            std::this_thread::sleep_for(1ms);
        }
        return true;
    }

    /// Until an answer came the silent ones hang; whether it came before the first of them was told.
    runtime::Task<> send_beside(std::optional<Outcome>& outcome, bool& came_first) {
        outcome = co_await client->send(served("other"));
        came_first = !silent.front().has_value();
        let_go();
    }

    std::vector<std::optional<Outcome>> silent{many};
};

BOOST_FIXTURE_TEST_SUITE(lookups, SilentNames)

BOOST_AUTO_TEST_CASE(an_owner_whose_names_hang_leaves_others_on_time) {
    wait_at_most(in_time);
    start_silent({"greedy"});
    std::optional<Outcome> other;
    bool came_first = false;
    tasks.start(send_beside(other, came_first));
    finish();
    BOOST_TEST(other->has_value(), failure_of(*other));
    BOOST_TEST(came_first);
}

BOOST_AUTO_TEST_CASE(of_an_owner_whose_names_hang_half_of_the_threads_wait) {
    wait_at_most(soon);
    start_silent({"greedy"});
    finish();
    BOOST_TEST(begun() == 8u);
}

BOOST_AUTO_TEST_CASE(a_name_that_nobody_waits_for_any_more_is_not_looked_up) {
    wait_at_most(soon);
    start_silent({"greedy"});
    finish();
    for (const auto& each : silent)
        BOOST_TEST(failure_of(*each).contains("was not looked up in time"), failure_of(*each));
    wait_at_most(in_time);
    let_go();
    const auto last = send(served("greedy")); // behind them
    BOOST_TEST(last.has_value(), failure_of(last));
    BOOST_TEST(begun() == 8u);
}

BOOST_AUTO_TEST_CASE(what_waits_for_a_thread_gets_one_when_others_have_ended) {
    wait_at_most(in_time);
    for (std::size_t i = 0; i < many; ++i) set_addresses(name(i), {"127.0.0.1"});
    start_silent({"greedy"});
    let_go();
    finish();
    BOOST_TEST(begun() == many);
    for (const auto& each : silent)
        BOOST_TEST(!failure_of(*each).contains("was not looked up in time"), failure_of(*each));
}

BOOST_AUTO_TEST_CASE(a_thread_that_ends_begins_another_where_there_is_room_for_two) {
    wait_at_most(in_time);
    start_silent({"one", "other"});
    BOOST_TEST(begin_in_time(10));
    let_go(name(1));
    BOOST_TEST(begin_in_time(12));
    let_go();
    finish();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound::test
