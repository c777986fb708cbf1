#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/wait.h>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;

namespace {

constexpr auto token = "tok_2f7a91c0d3b8e456";
constexpr auto basic = R"({"service":"http-basic","name":"pair","fields":{"username":"u","password":"pw-77aa51c2"}})";

std::string worker_rule(const std::string& more = {}) {
    return "[[worker]]\nname = \"etl\"\nuid = 0\nworkspace = \"default\"\n" + more + "\n";
}

boost::json::object json_of(const std::optional<test::Response>& response) {
    BOOST_REQUIRE(response.has_value());
    return boost::json::parse(response->body).as_object();
}

std::string code_of(const std::optional<test::Response>& response) {
    const auto json = json_of(response);
    return json.contains("code") ? std::string(json.at("code").as_string()) : std::to_string(response->status);
}

std::string lease_of(const boost::json::object& issued) { return std::string(issued.at("lease").as_string()); }

void reload(Daemon& daemon, const std::string& config, std::size_t times) {
    daemon.write_config(config);
    daemon.signal(SIGHUP);
    BOOST_REQUIRE(daemon.wait_for_log("Reloaded", times));
}

/// An entry of the operator's own with two fields in this order.
void write_entry(const Daemon& daemon, const std::string& first, const std::string& second) {
    const auto folder = daemon.config_folder() / "services.d";
    std::filesystem::create_directories(folder);
    const auto field = [](const std::string& name) {
        return R"({"name":")" + name + R"(","label":")" + name + R"(","type":"string","secret":true})";
    };
    std::ofstream(folder / "two-keys.json")
        << R"({"id":"two-keys","name":"Two keys","auth":[{"name":"keys","label":"Keys",)"
        << R"("fields":[)" << field(first) << ',' << field(second) << "]}]}";
}

} // namespace

BOOST_AUTO_TEST_CASE(an_idempotency_key_gives_one_user_of_an_engine_nothing_of_another) {
    const auto config = "[[engine]]\nname = \"flows\"\nuid = 0\nworkspaces = [\"*\"]\nmax_role = \"admin\"\n";
    Daemon daemon({.config = config});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    test::SocketClient engine(daemon.admin_socket());
    const std::string alice = "Credlease-Actor: user:alice\r\nIdempotency-Key: once\r\n";
    const std::string bob = "Credlease-Actor: user:bob\r\nIdempotency-Key: once\r\n";
    const auto stored = engine.ask("POST", "/v1/credentials",
                                   R"({"service":"http-bearer","name":"own","scope":{"kind":"personal"},)"
                                   R"("fields":{"token":"tok_alice_11223344"}})",
                                   "Credlease-Actor: user:alice\r\n");
    BOOST_REQUIRE(stored && stored->status == 201U);
    constexpr auto wanted = R"({"credential":"own","bind":"none"})";
    const auto first = json_of(engine.ask("POST", "/v1/leases", wanted, alice));
    BOOST_TEST(code_of(engine.ask("POST", "/v1/leases", wanted, bob)) == "credential_not_found");
    const auto again = [&] {
        test::SocketClient after(daemon.admin_socket());
        BOOST_TEST(boost::json::serialize(json_of(after.ask("POST", "/v1/leases", wanted, alice))) ==
                   boost::json::serialize(first));
        BOOST_TEST(code_of(after.ask("POST", "/v1/leases", wanted, bob)) == "credential_not_found");
    };
    again();
    daemon.kill9();
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    again();
}

BOOST_AUTO_TEST_CASE(why_a_lease_ended_is_told_to_the_user_who_held_it_and_to_no_other_of_the_engine) {
    const auto config = "[[engine]]\nname = \"flows\"\nuid = 0\nworkspaces = [\"*\"]\nmax_role = \"admin\"\n";
    Daemon daemon({.config = config});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    const auto as = [&](const std::string& user, const std::string& method, const std::string& path,
                        const std::string& body = {}) {
        test::SocketClient engine(daemon.admin_socket());
        return engine.ask(method, path, body, "Credlease-Actor: user:" + user + "\r\n");
    };
    const auto stored = as("alice", "POST", "/v1/credentials",
                           R"({"service":"http-bearer","name":"own","scope":{"kind":"personal"},)"
                           R"("fields":{"token":"tok_alice_11223344"}})");
    BOOST_REQUIRE(stored && stored->status == 201U);
    const auto path =
        "/v1/leases/" + lease_of(json_of(as("alice", "POST", "/v1/leases", R"({"credential":"own","bind":"none"})")));
    BOOST_REQUIRE_EQUAL(as("alice", "DELETE", path)->status, 204U);
    for (int starts = 0; starts < 2; ++starts) {
        BOOST_TEST(code_of(as("alice", "GET", path)) == "lease_ended");
        BOOST_TEST(code_of(as("bob", "GET", path)) == "lease_not_found");
        daemon.kill9();
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    }
}

BOOST_AUTO_TEST_CASE(a_key_that_is_sent_again_gives_nothing_that_may_no_longer_be_leased) {
    Daemon daemon({.config = worker_rule()});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "kept", token);
    test::SocketClient worker(daemon.lease_socket());
    const auto again = [&] {
        return worker.ask("POST", "/v1/leases", R"({"credential":"kept","bind":"none"})", "Idempotency-Key: k\r\n");
    };
    BOOST_TEST(again()->status == 201U);
    const auto expire = ask(client, "PATCH", "/v1/credentials/" + id, R"({"expires_at":"2020-01-01T00:00:00Z"})");
    BOOST_REQUIRE_EQUAL(expire.status, 200U);
    BOOST_TEST(code_of(again()) == "lease_ended"); // the edit ended it
}

BOOST_AUTO_TEST_CASE(a_key_gives_a_lease_of_one_process_to_no_other) {
    Daemon daemon({.config = worker_rule()});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "bound", token);
    const auto ask_for_it = [&] {
        test::SocketClient worker(daemon.lease_socket());
        return worker.ask("POST", "/v1/leases", R"({"credential":"bound"})", "Idempotency-Key: k\r\n");
    };
    BOOST_TEST(ask_for_it()->status == 201U);
    BOOST_TEST(ask_for_it()->status == 201U);
    const auto refused = as_uid(0, [&] {
        const auto answer = ask_for_it();
        return answer && answer->status == 409U && answer->body.contains("idempotency_mismatch") &&
                       answer->body.contains("another process") && !answer->body.contains(token)
                   ? 0
                   : 1;
    });
    BOOST_TEST(refused == 0);
}

BOOST_AUTO_TEST_CASE(a_renewal_gives_no_field_that_the_rule_has_taken_away) {
    Daemon daemon({.config = worker_rule()});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    BOOST_REQUIRE_EQUAL(ask(client, "POST", "/v1/credentials", basic).status, 201U);
    const std::string key = "Idempotency-Key: k\r\n";
    constexpr auto wanted = R"({"credential":"pair","bind":"none"})";
    test::SocketClient before(daemon.lease_socket());
    const auto issued = json_of(before.ask("POST", "/v1/leases", wanted, key));
    BOOST_TEST(issued.at("secret").as_object().contains("password"));
    BOOST_REQUIRE(daemon.stop() == 0);
    daemon.write_config(worker_rule("fields = [\"username\"]"));
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());

    test::SocketClient worker(daemon.lease_socket());
    const auto redelivered = json_of(worker.ask("POST", "/v1/leases", wanted, key));
    BOOST_TEST(lease_of(redelivered) == lease_of(issued));
    BOOST_TEST(!boost::json::serialize(redelivered).contains("pw-77aa51c2"));
    const auto path = "/v1/leases/" + lease_of(issued) + "/renew";
    const auto renewed = json_of(worker.ask("POST", path, R"({"secret":true})"));
    BOOST_TEST(renewed.at("fields").as_object().contains("username"));
    BOOST_TEST(renewed.at("secret").as_object().empty());
    BOOST_TEST(!renewed.contains("http"));
}

BOOST_AUTO_TEST_CASE(a_lease_of_one_field_never_gives_another_that_the_catalog_puts_in_its_place) {
    Daemon daemon({.config = worker_rule()});
    write_entry(daemon, "low", "high");
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto stored = ask(client, "POST", "/v1/credentials",
                            R"({"service":"two-keys","name":"two","fields":{"low":"low-1111","high":"high-2222"}})");
    BOOST_REQUIRE_EQUAL(stored.status, 201U);
    test::SocketClient worker(daemon.lease_socket());
    const auto issued =
        json_of(worker.ask("POST", "/v1/leases", R"({"credential":"two","fields":["low"],"bind":"none"})"));
    const auto path = "/v1/leases/" + lease_of(issued) + "/renew";
    const auto same = json_of(worker.ask("POST", path, R"({"secret":true})"));
    BOOST_TEST(boost::json::serialize(same.at("secret")) == R"({"low":"low-1111"})");

    const auto none = json_of(worker.ask("POST", "/v1/leases", R"({"credential":"two","fields":["none"]})"));
    BOOST_TEST(none.at("field").as_string() == "fields");
    BOOST_TEST(std::string(none.at("detail").as_string()).contains("(it has low, high)"));

    write_entry(daemon, "high", "low");
    reload(daemon, worker_rule(), 1);
    const auto other = json_of(worker.ask("POST", path, R"({"secret":true})"));
    BOOST_TEST(other.at("code").as_string() == "lease_ended");
    BOOST_TEST(other.at("reason").as_string() == "scope_changed");
    BOOST_TEST(ask(client, "GET", "/v1/leases").json.at("items").as_array().empty());
}

BOOST_AUTO_TEST_CASE(a_user_behind_an_engine_ends_no_lease_under_another_users_grant) {
    const auto config = "[[engine]]\nname = \"flows\"\nuid = 0\nworkspaces = [\"*\"]\nmax_role = \"editor\"\n";
    Daemon daemon({.config = config});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "shared", token);
    for (const auto* user : {"alice", "bob"}) {
        const auto path = "/v1/workspaces/default/members/user:flows%2F" + std::string(user);
        BOOST_REQUIRE(ask(client, "PUT", path, R"({"role":"member"})").status < 300U);
    }
    test::SocketClient engine(daemon.admin_socket()), worker(daemon.lease_socket());
    const auto grant =
        json_of(engine.ask("POST", "/v1/grants", R"({"workspace":"default","workflow":"w","all":true,"ttl":"1h"})",
                           "Credlease-Actor: user:alice\r\n"));
    const auto bearer = "Authorization: Bearer " + std::string(grant.at("grant").as_string()) + "\r\n";
    BOOST_REQUIRE(worker.ask("POST", "/v1/leases", R"({"credential":"shared"})", bearer)->status == 201U);
    const auto ended_by = [&](const std::string& actor) {
        return engine.ask("DELETE", "/v1/leases?workflow=w", {}, "Credlease-Actor: user:" + actor + "\r\n")->body;
    };
    BOOST_TEST(ended_by("bob") == R"({"ended":0})");
    BOOST_TEST(ended_by("alice") == R"({"ended":1})");
}

BOOST_AUTO_TEST_CASE(a_start_under_a_config_without_the_rule_ends_what_it_gave) {
    const std::string engine =
        "[access]\noperators = [\"root\"]\n[[engine]]\nname = \"flows\"\nuid = 0\nworkspaces = [\"*\"]\n";
    Daemon daemon({.config = engine + worker_rule()});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "kept", token);
    BOOST_REQUIRE(
        ask(client, "PUT", "/v1/workspaces/default/members/user:flows%2Falice", R"({"role":"member"})").status < 300U);
    test::SocketClient worker(daemon.lease_socket()), flows(daemon.admin_socket());
    const auto own = json_of(worker.ask("POST", "/v1/leases", R"({"credential":"kept","bind":"none"})"));
    const auto grant =
        json_of(flows.ask("POST", "/v1/grants", R"({"workspace":"default","workflow":"w","all":true,"ttl":"1h"})",
                          "Credlease-Actor: user:alice\r\n"));
    const auto bearer = "Authorization: Bearer " + std::string(grant.at("grant").as_string()) + "\r\n";
    const auto granted = json_of(worker.ask("POST", "/v1/leases", R"({"credential":"kept","bind":"none"})", bearer));
    const auto kept = client.lease({.credential = "kept", .bound_to_process = false});
    const auto live = [&] { return ask(client, "GET", "/v1/leases").json.at("items").as_array().size(); };
    BOOST_TEST(live() == 3U);
    BOOST_REQUIRE(daemon.stop() == 0);
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log()); // the same config ends nothing
    BOOST_TEST(live() == 3U);

    BOOST_REQUIRE(daemon.stop() == 0);
    daemon.write_config("[access]\noperators = [\"root\"]\n[[worker]]\nname = \"other\"\nuid = 1234\n");
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    const auto reason = [&](const boost::json::object& lease) {
        test::SocketClient admin(daemon.admin_socket());
        const auto gone = json_of(admin.ask("GET", "/v1/leases/" + lease_of(lease)));
        return gone.contains("reason") ? std::string(gone.at("reason").as_string()) : "live";
    };
    BOOST_TEST(reason(own) == "scope_changed");
    BOOST_TEST(reason(granted) == "grant_ended");
    BOOST_TEST(live() == 1U); // the operator's own
    for (int i = 0; i < 50 && !ask(client, "GET", "/v1/grants").json.at("items").as_array().empty(); ++i)
        ::usleep(10000);
    BOOST_TEST(ask(client, "GET", "/v1/grants").json.at("items").as_array().empty());
}

BOOST_AUTO_TEST_CASE(a_workspace_that_was_erased_leaves_no_grant_to_another_of_its_name) {
    Daemon daemon({.config = worker_rule()});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    BOOST_REQUIRE(ask(client, "PUT", "/v1/workspaces/acme").status < 300U);
    const auto stored = ask(client, "POST", "/v1/credentials",
                            R"({"service":"http-bearer","name":"everyone's","scope":{"kind":"organization"},)"
                            R"("fields":{"token":"tok_everyone_1234"}})");
    BOOST_REQUIRE_EQUAL(stored.status, 201U);
    const auto minted =
        ask(client, "POST", "/v1/grants", R"({"workspace":"acme","workflow":"w","all":true,"ttl":"1h"})");
    const auto bearer = "Authorization: Bearer " + std::string(minted.json.at("grant").as_string()) + "\r\n";
    test::SocketClient worker(daemon.lease_socket());
    constexpr auto wanted = R"({"credential":"everyone's","bind":"none"})";
    BOOST_REQUIRE(worker.ask("POST", "/v1/leases", wanted, bearer)->status == 201U);
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/workspaces/acme").status, 204U);
    BOOST_TEST(ask(client, "GET", "/v1/leases").json.at("items").as_array().empty());
    BOOST_REQUIRE(ask(client, "PUT", "/v1/workspaces/acme").status < 300U);
    BOOST_TEST(code_of(worker.ask("POST", "/v1/leases", wanted, bearer)) == "unauthenticated");
}

BOOST_AUTO_TEST_CASE(processes_without_a_lease_cost_the_daemon_few_descriptors) {
    Daemon daemon({.config = worker_rule()});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "short", token);
    const auto descriptors = [&] {
        const std::filesystem::directory_iterator all("/proc/" + std::to_string(daemon.pid()) + "/fd");
        return std::distance(begin(all), end(all));
    };
    const auto before = descriptors();
    std::vector<pid_t> idle;
    for (int i = 0; i < 150; ++i) {
        std::array<int, 2> pipe{};
        BOOST_REQUIRE(::pipe(pipe.data()) == 0);
        idle.push_back(::fork());
        if (idle.back() == 0) {
            {
                test::SocketClient worker(daemon.lease_socket());
                const auto made = worker.ask("POST", "/v1/leases", R"({"credential":"short"})");
                if (made && made->status == 201U) {
                    (void)worker.ask("DELETE", "/v1/leases/" + lease_of(boost::json::parse(made->body).as_object()));
                }
            }
            (void)!::write(pipe[1], "d", 1);
            ::pause();
            ::_exit(0);
        }
        char done = 0;
        BOOST_REQUIRE(::read(pipe[0], &done, 1) == 1);
        ::close(pipe[0]);
        ::close(pipe[1]);
    }
    BOOST_TEST(audit_of(client, "action=lease.released").size() == 150U);
    BOOST_TEST(descriptors() < before + 80);
    for (const auto process : idle) {
        ::kill(process, SIGKILL);
        ::waitpid(process, nullptr, 0);
    }
    for (int i = 0; i < 100 && descriptors() > before; ++i) ::usleep(10000);
    BOOST_TEST(descriptors() <= before);
}

BOOST_AUTO_TEST_CASE(the_record_of_a_refusal_says_what_the_caller_asked_for_and_can_see) {
    Daemon daemon({.config = worker_rule()});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "seen", token);
    test::SocketClient worker(daemon.lease_socket());
    const auto issued = json_of(worker.ask("POST", "/v1/leases", R"({"credential":"seen","bind":"none"})"));
    BOOST_REQUIRE_EQUAL(
        ask(client, "PATCH", "/v1/credentials/" + id, R"({"expires_at":"2020-01-01T00:00:00Z"})").status, 200U);
    BOOST_TEST(code_of(worker.ask("POST", "/v1/leases", R"({"credential":"seen"})")) == "credential_expired");
    const auto by_name = audit_of(client, "action=lease.refused");
    BOOST_REQUIRE_EQUAL(by_name.size(), 1U);
    BOOST_TEST(by_name[0].at("credential").as_string() == id);
    BOOST_TEST(code_of(worker.ask("POST", "/v1/leases/" + lease_of(issued) + "/renew", "{}")) == "lease_ended");
    BOOST_TEST(code_of(worker.ask("POST", "/v1/leases", R"({"credential":"unseen"})")) == "credential_not_found");
    const auto refused = audit_of(client, "action=lease.refused");
    BOOST_REQUIRE_EQUAL(refused.size(), 3U);
    const auto of_code = [&](std::string_view code, bool with_lease) {
        return std::ranges::find_if(refused, [&](const boost::json::object& record) {
            return record.at("code").as_string() == code && record.at("lease").is_null() != with_lease;
        });
    };
    const auto renewal = of_code("lease_ended", true);
    BOOST_REQUIRE((renewal != refused.end()));
    BOOST_TEST(renewal->at("lease").as_string() == lease_of(issued));
    BOOST_TEST(renewal->at("credential").as_string() == id);
    const auto unknown = of_code("credential_not_found", false);
    BOOST_REQUIRE((unknown != refused.end()));
    BOOST_TEST(unknown->at("credential").is_null());
}

BOOST_AUTO_TEST_CASE(a_list_shows_live_leases_and_whose_process_holds_them) {
    Daemon daemon({.config = worker_rule()});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "listed", token);
    test::SocketClient worker(daemon.lease_socket());
    const auto lease = [&](const std::string& more) {
        return json_of(worker.ask("POST", "/v1/leases", R"({"credential":"listed")" + more + "}"));
    };
    const auto bound = lease("");
    const auto unbound = lease(R"(,"bind":"none")");
    (void)lease(R"(,"ttl":"1ms")");
    ::usleep(2000);
    const auto items = json_of(worker.ask("GET", "/v1/leases")).at("items").as_array();
    BOOST_REQUIRE_EQUAL(items.size(), 2U);
    BOOST_TEST(items[0].at("lease") == bound.at("lease"));
    BOOST_TEST(items[0].at("holder").at("pid").as_int64() == ::getpid());
    BOOST_TEST(items[1].at("holder").is_null());
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/credentials/" + id).status, 204U);
    const auto ended = json_of(worker.ask("GET", "/v1/leases/" + lease_of(bound)));
    BOOST_TEST(ended.at("reason").as_string() == "credential_deleted");
    BOOST_TEST(std::string_view(ended.at("detail").as_string()).contains("Ask its owner"));
}
