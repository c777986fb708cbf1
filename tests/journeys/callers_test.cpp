#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <sodium/crypto_hash_sha256.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iomanip>
#include <iterator>
#include <sstream>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;

namespace {

constexpr auto token = "tok_3c1b9a70d5e8f264";

std::string own_hash() {
    std::ifstream file("/proc/self/exe", std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    std::ostringstream text;
    for (const auto byte : hash) text << std::hex << std::setw(2) << std::setfill('0') << int{byte};
    return text.str();
}

std::string worker_rule(const std::string& more) {
    return "[[worker]]\nname = \"etl\"\nuid = 0\nworkspace = \"default\"\n" + more + "\n";
}

boost::json::object json_of(const std::optional<credlease::test::Response>& response) {
    BOOST_REQUIRE(response.has_value());
    return boost::json::parse(response->body).as_object();
}

} // namespace

BOOST_AUTO_TEST_CASE(a_rule_with_a_hash_lets_the_program_of_that_hash_in_and_no_other) {
    Daemon daemon({.config = worker_rule("exe_sha256 = \"" + own_hash() + "\"")});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "hashed", token);
    const auto lease = [&] {
        test::SocketClient worker(daemon.lease_socket());
        return worker.ask("POST", "/v1/leases", R"({"credential":"hashed"})");
    };
    for (int i = 0; i < 2; ++i) BOOST_TEST(json_of(lease()).at("secret").at("token").as_string() == token);
    auto other = own_hash();
    other.front() = other.front() == '0' ? '1' : '0';
    daemon.write_config(worker_rule("exe_sha256 = \"" + other + "\""));
    daemon.signal(SIGHUP);
    BOOST_REQUIRE(daemon.wait_for_log("Reloaded"));
    BOOST_TEST(json_of(lease()).at("code").as_string() == "unauthenticated");
}

BOOST_AUTO_TEST_CASE(whoami_says_who_a_program_is_by_its_hash_whatever_was_asked_before) {
    Daemon daemon({.config = worker_rule("exe_sha256 = \"" + own_hash() + "\"")});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    test::SocketClient worker(daemon.lease_socket());
    BOOST_TEST(json_of(worker.ask("GET", "/v1/whoami")).at("principal").as_string() == "worker:etl");
}

BOOST_AUTO_TEST_CASE(who_asks_more_often_than_the_limit_is_told_when_to_come_again_and_others_are_served) {
    Daemon daemon({.config = worker_rule("") + "[limits]\nrequests_per_second = 5\n"});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "limited", token);
    const auto grant = mint(client, id);

    test::SocketClient worker(daemon.lease_socket());
    unsigned served = 0;
    std::optional<test::Response> refused;
    for (int i = 0; i < 50 && !refused; ++i) {
        const auto response = worker.ask("GET", "/v1/credentials");
        BOOST_REQUIRE(response.has_value());
        if (response->status == 200U) ++served;
        if (response->status == 429U) refused = response;
    }
    BOOST_REQUIRE(refused.has_value());
    BOOST_TEST(served >= 5U);
    BOOST_TEST(json_of(refused).at("code").as_string() == "rate_limited");
    BOOST_TEST(refused->header("retry-after") == "1");
    auto granted = client_of(daemon, grant); // the same process under a grant is another caller
    BOOST_TEST(granted.lease({.credential = "limited"}).ok());
    BOOST_TEST(ask(client, "GET", "/v1/credentials").status == 200U); // operators are not counted
}

BOOST_AUTO_TEST_CASE(a_renewal_sent_twice_under_one_key_moves_the_lease_once) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "renewed", token);
    test::SocketClient worker(daemon.lease_socket());
    const auto issued = json_of(worker.ask("POST", "/v1/leases", R"({"credential":"renewed","ttl":"1m"})"));
    const std::string path = "/v1/leases/" + std::string(issued.at("lease").as_string()) + "/renew";
    const std::string key = "Idempotency-Key: once\r\n";

    const auto first = json_of(worker.ask("POST", path, R"({"ttl":"5m"})", key));
    BOOST_TEST(first.at("expires_at") != issued.at("expires_at"));
    BOOST_TEST(!first.contains("secret"));
    ::usleep(5000);
    const auto again = json_of(worker.ask("POST", path, R"({"ttl":"5m"})", key));
    BOOST_TEST(boost::json::serialize(again) == boost::json::serialize(first));
    const auto mismatch = json_of(worker.ask("POST", path, R"({"ttl":"6m"})", key));
    BOOST_TEST(mismatch.at("code").as_string() == "idempotency_mismatch");
    BOOST_TEST(audit_of(client, "action=lease.renewed").size() == 1U);
    BOOST_TEST(audit_of(client, "action=lease.redelivered").size() == 1U);

    const auto with_secret = json_of(worker.ask("POST", path, R"({"secret":true})", "Idempotency-Key: two\r\n"));
    daemon.kill9();
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    test::SocketClient after(daemon.lease_socket());
    const auto replayed = json_of(after.ask("POST", path, R"({"secret":true})", "Idempotency-Key: two\r\n"));
    BOOST_TEST(boost::json::serialize(replayed) == boost::json::serialize(with_secret));
    BOOST_TEST(replayed.at("secret").at("token").as_string() == token);
}

BOOST_AUTO_TEST_CASE(a_refusal_is_in_the_log_for_whoever_asks_right_after_it) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    BOOST_TEST(client.lease({.credential = "nothing"}).error().code == "credential_not_found");
    BOOST_TEST(audit_of(client, "action=lease.refused").size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_list_of_the_expired_shows_those_whose_time_has_passed) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto ends = store_token(client, "ends", token);
    (void)store_token(client, "stays", token);
    const auto edited = ask(client, "PATCH", "/v1/credentials/" + ends, R"({"expires_at":"2020-01-01T00:00:00Z"})");
    BOOST_REQUIRE_EQUAL(edited.status, 200U);
    BOOST_TEST(edited.json.at("status").as_string() == "expired");
    const auto expired = ask(client, "GET", "/v1/credentials?status=expired").json.at("items").as_array();
    BOOST_REQUIRE_EQUAL(expired.size(), 1U);
    BOOST_TEST(expired[0].at("id").as_string() == ends);
    BOOST_TEST(ask(client, "GET", "/v1/credentials?status=active").json.at("items").as_array().size() == 1U);
    BOOST_TEST(client.lease({.credential = "ends"}).error().code == "credential_expired");
}

BOOST_AUTO_TEST_CASE(a_worker_that_reaches_little_is_shown_it_page_by_page_in_the_time_of_one_look) {
    Daemon daemon({.config = worker_rule("services = [\"github\"]")});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    constexpr int others = 600;
    for (int i = 0; i < others; ++i) (void)store_token(client, "other " + std::to_string(i), token);
    for (const std::string name : {"a", "z"}) {
        const auto made = ask(client, "POST", "/v1/credentials",
                              R"({"service":"github","name":")" + name + R"(","fields":{"token":"t_1234567"}})");
        BOOST_REQUIRE_EQUAL(made.status, 201U);
    }
    test::SocketClient worker(daemon.lease_socket());
    const auto list = [&](const std::string& query) { return json_of(worker.ask("GET", "/v1/credentials?" + query)); };
    const auto first = list("limit=1");
    BOOST_TEST(first.at("items").at(0).at("name").as_string() == "a");
    const auto rest = list("limit=1&cursor=" + std::string(first.at("next_cursor").as_string()));
    BOOST_TEST(rest.at("items").at(0).at("name").as_string() == "z");
    BOOST_TEST(rest.at("next_cursor").is_null());

    const auto fastest = [&](const std::string& query) {
        auto best = std::chrono::nanoseconds::max();
        for (int i = 0; i < 20; ++i) {
            const auto begin = std::chrono::steady_clock::now();
            (void)list(query);
            best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - begin);
        }
        return best.count();
    };
    BOOST_TEST(fastest("limit=1") < 5 * fastest("limit=500"));
}

BOOST_AUTO_TEST_CASE(a_removed_member_loses_leases_and_grants_of_that_workspace_at_once) {
    Daemon daemon({.config = "[sockets]\nadmin_mode = \"0666\"\nlease_mode = \"0666\"\n"
                             "[access]\noperators = [\"root\"]\nusers = { daemon = \"user:local/alice\" }\n",
                   .open_to_others = true});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    BOOST_REQUIRE(ask(client, "PUT", "/v1/workspaces/acme").status < 300U);
    BOOST_REQUIRE(ask(client, "PUT", "/v1/workspaces/acme/members/user:local%2Falice", R"({"role":"member"})").status <
                  300U);
    const auto stored =
        ask(client, "POST", "/v1/credentials",
            R"({"service":"http-bearer","name":"shared","scope":{"kind":"workspace","workspace":"acme"},)"
            R"("fields":{"token":"tok_9988776655443322"}})");
    BOOST_REQUIRE_EQUAL(stored.status, 201U);
    const auto left = as_uid(1, [&] {
        auto alice = client_of(daemon);
        const auto minted =
            ask(alice, "POST", "/v1/grants", R"({"workspace":"acme","workflow":"w","all":true,"ttl":"1h"})");
        if (minted.status != 201) return 1;
        auto worker = client_of(daemon, minted.json.at("grant").as_string());
        auto lease = worker.lease({.credential = "shared", .bound_to_process = false});
        if (!lease) return 2;
        lease->keep();
        return 0;
    });
    BOOST_REQUIRE_EQUAL(left, 0);
    BOOST_REQUIRE_EQUAL(ask(client, "GET", "/v1/leases").json.at("items").as_array().size(), 1U);
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/workspaces/acme/members/user:local%2Falice").status, 204U);
    for (int i = 0; i < 50 && !ask(client, "GET", "/v1/grants").json.at("items").as_array().empty(); ++i)
        ::usleep(10000);
    BOOST_TEST(ask(client, "GET", "/v1/grants").json.at("items").as_array().empty());
    BOOST_TEST(ask(client, "GET", "/v1/leases").json.at("items").as_array().empty());
}
