#define BOOST_TEST_DYN_LINK
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

enum class Then : std::uint8_t { closed, served_on };

struct BadRequest {
    std::string what;
    std::string text;
    unsigned status = 400;
    std::string code = "invalid_request";
    Then then = Then::closed;
};

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

std::string post(const std::string& headers, const std::string& body = {}) {
    return "POST /v1/leases HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}

std::string with_body(std::string_view method, const std::string& path, const std::string& body) {
    return request_text(method, path, body);
}

std::vector<BadRequest> bad_heads() {
    const std::string nothing(1, '\0');
    return {
        {"no HTTP", "NONSENSE\r\n\r\n"},
        {"a TLS greeting", std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\n\r\n", 14)},
        {"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        {"lines without CR", "GET /v1/status HTTP/1.1\nHost: x\n\n"},
        {"no Host", "GET /v1/status HTTP/1.1\r\n\r\n"},
        {"two Hosts", "GET /v1/status HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"},
        {"a folded header", "GET /v1/status HTTP/1.1\r\nHost: x\r\n y\r\n\r\n"},
        {"a space before the colon", "GET /v1/status HTTP/1.1\r\nHost : x\r\n\r\n"},
        {"a NUL in a header", "GET /v1/status HTTP/1.1\r\nHost: x" + nothing + "\r\n\r\n"},
        {"a NUL in the path", "GET /v1/sta" + nothing + "tus HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"an encoded NUL in the path", "GET /v1/leases/%00 HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"a dot segment", "GET /v1/../v1/status HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"raw UTF-8 in the path", "GET /v1/\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"an absolute target", "GET http://credlease/v1/status HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"an empty line before", "\r\nGET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"an upgrade", post("Upgrade: websocket\r\nConnection: upgrade\r\n")},
        {"an empty idempotency key", post("Idempotency-Key: \r\nContent-Length: 2\r\n", "{}")},
        {"a long idempotency key",
         post("Idempotency-Key: " + std::string(65, 'k') + "\r\nContent-Length: 2\r\n", "{}")},
        {"Basic authorization", post("Authorization: Basic YTpi\r\n"), 401, "unauthenticated"},
        {"two authorizations", post("Authorization: Bearer clg_a\r\nAuthorization: Bearer clg_b\r\n")},
        {"another media type", post("Content-Type: text/plain\r\nContent-Length: 2\r\n", "hi"), 415,
         "unsupported_media_type"},
        {"a header block above 16 KiB", post("X: " + std::string(16 * 1024, 'x') + "\r\n"), 431, "header_too_large"},
        {"a target without end", "GET /" + std::string(40'000, 'x'), 431, "header_too_large"},
    };
}

/// What two readers of one stream could take for different requests. The second one must never be looked at.
std::vector<BadRequest> smuggling() {
    const std::string second = request_text("GET", "/v1/status");
    return {
        {"chunked", post("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n") + second},
        {"length, then chunked", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") + second},
        {"chunked, then length", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n") + second},
        {"a disguised coding", post("Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n", "0\r\n\r\n") + second},
        {"an identity coding", post("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "{}") + second},
        {"two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}") + second},
        {"the same length twice", post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}") + second},
        {"a list of lengths", post("Content-Length: 2, 2\r\n", "{}") + second},
        {"a signed length", post("Content-Length: +2\r\n", "{}") + second},
        {"a length beyond any number", post("Content-Length: 99999999999999999999999\r\n", "{}") + second},
        {"a negative length", post("Content-Length: -2\r\n", "{}") + second},
        {"a hexadecimal length", post("Content-Length: 0x2\r\n", "{}") + second},
    };
}

std::vector<BadRequest> unknown_places() {
    const auto on = Then::served_on;
    return {
        {"an unknown route", request_text("GET", "/v1/nothing"), 404, "not_found", on},
        {"a slash too many", request_text("GET", "/v1/status/"), 404, "not_found", on},
        {"a route in capitals", request_text("GET", "/V1/STATUS"), 404, "not_found", on},
        {"an empty part", request_text("GET", "/v1/leases//renew"), 404, "not_found", on},
        {"PUT where there is none", request_text("PUT", "/v1/leases", "{}"), 405, "method_not_allowed", on},
        {"DELETE where there is none", request_text("DELETE", "/v1/status"), 405, "method_not_allowed", on},
        {"TRACE", request_text("TRACE", "/v1/status"), 405, "method_not_allowed", on},
        {"a method of its own", request_text("LEASE", "/v1/leases"), 405, "method_not_allowed", on},
        {"an unknown query parameter", request_text("GET", "/v1/leases?colour=red"), 400, "invalid_request", on},
        {"a repeated one", request_text("GET", "/v1/leases?limit=1&limit=2"), 400, "invalid_request", on},
        {"a limit of 0", request_text("GET", "/v1/leases?limit=0"), 400, "invalid_request", on},
        {"a query that is no UTF-8", request_text("GET", "/v1/leases?limit=%ff%fe"), 400, "invalid_request", on},
        {"a cursor that was never given", request_text("GET", "/v1/leases?cursor=AAAA"), 400, "invalid_request", on},
        {"a lease that never was", request_text("DELETE", "/v1/leases/lease_01j00000000000000000000000"), 404,
         "lease_not_found", on},
        {"an id that is none", request_text("DELETE", "/v1/leases/..%2F..%2Fetc"), 404, "lease_not_found", on},
    };
}

/// Bodies that no route takes.
std::vector<std::pair<std::string, std::string>> bad_bodies() {
    std::string wide = "{";
    for (int i = 0; i < 1000; ++i) wide += "\"m" + std::to_string(i) + "\":1,";
    wide += R"("m":1})";
    return {
        {"no JSON", "credential=wanted"},
        {"half an object", R"({"credential":"wanted")"},
        {"two objects", R"({"credential":"wanted"}{})"},
        {"a comma too many", R"({"credential":"wanted",})"},
        {"a comment", R"({"credential":"wanted"/* please */})"},
        {"not a number", R"({"credential":NaN})"},
        {"an array", R"(["wanted"])"},
        {"a text", R"("wanted")"},
        {"null", "null"},
        {"deep arrays", R"({"credential":)" + std::string(6000, '[') + std::string(6000, ']') + "}"},
        {"deep arrays without end", std::string(16'000, '[')},
        {"deep objects",
         [] {
             std::string text;
             for (int i = 0; i < 2000; ++i) text += R"({"a":)";
             return text + "1" + std::string(2000, '}');
         }()},
        {"an unknown member", R"({"credential":"wanted","colour":"red"})"},
        {"a thousand unknown members", wide},
        {"invalid UTF-8", "{\"credential\":\"wan\xff\xfeted\"}"},
        {"a cut UTF-8 sequence", "{\"credential\":\"wanted\xe2\x82\"}"},
        {"an overlong UTF-8 slash", "{\"credential\":\"\xc0\xaf\"}"},
        {"a raw NUL", std::string("{\"credential\":\"wan\0ted\"}", 24)},
        {"a raw NUL at the end", std::string("{\"credential\":\"wanted\"}\0", 24)},
        {"an escaped NUL", R"({"credential":"wan\u0000ted"})"},
        {"half a surrogate pair", R"({"credential":"\ud800"})"},
        {"a byte order mark", "\xef\xbb\xbf{\"credential\":\"wanted\"}"},
    };
}

std::vector<BadRequest> bad_leases() {
    std::vector<BadRequest> all;
    const auto add = [&](const std::string& what, const std::string& body) {
        all.push_back({what, with_body("POST", "/v1/leases", body), 400, "invalid_request", Then::served_on});
    };
    for (const auto& [what, body] : bad_bodies()) add(what, body);
    add("one member twice", R"({"credential":"wanted","credential":"wanted"})");
    add("one member twice, once escaped", R"({"credential":"wanted","credenti\u0061l":"wanted"})");
    add("no credential", "{}");
    add("a credential that is a number", R"({"credential":7})");
    add("a credential that is a list", R"({"credential":["wanted"]})");
    add("a credential that is null", R"({"credential":null})");
    add("a ttl that is a number", R"({"credential":"wanted","ttl":60})");
    add("a ttl without a unit", R"({"credential":"wanted","ttl":"60"})");
    add("a ttl beyond any time", R"({"credential":"wanted","ttl":"99999999999999999999d"})");
    add("a negative ttl", R"({"credential":"wanted","ttl":"-1s"})");
    add("fields that are a text", R"({"credential":"wanted","fields":"token"})");
    add("fields that are numbers", R"({"credential":"wanted","fields":[1,2]})");
    add("a purpose that is a text", R"({"credential":"wanted","purpose":"mine"})");
    add("an unknown member of purpose", R"({"credential":"wanted","purpose":{"colour":"red"}})");
    add("a bind of its own", R"({"credential":"wanted","bind":"thread"})");
    return all;
}

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
            expect(daemon.admin_socket(), {method + ' ' + path + ": " + what, with_body(method, path, body), 400,
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
    // At the limit it is read, and refused for what it is.
    expect(daemon.lease_socket(), {"16 KiB of it", with_body("POST", "/v1/leases", std::string(16 * 1024, 'x')), 400,
                                   "invalid_request", Then::served_on});
    expect(daemon.admin_socket(), {"256 KiB of it", with_body("POST", "/v1/grants", std::string(256 * 1024, 'x')), 400,
                                   "invalid_request", Then::served_on});
}

BOOST_AUTO_TEST_CASE(a_request_cut_off_anywhere_is_forgotten) {
    const std::string whole = with_body("POST", "/v1/leases", R"({"credential":"wanted","bind":"none"})");
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
            text += with_body("POST", "/v1/leases", i % 2 == 0 ? R"({"credential":"absent"})" : "{{{");
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
    for (const auto& door : doors()) {
        SocketClient slow(door);
        for (const char byte : with_body("POST", "/v1/leases", R"({"credential":"wanted"})")) {
            BOOST_REQUIRE(slow.send(std::string_view(&byte, 1)));
            std::this_thread::sleep_for(2ms);
        }
        const auto leased = slow.receive();
        BOOST_REQUIRE(leased.has_value());
        BOOST_TEST(leased->status == 201U);
    }
    // Ten seconds are allowed to a request; each of these stops in another place.
    std::vector<SocketClient> halves;
    for (const auto& door : doors()) {
        for (const auto& begun : {std::string("G"), std::string("POST /v1/leases HTTP/1.1\r\nHost"),
                                  post("Content-Length: 100\r\n"), post("Content-Length: 100\r\n", "{\"credential")}) {
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
