#define BOOST_TEST_DYN_LINK
#include "world.hpp"

#include <boost/asio/steady_timer.hpp>

#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <thread>

namespace credlease::outbound::test {
namespace {

constexpr auto soon = 100ms;
constexpr auto long_enough_to_send = 3000ms;

struct Impatient : World {
    Impatient() {
        Options options = trusting();
        options.timeout = soon;
        make(std::move(options));
    }
    ~Impatient() { let_go(); }
};

std::vector<secret::SecretBuffer> fill_tokens(secret::Arena& arena, std::size_t slot) {
    std::vector<secret::SecretBuffer> all;
    while (auto one = secret::SecretBuffer::make(arena, slot, secret::Share::tokens)) all.push_back(std::move(*one));
    return all;
}

BOOST_FIXTURE_TEST_SUITE(deadlines, Impatient)

BOOST_AUTO_TEST_CASE(the_deadline_holds_for_a_look_up_that_hangs) {
    hang("silent.test");
    const auto outcome = send(request("https://silent.test/"));
    BOOST_TEST(failure_of(outcome).starts_with("The provider's host name was not looked up in time (silent.test)"));
    BOOST_TEST(!was_sent(outcome));
}

BOOST_AUTO_TEST_CASE(the_deadline_holds_for_the_handshake) {
    const auto outcome = ask("mute", "/echo");
    BOOST_TEST(failure_of(outcome).starts_with("The provider did not finish the TLS handshake in time"));
    BOOST_TEST(!was_sent(outcome));
}

BOOST_AUTO_TEST_CASE(the_deadline_holds_for_the_request_which_then_may_have_been_sent_in_part) {
    const auto outcome = ask("deaf_plain", "/", std::string(100'000, 'x'));
    BOOST_TEST(failure_of(outcome).starts_with("The provider did not take the request in time"), failure_of(outcome));
    BOOST_TEST(was_sent(outcome));
}

BOOST_AUTO_TEST_CASE(the_deadline_holds_for_the_answer) {
    Options options = trusting();
    options.timeout = long_enough_to_send;
    BOOST_REQUIRE(client->set(std::move(options)).has_value());
    std::vector<std::optional<Outcome>> outcomes;
    outcomes.reserve(6);
    for (const auto* raw : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "HTTP/1.1 100 Continue\r\n\r\n"}) {
        for (const auto* listener : {"good", "plain"})
            start(request(Provider::get().url(listener, "/held"), raw), outcomes.emplace_back());
    }
    finish();
    for (const auto& each : outcomes) {
        BOOST_TEST(failure_of(*each).starts_with("The provider did not answer in time"), failure_of(*each));
        BOOST_TEST(was_sent(*each));
    }
}

BOOST_AUTO_TEST_CASE(a_look_up_that_hangs_delays_no_other_name) {
    hang("silent.test");
    set_addresses("provider.test", {"127.0.0.1"});
    const auto before = lookups_of("silent.test");
    std::vector<std::optional<Outcome>> silent(24); // more than look names up at once
    for (auto& each : silent) start(request("https://silent.test/"), each);
    begin();
    std::optional<Outcome> other;
    BOOST_REQUIRE(client->set(trusting()).has_value());
    start(request(Provider::get().url("good", "/echo", "provider.test")), other);
    finish();
    BOOST_TEST(other->has_value());
    BOOST_TEST(lookups_of("silent.test") == before + 1);
    for (const auto& each : silent)
        BOOST_TEST(failure_of(*each).contains("was not looked up in time"), failure_of(*each));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(hardship, World)

BOOST_AUTO_TEST_CASE(the_thread_that_shakes_hands_lets_the_loop_go_first) {
    const int of_the_loop = ::getpriority(PRIO_PROCESS, 0);
    (void)ask("good", "/echo"); // its thread runs
    int found = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm") >> std::ws, name);
        if (name != "outbound") continue;
        ++found;
        const auto thread = static_cast<id_t>(std::stoul(task.path().filename()));
        BOOST_TEST(::getpriority(PRIO_PROCESS, thread) > of_the_loop);
    }
    BOOST_TEST(found == 1);
}

BOOST_AUTO_TEST_CASE(many_exchanges_are_under_way_at_once) {
    std::vector<std::optional<Outcome>> outcomes(32);
    for (auto& each : outcomes) start(request(Provider::get().url("good", "/echo"), "x"), each);
    begin();
    BOOST_TEST(client->under_way() == outcomes.size());
    finish();
    for (const auto& each : outcomes) BOOST_TEST(each->has_value(), failure_of(*each));
    BOOST_TEST(client->under_way() == 0u);
    BOOST_TEST(arena->used(secret::Share::tokens) > 0u);
    outcomes.clear();
    BOOST_TEST(arena->used(secret::Share::tokens) == 0u);
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_ends_what_is_under_way_with_was_sent_as_it_stood) {
    hang("silent.test");
    std::vector<std::optional<Outcome>> outcomes(4);
    start(request("https://silent.test/"), outcomes[0]);
    start(request(Provider::get().url("mute", "/")), outcomes[1]);
    const std::string large = "HTTP/1.1 200 OK\r\nX: " + std::string(5000, 'x');
    start(request(Provider::get().url("good", "/held"), large), outcomes[2]);
    start(request(Provider::get().url("plain", "/held"), large), outcomes[3]);
    begin();
    // What was sent is no longer in the arena; what comes back may wait there.
    while (arena->used(secret::Share::tokens) >= 4 * 8192 + 8192) std::this_thread::yield();
    client.reset();
    finish();
    for (const auto& each : outcomes)
        BOOST_TEST(failure_of(*each).starts_with("The broker stopped before the provider had answered"));
    BOOST_TEST(!was_sent(*outcomes[0]));
    BOOST_TEST(!was_sent(*outcomes[1]));
    BOOST_TEST(was_sent(*outcomes[2]));
    BOOST_TEST(was_sent(*outcomes[3]));
    BOOST_TEST(arena->used(secret::Share::tokens) == 0u);
    let_go();
}

BOOST_AUTO_TEST_CASE(a_client_may_go_at_once) {
    std::vector<std::optional<Outcome>> outcomes(8);
    for (auto& each : outcomes) start(request(Provider::get().url("good", "/echo"), "x"), each);
    begin();
    client.reset();
    finish();
    for (const auto& each : outcomes) BOOST_TEST(each.has_value());
}

BOOST_AUTO_TEST_CASE(a_loop_that_ends_first_takes_its_waiting_tasks_with_it) {
    std::optional<Outcome> outcome;
    auto other = std::make_unique<runtime::Loop>();
    auto made = Client::make(*other, *arena, trusting());
    BOOST_REQUIRE(made.has_value());
    {
        runtime::TaskGroup own(*other);
        Request held = request(Provider::get().url("good", "/held"), "HTTP/1.1 200 OK\r\n");
        own.start(keep((*made)->send(std::move(held)), outcome));
        other->context().poll();
        made->reset();
    }
    other.reset();
    BOOST_TEST(!outcome.has_value());
    BOOST_TEST(arena->used(secret::Share::tokens) == 0u);
}

BOOST_AUTO_TEST_CASE(a_task_that_was_cancelled_gets_its_answer_all_the_same) {
    std::optional<Outcome> outcome;
    start(request(Provider::get().url("good", "/echo"), "x"), outcome);
    begin();
    tasks.cancel();
    finish();
    BOOST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->has_value());
}

BOOST_AUTO_TEST_CASE(with_a_full_arena_nothing_is_sent) {
    Request made = request(Provider::get().url("good", "/echo"), "x");
    const auto full = fill_tokens(*arena, 4096);
    const auto outcome = send(std::move(made));
    BOOST_REQUIRE(!outcome.has_value());
    BOOST_CHECK(outcome.error().error.code == result::ErrorCode::overloaded);
    BOOST_TEST(!outcome.error().was_sent);
}

BOOST_AUTO_TEST_CASE(an_answer_waits_for_room_in_the_arena) {
    client.reset();
    arena =
        std::move(*secret::Arena::make({.size = std::size_t{512} << 10})); // 64 KiB for tokens, a quarter to read in
    make(trusting());
    auto held = secret::SecretBuffer::make(*arena, 32768, secret::Share::tokens);
    BOOST_REQUIRE(held.has_value());
    std::optional<Outcome> outcome;
    start(request(Provider::get().url("good", "/large/10000")), outcome);
    boost::asio::steady_timer later(loop.context(), 200ms);
    later.async_wait([&](boost::system::error_code) {
        BOOST_TEST(!outcome.has_value());
        held->reset();
    });
    finish();
    BOOST_TEST(body_of(*outcome).size() == 10000u);
}

BOOST_AUTO_TEST_CASE(an_answer_that_the_arena_can_never_hold_says_so) {
    client.reset();
    arena = std::move(*secret::Arena::make({.size = std::size_t{256} << 10}));
    make(trusting());
    const auto outcome = ask("good", "/large/20000");
    BOOST_TEST(failure_of(outcome).starts_with("The provider's answer does not fit into the locked memory"));
    BOOST_TEST(was_sent(outcome));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound::test
