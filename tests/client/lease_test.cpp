#define BOOST_TEST_MODULE client
#define BOOST_TEST_DYN_LINK
#include "credlease/client.hpp"
#include "stand_in.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace credlease;
using namespace std::chrono_literals;
using test::lease_json;
using test::problem;
using test::renewal_json;
using test::StandIn;
using test::TemporaryDirectory;

namespace {

Client client_of(const StandIn& broker) {
    return Client(Options{.lease_socket = broker.socket(),
                          .admin_socket = broker.socket(),
                          .grant_from_environment = false,
                          .timeout = 10s});
}

std::string shown(const Lease& lease, std::string_view field) {
    std::string text;
    lease.expose(field, [&](std::string_view value) { text = value; });
    return text;
}

bool is_renewal(const StandIn::Request& request) { return request.path.ends_with("/renew"); }

struct Fixture {
    TemporaryDirectory directory;
    std::filesystem::path socket = directory.path() / "lease.sock";
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(lease, Fixture)

BOOST_AUTO_TEST_CASE(a_lease_shows_its_secret_and_is_released_when_it_dies) {
    StandIn broker(socket, [](const StandIn::Request& request) {
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        return StandIn::Response{.status = 201, .body = lease_json(900)};
    });
    auto client = client_of(broker);
    {
        const auto lease = client.lease({.credential = "Acme prod Slack"});
        BOOST_REQUIRE(lease.ok());
        BOOST_TEST(lease->id() == "lease_01j00000000000000000000000");
        BOOST_TEST(lease->credential_id() == "cred_01j00000000000000000000000");
        BOOST_TEST(lease->service() == "slack");
        BOOST_TEST(lease->version() == 3U);
        BOOST_TEST(lease->limited_by() == "ttl");
        BOOST_TEST(lease->base_url() == "https://slack.com/api");
        BOOST_TEST(lease->allowed_hosts().at(0) == "slack.com");
        BOOST_TEST(lease->fields().at("team") == "T012");
        BOOST_TEST(lease->fields().at("port") == "5432");
        BOOST_TEST(shown(*lease, "access_token") == "xoxb-secret-token");
        BOOST_TEST(!lease->expose("no_such_field", [](std::string_view) {}));
        std::string headers;
        lease->expose_headers(
            [&](std::string_view name, std::string_view value) { headers.append(name).append("=").append(value); });
        BOOST_TEST(headers == "Authorization=Bearer xoxb-secret-token");
        std::string query;
        lease->expose_query(
            [&](std::string_view name, std::string_view value) { query.append(name).append("=").append(value); });
        BOOST_TEST(query == "key=q-xoxb-secret-token");
        BOOST_TEST(!lease->is_over());
    }
    BOOST_REQUIRE(broker.seen().size() == 2U);
    BOOST_TEST(broker.seen()[1].method == "DELETE");
    BOOST_TEST(broker.seen()[1].path == "/v1/leases/lease_01j00000000000000000000000");
    BOOST_TEST(broker.connections() == 1);
}

BOOST_AUTO_TEST_CASE(a_lease_request_says_what_was_asked_and_no_more) {
    StandIn broker(socket,
                   [](const StandIn::Request&) { return StandIn::Response{.status = 201, .body = lease_json(900)}; });
    auto client = client_of(broker);
    auto lease = client.lease({.credential = "a \"name\"",
                               .workspace = "acme",
                               .ttl = 90s,
                               .min_valid = 5min,
                               .fields = {"access_token"},
                               .purpose = {.workflow = "nightly", .run = "42", .node = ""},
                               .bound_to_process = false});
    BOOST_REQUIRE(lease.ok());
    lease->keep();
    const auto request = broker.seen().at(0);
    BOOST_TEST(request.method == "POST");
    BOOST_TEST(request.path == "/v1/leases");
    BOOST_TEST(request.body == R"({"credential":"a \"name\"","workspace":"acme","ttl":"90s","fields":["access_token"],)"
                               R"("purpose":{"workflow":"nightly","run":"42"},"bind":"none","min_valid":"5m"})");
    BOOST_TEST(request.headers.at("idempotency-key").size() == 32U);
    BOOST_TEST(request.headers.at("content-type") == "application/json");
    BOOST_TEST(!request.headers.contains("authorization"));
}

BOOST_AUTO_TEST_CASE(a_kept_lease_is_not_released) {
    StandIn broker(socket,
                   [](const StandIn::Request&) { return StandIn::Response{.status = 201, .body = lease_json(900)}; });
    {
        auto client = client_of(broker);
        auto lease = client.lease({.credential = "c", .bound_to_process = false});
        BOOST_REQUIRE(lease.ok());
        lease->keep();
    }
    BOOST_TEST(broker.seen().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_lease_outlives_the_client_that_took_it) {
    StandIn broker(socket, [](const StandIn::Request& request) {
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        return StandIn::Response{.status = 201, .body = lease_json(900)};
    });
    Lease lease = [&] { return std::move(client_of(broker).lease({.credential = "c"})).value(); }();
    BOOST_TEST(shown(lease, "access_token") == "xoxb-secret-token");
    BOOST_TEST(lease.release().ok());
    BOOST_TEST(lease.is_over());
    BOOST_TEST(broker.seen().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_renewal_brings_a_changed_secret_and_keeps_an_unchanged_one) {
    StandIn broker(socket, [](const StandIn::Request& request) {
        if (!is_renewal(request)) return StandIn::Response{.status = 201, .body = lease_json(60)};
        const bool asks_for_ttl = request.body == R"({"ttl":"10m"})";
        return StandIn::Response{.body = asks_for_ttl ? renewal_json(600) : lease_json(900, "the-next-token")};
    });
    auto client = client_of(broker);
    auto lease = client.lease({.credential = "c"});
    BOOST_REQUIRE(lease.ok());
    const auto before = lease->expires_at();
    BOOST_REQUIRE(lease->renew(10min).ok());
    BOOST_TEST((lease->expires_at() > before));
    BOOST_TEST(shown(*lease, "access_token") == "xoxb-secret-token");
    BOOST_REQUIRE(lease->renew().ok());
    BOOST_TEST(shown(*lease, "access_token") == "the-next-token");
    const auto seen = broker.seen();
    BOOST_TEST(seen.at(1).headers.at("idempotency-key") != seen.at(2).headers.at("idempotency-key"));
    lease->keep();
}

BOOST_AUTO_TEST_CASE(a_lease_that_was_asked_to_renews_itself_over_a_connection_of_its_own) {
    StandIn broker(socket, [](const StandIn::Request& request) {
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        if (is_renewal(request)) return StandIn::Response{.body = renewal_json(0.3)};
        return StandIn::Response{.status = 201, .body = lease_json(0.3)};
    });
    auto client = client_of(broker);
    const auto lease = client.lease({.credential = "c", .ttl = 300ms, .renew_itself = true});
    BOOST_REQUIRE(lease.ok());
    BOOST_REQUIRE(broker.wait_for(4));
    const auto seen = broker.seen();
    for (std::size_t i = 1; i < 4; ++i) {
        BOOST_TEST(is_renewal(seen[i]));
        BOOST_TEST(seen[i].body == R"({"ttl":"300ms"})");
        BOOST_TEST(seen[i].connection == 2);
    }
    BOOST_TEST(!lease->last_error().has_value());
}

BOOST_AUTO_TEST_CASE(renewing_stops_when_the_broker_says_that_the_lease_has_ended) {
    StandIn broker(socket, [](const StandIn::Request& request) {
        if (!is_renewal(request)) return StandIn::Response{.status = 201, .body = lease_json(0.3)};
        return problem(410, "lease_ended", "credential revoked", R"(,"reason":"credential_revoked")");
    });
    auto client = client_of(broker);
    {
        const auto lease = client.lease({.credential = "c", .renew_itself = true});
        BOOST_REQUIRE(lease.ok());
        BOOST_REQUIRE(broker.wait_for(2));
        const auto until = std::chrono::steady_clock::now() + 10s;
        while (!lease->last_error() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(5ms);
        BOOST_REQUIRE(lease->last_error().has_value());
        BOOST_TEST(lease->last_error()->code == "lease_ended");
        BOOST_TEST(lease->last_error()->reason == "credential_revoked");
        BOOST_TEST(lease->is_over());
        std::this_thread::sleep_for(300ms);
    }
    // No second renewal, and no release of what has ended.
    BOOST_TEST(broker.seen().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_renewal_that_failed_is_tried_again_before_the_lease_ends) {
    std::atomic<int> renewals{0};
    StandIn broker(socket, [&](const StandIn::Request& request) {
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        if (!is_renewal(request)) return StandIn::Response{.status = 201, .body = lease_json(2)};
        return ++renewals == 1 ? problem(503, "overloaded", "Busy.") : StandIn::Response{.body = renewal_json(900)};
    });
    auto client = client_of(broker);
    const auto lease = client.lease({.credential = "c", .renew_itself = true});
    BOOST_REQUIRE(lease.ok());
    BOOST_REQUIRE(broker.wait_for(3));
    BOOST_TEST(!lease->is_over());
}

BOOST_AUTO_TEST_CASE(a_client_closes_at_once_although_a_renewal_waits_for_the_broker) {
    StandIn broker(socket, [](const StandIn::Request& request) {
        if (is_renewal(request)) return StandIn::Response{.then = StandIn::Response::Then::stay_silent};
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        return StandIn::Response{.status = 201, .body = lease_json(0.3)};
    });
    const auto begun = std::chrono::steady_clock::now();
    {
        auto client = Client(Options{.lease_socket = broker.socket(),
                                     .admin_socket = broker.socket(),
                                     .grant_from_environment = false,
                                     .timeout = 10min});
        const auto lease = client.lease({.credential = "c", .renew_itself = true});
        BOOST_REQUIRE(lease.ok());
        BOOST_REQUIRE(broker.wait_for(2));
    }
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 1min)); // of the ten minutes that the request may take
}

BOOST_AUTO_TEST_CASE(a_lease_says_which_token_it_has_and_whether_that_may_be_refused_for_a_moment) {
    bool may_blip = false;
    StandIn broker(socket, [&](const StandIn::Request&) {
        auto body = lease_json(900);
        if (may_blip) body.replace(body.rfind('}'), 1, R"(,"may_blip":true})");
        return StandIn::Response{.status = 201, .body = std::move(body)};
    });
    auto client = client_of(broker);
    for (const bool says_so : {false, true}) {
        may_blip = says_so;
        auto lease = client.lease({.credential = "c", .bound_to_process = false});
        BOOST_REQUIRE(lease.ok());
        BOOST_TEST(lease->generation() == 41U);
        BOOST_TEST(lease->may_blip() == says_so);
        lease->keep();
    }
}

BOOST_AUTO_TEST_CASE(an_answer_that_is_no_lease_is_an_error_not_a_lease) {
    std::string body;
    StandIn broker(socket, [&](const StandIn::Request&) { return StandIn::Response{.status = 201, .body = body}; });
    auto client = client_of(broker);
    for (const char* wrong : {"", "no json", "[]", "{}", R"({"lease":"lease_1"})", "{\"lease\":"}) {
        body = wrong;
        const auto lease = client.lease({.credential = "c"});
        BOOST_TEST(!lease.ok(), wrong);
    }
}

BOOST_AUTO_TEST_CASE(a_long_secret_comes_whole) {
    const std::string token(200'000, 'k');
    StandIn broker(socket, [&](const StandIn::Request&) {
        return StandIn::Response{.status = 201, .body = lease_json(900, token)};
    });
    auto client = client_of(broker);
    auto lease = client.lease({.credential = "c", .bound_to_process = false});
    BOOST_REQUIRE_MESSAGE(lease.ok(), (lease.ok() ? std::string() : lease.error().sentence));
    BOOST_TEST((shown(*lease, "access_token") == token));
    lease->keep();
}

BOOST_AUTO_TEST_SUITE_END()
