#define BOOST_TEST_DYN_LINK
#include "credlease/client.hpp"
#include "stand_in.hpp"
#include "told.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

using namespace credlease;
using namespace std::chrono_literals;
using test::comes_true;
using test::event;
using test::lease_json;
using test::problem;
using test::renewal_json;
using test::renewed;
using test::rotated;
using test::StandIn;
using test::TemporaryDirectory;
using test::Told;
using Response = StandIn::Response;
using Kind = LeaseChange::Kind;
using Clock = std::chrono::steady_clock;

namespace {

Response refused(unsigned status, const std::string& code, const std::string& retry_after = "") {
    auto response = problem(status, code, "Try again.");
    if (!retry_after.empty()) response.headers["Retry-After"] = retry_after;
    return response;
}

/// The first renewal is number 1.
using Renewal = std::function<Response(std::size_t number, const StandIn::Request&)>;

/// A broker whose renewals answer what the test says, and a lease with a callback that looks at its secret.
struct Fixture {
    TemporaryDirectory directory;
    std::filesystem::path socket = directory.path() / "lease.sock";
    std::atomic<double> seconds{900};   ///< of the lease
    std::atomic<bool> is_silent{false}; ///< it does not tell
    std::chrono::milliseconds timeout = 30s;
    std::atomic<Lease*> held{nullptr};
    std::mutex lock; ///< of what follows
    Renewal renewal;
    std::vector<Clock::time_point> renewals; ///< when each was asked for
    std::vector<std::string> secrets;        ///< that the callback found
    StandIn broker{socket, [this](const StandIn::Request& request) { return answer(request); }};
    Told told;
    std::optional<Client> client;

    Response answer(const StandIn::Request& request) {
        if (request.path == "/v1/events" && is_silent) return problem(404, "not_found", "There is no such route.");
        if (request.path == "/v1/events") {
            return {.body = ": listening\nid: 7.0\n\n",
                    .headers = {{"Content-Type", "text/event-stream"}, {"Connection", "close"}},
                    .then = Response::Then::stream};
        }
        if (request.method == "DELETE") return {.status = 204};
        if (request.path.ends_with("/renew")) return answer_renewal(request);
        return request.method == "POST" ? Response{.status = 201, .body = lease_json(seconds)} : Response{};
    }
    Response answer_renewal(const StandIn::Request& request) {
        std::unique_lock alone(lock);
        renewals.push_back(Clock::now());
        const auto number = renewals.size();
        const auto answer = renewal;
        alone.unlock();
        return answer(number, request);
    }
    std::vector<Clock::time_point> asked() {
        const std::lock_guard alone(lock);
        return renewals;
    }
    std::vector<std::string> found() {
        const std::lock_guard alone(lock);
        return secrets;
    }
    void take(const LeaseChange& change) {
        std::string secret;
        if (!comes_true([this] { return held != nullptr; })) return;
        held.load()->expose("access_token", [&](std::string_view text) { secret = text; });
        {
            const std::lock_guard alone(lock);
            secrets.push_back(secret);
        }
        told.take(change);
    }
    Lease lease(Renewal answers, bool renews = true) {
        {
            const std::lock_guard alone(lock);
            renewal = std::move(answers);
        }
        client.emplace(Options{
            .lease_socket = socket, .admin_socket = socket, .grant_from_environment = false, .timeout = timeout});
        auto taken = client->lease({.credential = "Acme prod Slack",
                                    .renew_itself = renews,
                                    .on_change = [this](const LeaseChange& change) { take(change); }});
        BOOST_REQUIRE(taken.ok());
        return std::move(*taken);
    }
    void push(const std::string& text) {
        if (!comes_true([&] { return broker.push("") > 0; })) return; // what waits for it says so
        broker.push(text);
    }
    /// … with the new secret, and not again.
    void is_told_once(Kind kind = Kind::rotated) {
        const auto change = told.next();
        BOOST_REQUIRE(change.has_value());
        BOOST_TEST((change->kind == kind));
        BOOST_TEST(!told.next(300ms).has_value());
        BOOST_TEST(found() == std::vector<std::string>{"xoxb-new"}, boost::test_tools::per_element());
    }
};

BOOST_FIXTURE_TEST_SUITE(changes, Fixture)

BOOST_AUTO_TEST_CASE(a_change_is_told_once_when_the_new_secret_is_there_although_its_renewal_was_refused_before) {
    auto lease = this->lease([](std::size_t number, const auto&) {
        if (number == 1) return refused(429, "rate_limited", "1");
        return number == 2 ? refused(503, "overloaded") : Response{.body = renewed(4)};
    });
    held = &lease;
    push(rotated("8.1", 4) + rotated("8.1", 4));
    is_told_once();
    const auto asked = this->asked();
    BOOST_REQUIRE_EQUAL(asked.size(), 3U);
    BOOST_TEST((asked[1] - asked[0] >= 1s)); // as the broker asked
    BOOST_TEST(!lease.last_error().has_value());
}

BOOST_AUTO_TEST_CASE(the_pause_before_another_attempt_grows) {
    auto lease = this->lease([](std::size_t number, const auto&) {
        return number <= 4 ? refused(503, "overloaded") : Response{.body = renewed(4)};
    });
    held = &lease;
    push(rotated("8.1", 4));
    is_told_once();
    const auto asked = this->asked();
    BOOST_REQUIRE_EQUAL(asked.size(), 5U);
    for (std::size_t i = 0; i < 4; ++i) BOOST_TEST((asked[i + 1] - asked[i] >= 100ms * (1 << i)));
}

BOOST_AUTO_TEST_CASE(attempts_end_with_the_lease_and_what_never_came_is_not_told_of) {
    seconds = 1;
    auto lease = this->lease([](std::size_t, const auto&) { return refused(503, "overloaded"); });
    held = &lease;
    push(rotated("8.1", 4));
    BOOST_TEST(!told.next(1300ms).has_value());
    const auto asked = this->asked().size();
    BOOST_TEST(asked >= 3U);
    BOOST_TEST(!told.next(1500ms).has_value());
    BOOST_TEST(this->asked().size() == asked);
}

BOOST_AUTO_TEST_CASE(a_change_that_the_planned_renewal_brings_is_told_then_and_once) {
    seconds = 0.6;
    auto lease = this->lease([](std::size_t, const auto&) { return Response{.body = renewed(4)}; });
    held = &lease;
    is_told_once();
    push(rotated("8.1", 4)); // late
    BOOST_TEST(!told.next(300ms).has_value());
    BOOST_TEST(asked().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_change_that_the_program_s_own_renewal_brings_is_told_then_and_once) {
    auto lease = this->lease([](std::size_t number, const auto&) {
        return number == 1 ? refused(429, "rate_limited", "60") : Response{.body = renewed(4)};
    });
    held = &lease;
    push(rotated("8.1", 4));
    BOOST_TEST(comes_true([&] { return asked().size() == 1; }));
    BOOST_TEST(!told.next(200ms).has_value());
    BOOST_TEST(lease.renew().ok());
    is_told_once();
}

BOOST_AUTO_TEST_CASE(a_new_generation_is_told_as_refreshed) {
    seconds = 0.6;
    auto lease = this->lease([](std::size_t, const auto&) {
        auto body = lease_json(900, "xoxb-new");
        const std::string old = "\"generation\":41";
        return Response{.body = body.replace(body.find(old), old.size(), "\"generation\":42")};
    });
    held = &lease;
    is_told_once(Kind::refreshed);
}

BOOST_AUTO_TEST_CASE(a_new_secret_is_told_of_although_the_broker_does_not_tell) {
    is_silent = true;
    seconds = 0.6;
    auto lease = this->lease([](std::size_t, const auto&) { return Response{.body = renewed(4)}; });
    held = &lease;
    is_told_once();
}

BOOST_AUTO_TEST_CASE(a_new_secret_whose_answer_was_lost_is_asked_for) {
    timeout = 300ms;
    auto lease = this->lease([](std::size_t number, const StandIn::Request& request) {
        if (number == 1) return Response{.then = Response::Then::stay_silent};
        if (request.body.find(R"("secret":true)") != std::string::npos) return Response{.body = renewed(4)};
        auto body = renewal_json(900); // it has brought it, as far as it knows
        const std::string old = "\"version\":3";
        return Response{.body = body.replace(body.find(old), old.size(), "\"version\":4")};
    });
    held = &lease;
    push(rotated("8.1", 4));
    is_told_once();
}

BOOST_AUTO_TEST_CASE(a_change_during_a_renewal_makes_another_one) {
    seconds = 0.3;
    auto lease = this->lease([this](std::size_t number, const auto&) {
        if (number > 1) return Response{.body = renewed(4)};
        push(rotated("8.1", 4));
        std::this_thread::sleep_for(300ms); // it is heard meanwhile
        return Response{.body = renewal_json(900)};
    });
    held = &lease;
    is_told_once();
    BOOST_TEST(asked().size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_lease_that_can_be_no_longer_gets_its_new_secret_too) {
    seconds = 0.3;
    auto lease = this->lease([](std::size_t number, const auto&) {
        return Response{.body = number == 1 ? renewal_json(4000) : renewed(4, 4000)};
    });
    held = &lease;
    BOOST_TEST(comes_true([&] { return lease.expires_at() > lease.renewable_until(); }));
    push(rotated("8.1", 4));
    is_told_once();
}

BOOST_AUTO_TEST_CASE(who_missed_too_much_fetches_the_new_secret_before_it_is_told) {
    auto lease = this->lease([](std::size_t number, const auto&) {
        return number == 1 ? refused(503, "overloaded") : Response{.body = renewed(4)};
    });
    held = &lease;
    push(event("reset", "99.0", ""));
    is_told_once();
}

BOOST_AUTO_TEST_CASE(a_call_about_a_new_secret_may_let_its_lease_and_its_client_die) {
    auto client = std::make_unique<Client>(
        Options{.lease_socket = socket, .admin_socket = socket, .grant_from_environment = false});
    Lease lease;
    std::atomic<bool> is_ready{false}, is_done{false};
    {
        const std::lock_guard alone(lock);
        renewal = [](std::size_t, const auto&) { return Response{.body = renewed(4)}; };
    }
    auto taken =
        client->lease({.credential = "Acme prod Slack", .renew_itself = true, .on_change = [&](const LeaseChange&) {
                           if (!comes_true([&] { return is_ready.load(); })) return;
                           lease = Lease();
                           client.reset();
                           is_done = true;
                       }});
    BOOST_REQUIRE(taken.ok());
    lease = std::move(*taken);
    is_ready = true;
    push(rotated("8.1", 4));
    BOOST_TEST(comes_true([&] { return is_done.load(); }));
}

BOOST_AUTO_TEST_CASE(a_lease_that_does_not_renew_itself_is_told_at_once_and_not_renewed) {
    auto lease = this->lease([](std::size_t, const auto&) { return Response{.body = renewed(4)}; }, false);
    held = &lease;
    push(rotated("8.1", 4) + rotated("8.1", 4));
    BOOST_TEST(told.next().has_value());
    BOOST_TEST(!told.next(200ms).has_value());
    BOOST_TEST(found() == std::vector<std::string>{"xoxb-secret-token"}, boost::test_tools::per_element());
    BOOST_TEST(asked().empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
