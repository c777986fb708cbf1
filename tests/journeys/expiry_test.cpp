#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <ctime>
#include <thread>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto token = "tok_expiry_91d7c3aa40";
constexpr auto soon = 1500ms;

std::string in(std::chrono::milliseconds span) {
    const auto when = std::chrono::system_clock::now() + span;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(when);
    const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
    std::tm parts{};
    ::gmtime_r(&whole, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%FT%T", &parts);
    const auto rest = std::chrono::floor<std::chrono::milliseconds>(when - seconds).count();
    return std::string(text.data(), size) + "." + std::to_string(1000 + rest).substr(1) + "Z";
}

std::string edit_end(Client& client, const std::string& id, std::chrono::milliseconds span) {
    return ask(client, "PATCH", "/v1/credentials/" + id, R"({"expires_at":")" + in(span) + "\"}").code;
}

std::vector<boost::json::object> told(Client& client) { return audit_of(client, "action=credential.expired"); }

/// Until the log tells of it, but for a broken promise 10 s.
std::vector<boost::json::object> wait_until_told(Client& client) {
    for (int i = 0; i < 200 && told(client).empty(); ++i) std::this_thread::sleep_for(50ms);
    return told(client);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_credential_that_expires_is_told_in_the_log_and_its_leases_end) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "short", token);
    auto lease = client.lease({.credential = "short"});
    BOOST_REQUIRE(lease.ok());
    BOOST_REQUIRE_EQUAL(edit_end(client, id, soon), ""); // nearer than the lease's own end
    BOOST_TEST(lease->renew().ok());
    const auto records = wait_until_told(client);
    BOOST_REQUIRE_EQUAL(records.size(), 1U);
    BOOST_TEST(records[0].at("credential").as_string() == id);
    BOOST_TEST(records[0].at("principal").as_string() == "broker");
    BOOST_TEST(records[0].at("version").to_number<int>() == 1);
    const auto renewed = lease->renew();
    BOOST_REQUIRE(!renewed.ok());
    BOOST_TEST(renewed.error().code == "lease_ended");
}

BOOST_AUTO_TEST_CASE(a_lease_does_not_outlive_an_end_that_was_moved_nearer) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "short", token);
    auto lease = client.lease({.credential = "short"});
    BOOST_REQUIRE(lease.ok());
    BOOST_REQUIRE_EQUAL(edit_end(client, id, soon), "");
    BOOST_REQUIRE_EQUAL(wait_until_told(client).size(), 1U);
    BOOST_TEST(ask(client, "GET", "/v1/leases").json.at("items").as_array().empty());
    const auto ended = audit_of(client, "action=lease.ended");
    BOOST_REQUIRE_EQUAL(ended.size(), 1U);
    BOOST_TEST(ended[0].at("lease").as_string() == lease->id());
}

BOOST_AUTO_TEST_CASE(what_expired_while_nobody_ran_is_told_at_the_next_start_and_once) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    {
        auto client = client_of(daemon);
        const auto id = store_token(client, "short", token);
        BOOST_REQUIRE_EQUAL(edit_end(client, id, soon), "");
    }
    daemon.kill9();
    std::this_thread::sleep_for(soon);
    for (int starts = 0; starts < 2; ++starts) {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        auto client = client_of(daemon);
        BOOST_TEST(wait_until_told(client).size() == 1U);
        BOOST_REQUIRE(daemon.stop() == 0);
    }
}

BOOST_AUTO_TEST_CASE(an_expired_credential_that_is_renamed_is_not_told_again_but_one_with_a_new_end_is) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "short", token);
    BOOST_REQUIRE_EQUAL(edit_end(client, id, -1h), "");
    BOOST_TEST(wait_until_told(client).size() == 1U);
    BOOST_TEST(ask(client, "PATCH", "/v1/credentials/" + id, R"({"name":"renamed"})").status == 200U);
    std::this_thread::sleep_for(200ms);
    BOOST_TEST(told(client).size() == 1U);
    BOOST_REQUIRE_EQUAL(edit_end(client, id, 500ms), "");
    for (int i = 0; i < 200 && told(client).size() < 2; ++i) std::this_thread::sleep_for(50ms);
    BOOST_TEST(told(client).size() == 2U);
}
