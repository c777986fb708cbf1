#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

// Sealing and unsealing by requests that are sent again.
using namespace credlease;
using namespace credlease::tests;
using test::SocketClient;

namespace {

/// What one request was answered: its state, or the code of its refusal.
std::string outcome_of(const Daemon& daemon, std::string_view path, std::string_view body, std::string_view key) {
    SocketClient client(daemon.admin_socket());
    const std::string header = key.empty() ? std::string() : "Idempotency-Key: " + std::string(key) + "\r\n";
    const auto answer = client.ask("POST", path, body, header);
    BOOST_REQUIRE(answer.has_value());
    const auto json = boost::json::parse(answer->body);
    return std::string(json.at(answer->status == 200U ? "state" : "code").as_string());
}

std::string state_of(const Daemon& daemon) {
    auto client = client_of(daemon);
    return std::string(ask(client, "GET", "/v1/status").json.at("state").as_string());
}

} // namespace

BOOST_AUTO_TEST_CASE(a_seal_that_arrives_again_after_an_unseal_seals_nothing) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(outcome_of(daemon, "/v1/seal", "{}", "first") == "sealed");
    BOOST_TEST(outcome_of(daemon, "/v1/unseal", "{}", "second") == "ready");
    BOOST_TEST(outcome_of(daemon, "/v1/seal", "{}", "first") == "sealed"); // as it was answered then
    BOOST_TEST(state_of(daemon) == "ready");
    BOOST_TEST(outcome_of(daemon, "/v1/seal", R"({"now":true})", "first") == "idempotency_mismatch");
    BOOST_TEST(outcome_of(daemon, "/v1/unseal", "{}", "first") == "idempotency_mismatch");
    BOOST_TEST(state_of(daemon) == "ready");
    BOOST_TEST(outcome_of(daemon, "/v1/seal", "{}", "third") == "sealed");
    BOOST_TEST(outcome_of(daemon, "/v1/unseal", "{}", "second") == "ready"); // as it was answered then
    BOOST_TEST(state_of(daemon) == "sealed");
    BOOST_TEST(outcome_of(daemon, "/v1/unseal", "{}", "") == "ready");
    auto client = client_of(daemon);
    BOOST_TEST(audit_of(client, "action=broker.sealed").size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_refused_unseal_may_be_sent_again_and_its_passphrase_is_part_of_the_request) {
    Daemon daemon({.config = "[seal]\nmethod = \"passphrase\"\n"});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    const auto right = R"({"passphrase":"correct horse battery"})";
    BOOST_TEST(outcome_of(daemon, "/v1/unseal", "{}", "key") == "invalid_request"); // nothing was kept of that
    BOOST_TEST(outcome_of(daemon, "/v1/unseal", right, "key") == "ready");
    BOOST_TEST(outcome_of(daemon, "/v1/unseal", right, "key") == "ready");
    BOOST_TEST(outcome_of(daemon, "/v1/unseal", R"({"passphrase":"another"})", "key") == "idempotency_mismatch");
}
