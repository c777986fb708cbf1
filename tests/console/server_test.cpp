#define BOOST_TEST_DYN_LINK
#include "console/server.hpp"
#include "support/page_client.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>
#include <future>
#include <memory>
#include <thread>

namespace {

using namespace credlease;
using namespace std::chrono_literals;
using console::Reply;
using console::Request;
using console::Server;
using test::free_port;
using test::get_page;
using test::LoopbackSocket;

/// A server whose loop runs on a thread; it says what it was asked.
template <class Clock> struct House {
    std::uint16_t port = free_port();
    runtime::Loop loop;
    std::unique_ptr<secret::Arena> arena = std::move(*secret::Arena::make({.size = std::size_t{1} << 22}));
    std::unique_ptr<Clock> clock;
    std::vector<Server::Answer> waiting; ///< of /later
    std::unique_ptr<Server> server;
    runtime::TaskGroup tasks{loop};
    std::thread thread;

    explicit House(std::unique_ptr<Clock> made = nullptr) : clock(std::move(made)) {}
    void begin() {
        server = std::make_unique<Server>(loop, *clock, *arena, [this](Request request, const Server::Answer& answer) {
            if (request.path == "/later") return waiting.push_back(answer);
            std::string said = request.path + "|" + request.host + "|" + std::to_string(request.query.size());
            for (const auto& cookie : request.cookies) said += "|" + cookie.name;
            answer(console::reply_with({.title = said}));
        });
        thread = std::thread([this] { loop.run(); });
    }
    ~House() {
        on_loop([this] { tasks.start(end()); });
        thread.join();
    }
    runtime::Task<> end() {
        waiting.clear();
        co_await server->close();
        loop.stop();
    }
    template <class Job> auto on_loop(Job job) {
        std::packaged_task<std::invoke_result_t<Job>()> task(std::move(job));
        auto done = task.get_future();
        loop.post([shared = std::make_shared<decltype(task)>(std::move(task))] { (*shared)(); });
        return done.get();
    }
    bool listen(const std::string& address) {
        return on_loop([&] { return server->listen(address).has_value(); });
    }
    bool listen() { return listen("127.0.0.1:" + std::to_string(port)); }
    bool becomes_true(const std::function<bool()>& is_so) {
        for (int i = 0; i < 3000; ++i, std::this_thread::sleep_for(10ms)) {
            if (on_loop(is_so)) return true;
        }
        return false;
    }
};

struct RealHouse : House<runtime::Clock> {
    RealHouse() {
        clock = runtime::make_system_clock(loop);
        begin();
        BOOST_REQUIRE(listen());
    }
};

BOOST_AUTO_TEST_SUITE(server)

BOOST_AUTO_TEST_CASE(a_request_is_read_bounded_and_its_secrets_in_the_arena) {
    RealHouse house;
    const auto page = get_page(house.port, {.target = "/x?code=abc", .cookie = "a=1; auth_1=v; auth_2"});
    BOOST_TEST(page.says("<h1>/x|127.0.0.1:" + std::to_string(house.port) + "|9|auth_1</h1>"), page.body);

    const LoopbackSocket pieces(house.port);
    for (const auto* piece : {"GET /slow HT", "TP/1.1\r\nHo", "st: x\r\n\r", "\n"}) {
        BOOST_TEST(pieces.send(piece));
        std::this_thread::sleep_for(5ms);
    }
    BOOST_TEST(test::read_page(pieces.read_all()).says("/slow|x|0"));

    const LoopbackSocket large(house.port);
    BOOST_TEST(large.send("GET /x HTTP/1.1\r\nHost: x\r\nX: " + std::string(17000, 'x')));
    BOOST_TEST(test::read_page(large.read_all()).status == 400U);
    for (const auto* bad : {"GET /x HTTP/1.1\r\n\r\n", "\r\n", "GET /x\r\n\r\n", "GET x HTTP/1.1\r\nHost: x\r\n\r\n"}) {
        const LoopbackSocket socket(house.port);
        BOOST_TEST(socket.send(bad));
        BOOST_TEST(test::read_page(socket.read_all()).status == 400U, bad);
    }
    BOOST_TEST(house.becomes_true(
        [&] { return house.server->connections() == 0 && house.arena->used(secret::Share::bodies) == 0; }));
}

BOOST_AUTO_TEST_CASE(whoever_is_silent_makes_place_for_who_comes) {
    RealHouse house;
    std::deque<LoopbackSocket> silent;
    for (int i = 0; i < 100; ++i) {
        BOOST_REQUIRE(silent.emplace_back(house.port).is_connected());
        silent.back().send("GET /");
    }
    BOOST_TEST(get_page(house.port, {.target = "/x"}).status == 200U);
    BOOST_TEST(house.becomes_true([&] { return house.server->connections() <= 32; }));
    BOOST_TEST(house.on_loop([&] {
        return house.arena->used(secret::Share::bodies) <= house.arena->share_size(secret::Share::bodies) / 4;
    }));
    BOOST_TEST(silent.front().read_all().empty()); // it was closed
}

BOOST_AUTO_TEST_CASE(who_is_served_is_not_put_out_for_who_comes) {
    RealHouse house;
    std::deque<LoopbackSocket> served;
    for (int i = 0; i < 32; ++i) served.emplace_back(house.port).send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    BOOST_REQUIRE(house.becomes_true([&] { return house.waiting.size() == 32; }));
    BOOST_TEST(get_page(house.port, {.target = "/x"}).status == 0U);
    house.on_loop([&] {
        for (const auto& answer : std::exchange(house.waiting, {})) answer(console::reply_with({.title = "done"}));
    });
    for (const auto& socket : served) BOOST_TEST(test::read_page(socket.read_all()).says("done"));
}

BOOST_AUTO_TEST_CASE(it_listens_while_it_is_told_to_and_says_why_it_cannot) {
    RealHouse house;
    BOOST_TEST(house.listen()); // told twice
    BOOST_TEST(get_page(house.port, {.target = "/x"}).status == 200U);
    RealHouse other;
    const auto taken = "127.0.0.1:" + std::to_string(house.port);
    const auto refused = other.on_loop([&] { return other.server->listen(taken); });
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().about.text() == taken);
    BOOST_TEST(refused.error().sentence.view().starts_with("Another program has the address"));
    BOOST_TEST(!other.on_loop([&] { return other.server->is_listening(); }));

    house.on_loop([&] { house.server->stop_listening(); });
    BOOST_TEST(get_page(house.port, {.target = "/x"}).status == 0U);
    BOOST_TEST(other.listen(taken));
    BOOST_TEST(get_page(house.port, {.target = "/x"}).status == 200U);
}

BOOST_AUTO_TEST_CASE(who_takes_too_long_is_closed) {
    House<runtime::HandClock> house;
    house.clock = std::make_unique<runtime::HandClock>(house.loop, runtime::WallTime(1h));
    house.begin();
    BOOST_REQUIRE(house.listen());
    const LoopbackSocket slow(house.port);
    BOOST_TEST(slow.send("GET /x HTTP/1.1\r\n"));
    BOOST_REQUIRE(house.becomes_true([&] { return house.server->connections() == 1; }));
    house.on_loop([&] { house.clock->advance(9s); });
    BOOST_TEST(house.on_loop([&] { return house.server->connections() == 1; }));
    house.on_loop([&] { house.clock->advance(2s); });
    BOOST_TEST(slow.read_all().empty());
    BOOST_TEST(house.becomes_true([&] { return house.server->connections() == 0; }));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
