#define BOOST_TEST_DYN_LINK
#include "credlease/client.hpp"
#include "stand_in.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <thread>

using namespace credlease;
using namespace std::chrono_literals;
using test::lease_json;
using test::problem;
using test::renewal_json;
using test::StandIn;
using test::TemporaryDirectory;
using Then = StandIn::Response::Then;

namespace {

struct Fixture {
    TemporaryDirectory directory;
    std::filesystem::path socket = directory.path() / "admin.sock";

    [[nodiscard]] Client client(std::chrono::milliseconds timeout = 10s) const {
        return Client(Options{
            .lease_socket = socket, .admin_socket = socket, .grant_from_environment = false, .timeout = timeout});
    }
};

StandIn::Response ok() { return {.body = R"({"ok":true})"}; }

} // namespace

BOOST_FIXTURE_TEST_SUITE(exchange, Fixture)

BOOST_AUTO_TEST_CASE(an_answer_comes_with_its_etag_and_request_id) {
    const StandIn broker(socket, [](const StandIn::Request&) {
        return StandIn::Response{.body = R"({"items":[]})", .headers = {{"ETag", "\"7\""}}};
    });
    const auto answer = client().send({.path = "/v1/credentials?limit=2"});
    BOOST_REQUIRE(answer.ok());
    BOOST_TEST(answer->status == 200U);
    BOOST_TEST(answer->json == R"({"items":[]})");
    BOOST_TEST(answer->etag == "\"7\"");
    BOOST_TEST(answer->request_id == "req_1");
    const auto request = broker.seen().at(0);
    BOOST_TEST(request.path == "/v1/credentials?limit=2");
    BOOST_TEST(!request.headers.contains("idempotency-key"));
    BOOST_TEST(request.headers.at("host") == "credlease");
}

BOOST_AUTO_TEST_CASE(an_error_carries_the_brokers_code_and_all_that_belongs_to_it) {
    StandIn::Response response;
    const StandIn broker(socket, [&](const StandIn::Request&) { return response; });
    auto asking = client();
    const auto error_of = [&](StandIn::Response next) {
        response = std::move(next);
        const auto answer = asking.send({.path = "/v1/x"});
        BOOST_REQUIRE(!answer.ok());
        return answer.error();
    };

    auto error = error_of(problem(400, "invalid_request", "A ttl is a duration.", R"(,"field":"ttl")"));
    BOOST_TEST(error.code == "invalid_request");
    BOOST_TEST(error.sentence == "A ttl is a duration.");
    BOOST_TEST(error.field == "ttl");
    BOOST_TEST(error.status == 400U);
    BOOST_TEST(error.request_id == "req_1");

    error = error_of(problem(409, "name_ambiguous", "Two.", R"(,"candidates":["cred_1","cred_2"])"));
    BOOST_TEST(error.candidates.size() == 2U);
    BOOST_TEST(error.candidates.at(1) == "cred_2");
    error = error_of(problem(409, "credential_in_use", "Used.", R"(,"references":["nightly"])"));
    BOOST_TEST(error.candidates.at(0) == "nightly");
    error = error_of(problem(412, "version_conflict", "Changed.", R"(,"current_etag":"\"8\"")"));
    BOOST_TEST(error.current_etag == "\"8\"");
    error = error_of(problem(410, "lease_ended", "credential revoked", R"(,"reason":"credential_revoked")"));
    BOOST_TEST(error.reason == "credential_revoked");
    BOOST_TEST(error.sentence == "credential revoked");

    auto busy = problem(429, "rate_limited", "Slowly.");
    busy.headers["Retry-After"] = "7";
    BOOST_TEST((error_of(busy).retry_after == 7s));
    // A code that a later broker may have is passed through.
    BOOST_TEST(error_of(problem(502, "upstream_failed", "It said no.")).code == "upstream_failed");
    BOOST_TEST(error_of(problem(503, "sealed", "Sealed.")).code == "sealed");
}

BOOST_AUTO_TEST_CASE(an_error_that_says_nothing_gets_a_sentence_and_a_next_step) {
    unsigned status = 0;
    const StandIn broker(socket, [&](const StandIn::Request&) {
        return StandIn::Response{.status = status, .body = "<html>no</html>"};
    });
    auto asking = client();
    for (const unsigned each : {401U, 403U, 404U, 409U, 410U, 412U, 429U, 500U, 503U}) {
        status = each;
        const auto answer = asking.send({.path = "/v1/x"});
        BOOST_REQUIRE(!answer.ok());
        BOOST_TEST(!answer.error().code.empty());
        BOOST_TEST(!answer.error().sentence.empty());
        BOOST_TEST(!answer.error().next_step.empty(), each);
        BOOST_TEST(answer.error().status == each);
    }
    BOOST_TEST(broker.connections() == 1);
}

BOOST_AUTO_TEST_CASE(a_post_whose_answer_was_lost_is_sent_again_with_the_same_key) {
    std::atomic<int> count{0};
    const StandIn broker(socket, [&](const StandIn::Request&) {
        if (++count == 1) return StandIn::Response{.then = Then::close_before_answer};
        return StandIn::Response{.status = 201, .body = R"({"id":"cred_1"})"};
    });
    const auto answer = client().send({.method = "POST", .path = "/v1/credentials", .json = R"({"name":"x"})"});
    BOOST_REQUIRE(answer.ok());
    const auto seen = broker.seen();
    BOOST_REQUIRE(seen.size() == 2U);
    BOOST_TEST(seen[0].headers.at("idempotency-key") == seen[1].headers.at("idempotency-key"));
    BOOST_TEST(seen[1].body == R"({"name":"x"})");
    BOOST_TEST(seen[1].connection == 2);
}

BOOST_AUTO_TEST_CASE(an_answer_that_broke_off_is_asked_for_again) {
    std::atomic<int> count{0};
    const StandIn broker(socket, [&](const StandIn::Request&) {
        auto response = ok();
        if (++count == 1) response.then = Then::break_off;
        return response;
    });
    const auto answer = client().send({.path = "/v1/status"});
    BOOST_REQUIRE(answer.ok());
    BOOST_TEST(answer->json == R"({"ok":true})");
}

BOOST_AUTO_TEST_CASE(a_request_is_sent_again_once_and_no_more) {
    const StandIn broker(socket,
                         [](const StandIn::Request&) { return StandIn::Response{.then = Then::close_before_answer}; });
    const auto answer = client().send({.method = "POST", .path = "/v1/seal", .json = "{}"});
    BOOST_REQUIRE(!answer.ok());
    BOOST_TEST(answer.error().code == "unreachable");
    BOOST_TEST(broker.seen().size() == 2U);
}

BOOST_AUTO_TEST_CASE(an_edit_or_a_delete_whose_answer_was_lost_is_not_done_twice) {
    const StandIn broker(socket,
                         [](const StandIn::Request&) { return StandIn::Response{.then = Then::close_before_answer}; });
    auto asking = client();
    const auto edited =
        asking.send({.method = "PATCH", .path = "/v1/credentials/c", .json = "{}", .if_match = "\"3\""});
    BOOST_REQUIRE(!edited.ok());
    BOOST_TEST(edited.error().sentence.contains("may have been made, or not"));
    const auto deleted = asking.send({.method = "DELETE", .path = "/v1/credentials/c"});
    BOOST_TEST(!deleted.ok());
    BOOST_TEST(broker.seen().size() == 2U);
    // To end what is ended is success: that may be said twice.
    const auto released = asking.send({.method = "DELETE", .path = "/v1/leases/l"});
    BOOST_TEST(!released.ok());
    BOOST_TEST(broker.seen().size() == 4U);
}

BOOST_AUTO_TEST_CASE(a_connection_that_the_broker_has_closed_is_replaced_also_for_what_is_not_sent_twice) {
    const StandIn broker(socket, [](const StandIn::Request&) {
        auto response = ok();
        response.then = Then::close_after_answer;
        return response;
    });
    auto asking = client();
    BOOST_REQUIRE(asking.send({.path = "/v1/status"}).ok());
    std::this_thread::sleep_for(50ms);
    const auto edited =
        asking.send({.method = "PATCH", .path = "/v1/credentials/c", .json = "{}", .if_match = "\"3\""});
    BOOST_TEST(edited.ok());
    BOOST_TEST(broker.seen().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_lease_is_not_lost_when_the_broker_restarts) {
    const auto handle = [](const StandIn::Request& request) {
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        if (request.path.ends_with("/renew")) return StandIn::Response{.body = renewal_json(900)};
        return StandIn::Response{.status = 201, .body = lease_json(60)};
    };
    auto broker = std::make_unique<StandIn>(socket, handle);
    auto asking = client(30s);
    auto lease = asking.lease({.credential = "c"});
    BOOST_REQUIRE(lease.ok());
    broker.reset();
    std::thread restart([&] {
        std::this_thread::sleep_for(200ms);
        broker = std::make_unique<StandIn>(socket, handle);
    });
    const auto renewed = lease->renew();
    restart.join();
    BOOST_TEST(renewed.ok());
    BOOST_TEST(lease->release().ok());
}

BOOST_AUTO_TEST_CASE(a_broker_that_does_not_answer_is_given_up_and_its_late_answer_ignored) {
    std::atomic<int> count{0};
    const StandIn broker(socket, [&](const StandIn::Request&) {
        if (++count > 1) return ok();
        std::this_thread::sleep_for(600ms);
        return StandIn::Response{.body = R"({"late":true})"};
    });
    auto asking = client(200ms);
    const auto first = asking.send({.path = "/v1/first"});
    BOOST_REQUIRE(!first.ok());
    BOOST_TEST(first.error().code == "unreachable");
    BOOST_TEST(first.error().status == 0U);
    std::this_thread::sleep_for(600ms);
    const auto second = asking.send({.path = "/v1/second"});
    BOOST_REQUIRE(second.ok());
    BOOST_TEST(second->json == R"({"ok":true})");
    BOOST_TEST(broker.connections() == 2);
}

BOOST_AUTO_TEST_CASE(where_nobody_listens_the_error_says_so_at_once) {
    const auto begun = std::chrono::steady_clock::now();
    const auto answer = client(10min).send({.path = "/v1/status"});
    BOOST_REQUIRE(!answer.ok());
    BOOST_TEST(answer.error().code == "unreachable");
    BOOST_TEST(answer.error().sentence.contains(socket.string()));
    BOOST_TEST(!answer.error().next_step.empty());
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 1min));
    const auto long_path = std::string(200, 'x');
    auto nowhere = Client(Options{.lease_socket = long_path, .admin_socket = long_path});
    BOOST_TEST(nowhere.send({.path = "/v1/status"}).error().code == "configuration");
}

BOOST_AUTO_TEST_CASE(a_long_answer_comes_whole) {
    const std::string long_text(3'000'000, 'a');
    const StandIn broker(socket, [&](const StandIn::Request&) { return StandIn::Response{.body = long_text}; });
    const auto answer = client().send({.path = "/v1/audit"});
    BOOST_REQUIRE(answer.ok());
    BOOST_TEST((answer->json == long_text));
}

BOOST_AUTO_TEST_CASE(a_value_that_would_break_out_of_its_line_is_not_sent) {
    const StandIn broker(socket, [](const StandIn::Request&) { return ok(); });
    auto asking = client();
    const Client::Request bad_path{.path = "/v1/status HTTP/1.1\r\nEvil: yes"};
    BOOST_TEST(asking.send(bad_path).error().code == "invalid_request");
    const Client::Request bad_match{.path = "/v1/status", .if_match = "\"1\"\r\nEvil: yes"};
    BOOST_TEST(asking.send(bad_match).error().field == "if_match");
    BOOST_TEST(broker.seen().empty());
}

BOOST_AUTO_TEST_CASE(an_engine_acts_for_its_user) {
    const StandIn broker(socket, [](const StandIn::Request&) { return ok(); });
    auto engine = Client(Options{.lease_socket = socket, .admin_socket = socket, .actor = "user:alice"});
    BOOST_REQUIRE(engine.send({.path = "/v1/status"}).ok());
    BOOST_TEST(broker.seen().at(0).headers.at("credlease-actor") == "user:alice");
}

BOOST_AUTO_TEST_SUITE_END()
