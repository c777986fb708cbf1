#define BOOST_TEST_DYN_LINK
#include "credlease/client.hpp"
#include "stand_in.hpp"
#include "told.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>

using namespace credlease;
using namespace std::chrono_literals;
using test::comes_true;
using test::ended;
using test::event;
using test::lease_id;
using test::lease_json;
using test::problem;
using test::renewed;
using test::rotated;
using test::StandIn;
using test::TemporaryDirectory;
using test::Told;
using Then = StandIn::Response::Then;
using Kind = LeaseChange::Kind;

namespace {

struct Fixture {
    TemporaryDirectory directory;
    std::filesystem::path socket = directory.path() / "lease.sock";
    std::atomic<bool> is_old{false};
    std::atomic<bool> is_gone{false};
    StandIn broker{socket, [this](const StandIn::Request& request) { return answer(request); }};
    Told told;

    StandIn::Response answer(const StandIn::Request& request) const {
        if (request.path == "/v1/events") {
            if (is_old) return problem(404, "not_found", "There is no such route.");
            return {.body = ": listening\nid: 7.0\n\n",
                    .headers = {{"Content-Type", "text/event-stream"}, {"Connection", "close"}},
                    .then = Then::stream};
        }
        if (request.method == "DELETE") return {.status = 204};
        if (request.path.ends_with("/renew")) return {.body = renewed(4)};
        if (request.method == "POST") return {.status = 201, .body = lease_json(900)};
        return is_gone ? problem(410, "lease_ended", "credential revoked", R"(,"reason":"credential_deleted")")
                       : StandIn::Response{.body = "{}"};
    }
    [[nodiscard]] Client client() const {
        return Client(Options{.lease_socket = socket, .admin_socket = socket, .grant_from_environment = false});
    }
    Result<Lease> lease(Client& client, bool renews = false) {
        return client.lease({.credential = "Acme prod Slack",
                             .renew_itself = renews,
                             .on_change = [this](const LeaseChange& change) { told.take(change); }});
    }
    std::vector<StandIn::Request> asked_for_events() const {
        auto seen = broker.seen();
        std::erase_if(seen, [](const auto& request) { return request.path != "/v1/events"; });
        return seen;
    }
    /// Until somebody listens.
    void push(const std::string& text) {
        BOOST_TEST(comes_true([&] { return broker.push("") > 0; }));
        broker.push(text);
    }
};

BOOST_FIXTURE_TEST_SUITE(events, Fixture)

BOOST_AUTO_TEST_CASE(a_lease_that_the_broker_ended_is_told_of_once_and_is_over) {
    auto client = this->client();
    auto held = lease(client);
    BOOST_REQUIRE(held.ok());
    push(ended("8.1") + ended("8.1"));
    const auto change = told.next();
    BOOST_REQUIRE(change.has_value());
    BOOST_TEST((change->kind == Kind::ended));
    BOOST_TEST(change->reason == "credential_revoked");
    BOOST_TEST(change->lease == lease_id);
    BOOST_TEST(held->is_over());
    BOOST_REQUIRE(held->last_error().has_value());
    BOOST_TEST(held->last_error()->reason == "credential_revoked");
    BOOST_TEST(!told.next(100ms).has_value());
}

BOOST_AUTO_TEST_CASE(of_another_lease_or_an_event_that_is_not_known_nothing_is_told) {
    auto client = this->client();
    auto held = lease(client);
    push(event("lease.ended", "8.1", R"("lease":"lease_01j0000000000000000000000x","reason":"expired")") +
         event("from.the.future", "8.2", "") + event("broker.sealing", "8.3", "") + "data: no json\n\n");
    BOOST_TEST(!told.next(200ms).has_value());
    BOOST_TEST(!held->is_over());
}

BOOST_AUTO_TEST_CASE(a_lease_that_renews_itself_has_the_new_secret_when_it_is_told_of) {
    auto client = this->client();
    std::string seen;
    Lease* pointer = nullptr;
    auto held = client.lease(
        {.credential = "Acme prod Slack", .renew_itself = true, .on_change = [&](const LeaseChange& change) {
             pointer->expose("access_token", [&](std::string_view text) { seen = text; });
             told.take(change);
         }});
    BOOST_REQUIRE(held.ok());
    pointer = &*held;
    push(rotated("8.1", 3) + rotated("8.2", 4) + rotated("8.2", 4));
    const auto change = told.next();
    BOOST_REQUIRE(change.has_value());
    BOOST_TEST((change->kind == Kind::rotated));
    BOOST_TEST(seen == "xoxb-new");
    BOOST_TEST(held->version() == 4U);
    BOOST_TEST(!told.next(100ms).has_value()); // the version that it had, and the same again
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_lost_is_made_anew_from_where_it_was) {
    auto client = this->client();
    auto held = lease(client);
    push(rotated("8.1", 4));
    BOOST_TEST(told.next().has_value());
    broker.cut_streams();
    push(ended("9.1"));
    BOOST_TEST(told.next().has_value());
    const auto asked = asked_for_events();
    BOOST_REQUIRE_EQUAL(asked.size(), 2U);
    BOOST_TEST(!asked[0].headers.contains("last-event-id"));
    BOOST_TEST(asked[1].headers.at("last-event-id") == "8.1");
    BOOST_TEST(asked[1].headers.at("accept") == "text/event-stream");
}

BOOST_AUTO_TEST_CASE(a_broker_that_does_not_tell_is_left_in_peace) {
    is_old = true;
    auto client = this->client();
    auto held = lease(client);
    BOOST_TEST(held.ok());
    BOOST_TEST(comes_true([&] { return asked_for_events().size() == 1; }));
    BOOST_TEST(!told.next(300ms).has_value());
    BOOST_TEST(asked_for_events().size() == 1U);
    BOOST_TEST(held->renew().ok());
}

BOOST_AUTO_TEST_CASE(who_missed_too_much_looks_at_its_leases) {
    auto client = this->client();
    auto held = lease(client);
    BOOST_TEST(comes_true([&] { return broker.push("") > 0; }));
    BOOST_TEST(!told.next(50ms).has_value());
    is_gone = true;
    push(event("reset", "99.0", ""));
    const auto change = told.next();
    BOOST_REQUIRE(change.has_value());
    BOOST_TEST((change->kind == Kind::ended));
    BOOST_TEST(change->reason == "credential_deleted");
}

BOOST_AUTO_TEST_CASE(a_lease_that_ended_before_the_broker_began_to_tell_is_told_of) {
    is_gone = true;
    auto client = this->client();
    auto held = lease(client);
    const auto change = told.next();
    BOOST_REQUIRE(change.has_value());
    BOOST_TEST(change->reason == "credential_deleted");
}

BOOST_AUTO_TEST_CASE(what_the_program_released_itself_is_not_told_of) {
    auto client = this->client();
    auto held = lease(client);
    BOOST_TEST(comes_true([&] { return broker.push("") > 0; }));
    BOOST_TEST(held->release().ok());
    push(ended("8.1", "released"));
    BOOST_TEST(!told.next(200ms).has_value());
}

BOOST_AUTO_TEST_CASE(a_lease_dies_once_its_call_is_over_and_hears_nothing_after) {
    std::atomic<bool> is_called{false}, is_over{false};
    auto client = this->client();
    {
        auto held = client.lease({.credential = "Acme prod Slack", .on_change = [&](const LeaseChange&) {
                                      is_called = true;
                                      std::this_thread::sleep_for(200ms);
                                      is_over = true;
                                  }});
        push(rotated("8.1", 4));
        BOOST_TEST(comes_true([&] { return is_called.load(); }));
    }
    BOOST_TEST(is_over.load());
    is_called = false;
    push(rotated("8.2", 5));
    std::this_thread::sleep_for(50ms);
    BOOST_TEST(!is_called.load());
}

BOOST_AUTO_TEST_CASE(a_call_may_let_its_lease_and_its_client_die) {
    auto held = std::make_unique<Lease>();
    auto client = std::make_unique<Client>(this->client());
    std::atomic<bool> is_done{false};
    auto taken = client->lease({.credential = "Acme prod Slack", .on_change = [&](const LeaseChange&) {
                                    held.reset();
                                    client.reset();
                                    is_done = true;
                                }});
    BOOST_REQUIRE(taken.ok());
    *held = std::move(*taken);
    push(rotated("8.1", 4));
    BOOST_TEST(comes_true([&] { return is_done.load(); }));
}

BOOST_AUTO_TEST_CASE(events_are_shown_as_they_come_until_it_is_enough) {
    std::thread pushing([this] { push(rotated("8.1", 4) + ended("8.2") + ended("8.3")); });
    auto client = this->client();
    std::vector<Event> shown;
    const auto done = client.events(Client::Door::lease, "7.5", [&](const Event& one) {
        shown.push_back(one);
        return shown.size() < 2;
    });
    pushing.join();
    BOOST_TEST(done.ok());
    BOOST_REQUIRE_EQUAL(shown.size(), 2U);
    BOOST_TEST(shown[0].type == "credential.rotated");
    BOOST_TEST(shown[1].id == "8.2");
    BOOST_TEST(shown[1].json.find("credential_revoked") != std::string::npos);
    BOOST_TEST(asked_for_events().front().headers.at("last-event-id") == "7.5");
}

BOOST_AUTO_TEST_CASE(a_refusal_to_tell_is_shown) {
    is_old = true;
    auto client = this->client();
    const auto refused = client.events(Client::Door::lease, "", [](const Event&) { return true; });
    BOOST_REQUIRE(!refused.ok());
    BOOST_TEST(refused.error().code == "not_found");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
