#define BOOST_TEST_DYN_LINK
#include "bad_requests.hpp"
#include "support/daemon/broker_client.hpp"
#include "support/daemon/steady_worker.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <random>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

// Whatever comes through the doors of a real broker is answered with a problem or ends its connection; a worker beside
// it goes on being served.
using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using test::request_text;
using test::SocketClient;

namespace {

constexpr unsigned worker_uid = 65533;
constexpr auto config = R"([sockets]
lease_mode = "0666"
[[worker]]
name = "rude"
uid = 0
workspace = "default"
[[worker]]
name = "steady"
uid = 65533
workspace = "default"
)";

/// A broker, a polite worker of another uid, and what must hold of both after each test.
struct Fixture {
    Daemon daemon{{.config = config, .open_to_others = true}};
    std::string credential;
    std::optional<SteadyWorker> worker;

    Fixture() {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        auto client = client_of(daemon);
        credential = store_token(client, "wanted", "tok_wanted_12345678");
        if (::geteuid() != 0) return;
        worker.emplace(daemon, worker_uid, "wanted");
        worker->begin();
    }
    ~Fixture() {
        if (worker) {
            const auto served = worker->end();
            BOOST_TEST(served.failures == 0U);
            BOOST_TEST(served.leases > 0U);
            BOOST_TEST((served.longest < 2s), "the worker waited " << served.longest.count() << " us for a lease");
        }
        auto client = client_of(daemon);
        BOOST_TEST(ask(client, "GET", "/v1/audit/verify").json.at("ok").as_bool());
        BOOST_TEST(daemon.log().find("broke off inside") == std::string::npos);
        BOOST_TEST(daemon.stop().value_or(-1) == 0);
    }

    [[nodiscard]] std::vector<std::filesystem::path> doors() const {
        return {daemon.lease_socket(), daemon.admin_socket()};
    }

    static void is_problem(const test::Response& response, const BadRequest& bad) {
        BOOST_TEST(response.status == bad.status);
        BOOST_TEST(response.header("content-type") == "application/problem+json");
        boost::json::error_code failed;
        const auto problem = boost::json::parse(response.body, failed);
        BOOST_REQUIRE_MESSAGE(!failed, response.body);
        BOOST_TEST(problem.at("code").as_string() == bad.code);
        BOOST_TEST(problem.at("status").as_int64() == bad.status);
        BOOST_TEST(problem.at("request_id").as_string() == response.header("credlease-request-id"));
        for (const auto* member : {"type", "title", "detail"}) BOOST_TEST(!problem.at(member).as_string().empty());
    }

    static void expect(const std::filesystem::path& door, const BadRequest& bad) {
        BOOST_TEST_CONTEXT(door.filename() << ": " << bad.what) {
            SocketClient client(door);
            client.send(bad.text);
            const auto response = client.receive();
            BOOST_REQUIRE(response.has_value());
            is_problem(*response, bad);
            if (bad.then == Then::closed) {
                BOOST_TEST(response->header("connection") == "close");
                BOOST_TEST(client.is_closed_by_peer());
            } else {
                const auto next = client.ask("GET", "/v1/status");
                BOOST_REQUIRE(next.has_value());
                BOOST_TEST(next->status == 200U);
            }
        }
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(bad_input, Fixture)

BOOST_AUTO_TEST_CASE(a_head_that_breaks_the_rules_is_refused_and_its_connection_ends) {
    for (const auto& door : doors()) {
        for (const auto& bad : bad_heads()) expect(door, bad);
    }
}

BOOST_AUTO_TEST_CASE(what_could_hide_a_second_request_is_refused_and_nothing_behind_it_is_answered) {
    for (const auto& door : doors()) {
        for (const auto& bad : smuggling()) expect(door, bad);
    }
}

BOOST_AUTO_TEST_CASE(unknown_places_and_methods_are_refused_and_the_connection_serves_on) {
    for (const auto& door : doors()) {
        for (const auto& bad : unknown_places()) expect(door, bad);
    }
}

BOOST_AUTO_TEST_CASE(bodies_that_ask_for_no_lease_are_refused_and_the_connection_serves_on) {
    for (const auto& door : doors()) {
        for (const auto& bad : bad_leases()) expect(door, bad);
    }
}

BOOST_AUTO_TEST_CASE(every_route_that_takes_a_body_refuses_bad_ones_and_changes_nothing) {
    const std::vector<std::pair<std::string, std::string>> routes = {
        {"POST", "/v1/credentials"},
        {"PATCH", "/v1/credentials/" + credential},
        {"POST", "/v1/grants"},
        {"PUT", "/v1/workspaces/acme"},
        {"PUT", "/v1/workspaces/default/members/user:local%2Falice"},
        {"POST", "/v1/unseal"},
        {"POST", "/v1/seal"}};
    for (const auto& [method, path] : routes) {
        for (const auto& [what, body] : bad_bodies()) {
            expect(daemon.admin_socket(), {method + ' ' + path + ": " + what, request_text(method, path, body), 400,
                                           "invalid_request", Then::served_on});
        }
    }
    auto client = client_of(daemon);
    BOOST_TEST(ask(client, "GET", "/v1/credentials").json.at("items").as_array().size() == 1U);
    BOOST_TEST(ask(client, "GET", "/v1/workspaces/acme").status == 404U);
    BOOST_TEST(ask(client, "GET", "/v1/grants").json.at("items").as_array().empty());
    BOOST_TEST(ask(client, "GET", "/v1/status").json.at("state").as_string() == "ready");
}

BOOST_AUTO_TEST_CASE(a_body_that_is_too_large_is_refused_before_it_is_read) {
    const auto too_large = [](const std::string& length) {
        return BadRequest{"a length of " + length, post("Content-Length: " + length + "\r\n"), 413,
                          "payload_too_large"};
    };
    for (const auto* length : {"16385", "262145", "18446744073709551615"}) {
        expect(daemon.lease_socket(), too_large(length));
        if (std::string_view(length) != "16385") expect(daemon.admin_socket(), too_large(length));
    }
    expect(daemon.lease_socket(),
           {"a sent one", post("Content-Length: 600000\r\n", std::string(600'000, 'x')), 413, "payload_too_large"});
    expect(daemon.lease_socket(), {"a chunk of it", chunked("4001\r\n"), 413, "payload_too_large"});
    expect(daemon.admin_socket(),
           {"a chunk beyond any number", chunked("ffffffffffffffffffffffff\r\n"), 413, "payload_too_large"});
    expect(daemon.lease_socket(),
           {"much around a chunk", chunked("1;" + std::string(100'000, 'x')), 413, "payload_too_large"});
    // At the limit it is read, and refused for what it is.
    expect(daemon.lease_socket(), {"16 KiB of it", request_text("POST", "/v1/leases", std::string(16 * 1024, 'x')), 400,
                                   "invalid_request", Then::served_on});
    expect(daemon.admin_socket(), {"256 KiB of it", request_text("POST", "/v1/grants", std::string(256 * 1024, 'x')),
                                   400, "invalid_request", Then::served_on});
}

BOOST_AUTO_TEST_CASE(a_request_cut_off_anywhere_is_forgotten) {
    const std::string whole = request_text("POST", "/v1/leases", R"({"credential":"wanted","bind":"none"})");
    for (const auto& door : doors()) {
        for (std::size_t size = 1; size < whole.size(); ++size) {
            SocketClient client(door);
            client.send(whole.substr(0, size));
            size % 2 == 0 ? client.finish_writing() : client.close();
            if (size % 2 == 0) BOOST_REQUIRE(client.is_closed_by_peer());
        }
    }
    auto client = client_of(daemon);
    const auto leases = ask(client, "GET", "/v1/leases").json.at("items").as_array();
    BOOST_TEST(std::ranges::none_of(leases, [](const auto& lease) { return lease.at("principal") == "worker:rude"; }));
}

BOOST_AUTO_TEST_CASE(requests_sent_ahead_are_answered_in_order_good_after_refused_ones) {
    for (const auto& door : doors()) {
        SocketClient client(door);
        std::string text;
        for (int i = 0; i < 200; ++i) {
            text += request_text("POST", "/v1/leases", i % 2 == 0 ? R"({"credential":"absent"})" : "{{{");
            text += request_text("GET", "/v1/whoami");
        }
        text += "BROKEN\r\n\r\n" + request_text("GET", "/v1/whoami");
        std::jthread sender([&] { client.send(text); });
        for (int i = 0; i < 200; ++i) {
            const auto refused = client.receive();
            BOOST_REQUIRE(refused.has_value());
            BOOST_TEST(refused->status == (i % 2 == 0 ? 404U : 400U));
            const auto answered = client.receive();
            BOOST_REQUIRE(answered.has_value());
            BOOST_TEST(answered->status == 200U);
        }
        const auto broken = client.receive();
        BOOST_REQUIRE(broken.has_value());
        BOOST_TEST(broken->status == 400U);
        BOOST_TEST(client.is_closed_by_peer());
    }
}

BOOST_AUTO_TEST_CASE(a_request_that_comes_byte_by_byte_is_answered_and_one_that_stops_is_refused_in_time) {
    const auto is_answered = [](const std::filesystem::path& door, const std::string& request) {
        SocketClient slow(door);
        for (const char byte : request) {
            BOOST_REQUIRE(slow.send(std::string_view(&byte, 1)));
            std::this_thread::sleep_for(2ms);
        }
        const auto leased = slow.receive();
        BOOST_REQUIRE(leased.has_value());
        BOOST_TEST(leased->status == 201U);
    };
    for (const auto& door : doors()) {
        is_answered(door, request_text("POST", "/v1/leases", R"({"credential":"wanted"})"));
        is_answered(door, chunked("8\r\n{\"creden\r\n11\r\ntial\" : \"wanted\"}\r\n0\r\n\r\n"));
    }
    // Ten seconds are allowed to a request; each of these stops in another place.
    std::vector<SocketClient> halves;
    for (const auto& door : doors()) {
        for (const auto& begun :
             {std::string("G"), std::string("POST /v1/leases HTTP/1.1\r\nHost"), post("Content-Length: 100\r\n"),
              post("Content-Length: 100\r\n", "{\"credential"), chunked(""), chunked("64\r\n{\"credential")}) {
            halves.emplace_back(door);
            halves.back().send(begun);
        }
    }
    for (auto& half : halves) {
        const auto refused = half.receive(20s);
        BOOST_REQUIRE(refused.has_value());
        is_problem(*refused, {"half a request", {}, 408, "request_timeout"});
        BOOST_TEST(half.is_closed_by_peer());
    }
}

BOOST_AUTO_TEST_CASE(noise_ends_its_own_connection_and_nothing_else) {
    std::mt19937 random(7466);
    for (int i = 0; i < 400; ++i) {
        SocketClient client(i % 2 == 0 ? daemon.lease_socket() : daemon.admin_socket());
        std::string noise = i % 3 == 0 ? post("Content-Length: 3000\r\n") : std::string();
        for (unsigned k = 1 + random() % 6000; k > 0; --k) noise.push_back(static_cast<char>(random()));
        client.send(noise);
        client.finish_writing();
        while (client.receive()) {
        }
        BOOST_REQUIRE(client.is_closed_by_peer());
    }
}

BOOST_AUTO_TEST_SUITE_END()
