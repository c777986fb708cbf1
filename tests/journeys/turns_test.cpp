#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/daemon/slow_disk.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <thread>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto token = "tok_turns_5b0c7e12";
constexpr unsigned eve = 1;

/// Long enough for a request to be read and to wait for its turn.
void let_it_wait() { std::this_thread::sleep_for(100ms); }

std::string body_of(const std::optional<test::Response>& answer) { return answer ? answer->body : "no answer"; }

std::string new_credential(const std::string& name) {
    return R"({"service":"http-bearer","name":")" + name + R"(","fields":{"token":")" + token + "\"}}";
}

/// Removes itself as soon as it is told to; then says what became of its request to be an admin again.
int keep_asking_to_be_admin(const Daemon& daemon, const std::string& member, int ready, int go) {
    test::SocketClient first(daemon.admin_socket()), second(daemon.admin_socket());
    char byte = 0;
    if (::write(ready, "r", 1) != 1 || ::read(go, &byte, 1) != 1) return 1;
    (void)first.send(test::request_text("PUT", member, R"({"role":"editor"})"));
    std::this_thread::sleep_for(200ms); // behind the operator's removal
    (void)second.send(test::request_text("PUT", member, R"({"role":"admin"})"));
    (void)first.receive();
    const auto answer = second.receive();
    return answer && (answer->status == 403 || answer->status == 404) ? 0 : 2;
}

} // namespace

BOOST_AUTO_TEST_CASE(a_removed_admin_does_not_put_itself_back_by_a_request_that_waited) {
    const SlowDisk disk;
    auto setup = disk.setup("[sockets]\nadmin_mode = \"0666\"\n[access]\noperators = [\"root\"]\n"
                            "users = { daemon = \"user:local/eve\" }\n");
    setup.open_to_others = true;
    Daemon daemon(setup);
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const std::string member = "/v1/workspaces/acme/members/user:local%2Feve";
    BOOST_REQUIRE(ask(client, "PUT", "/v1/workspaces/acme").status == 201U);
    BOOST_REQUIRE(ask(client, "PUT", member, R"({"role":"admin"})").status == 200U);
    std::array<int, 2> ready{}, go{};
    BOOST_REQUIRE((::pipe(ready.data()) == 0 && ::pipe(go.data()) == 0));
    std::thread other([&] {
        BOOST_TEST(as_uid(eve, [&] { return keep_asking_to_be_admin(daemon, member, ready[1], go[0]); }) == 0);
    });
    char byte = 0;
    BOOST_REQUIRE(::read(ready[0], &byte, 1) == 1);
    disk.hold_syncs();
    BOOST_REQUIRE(::write(go[1], "g", 1) == 1);
    let_it_wait();
    test::SocketClient admin(daemon.admin_socket());
    BOOST_REQUIRE(admin.send(test::request_text("DELETE", member)));
    std::this_thread::sleep_for(300ms);
    disk.let_go();
    BOOST_TEST(admin.receive()->status == 204U);
    other.join();
    BOOST_TEST(ask(client, "GET", "/v1/workspaces/acme").json.at("members").as_array().empty());
}

BOOST_AUTO_TEST_CASE(a_withdrawn_grant_does_not_come_back_by_a_second_mint_that_waited) {
    const SlowDisk disk;
    Daemon daemon(disk.setup());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "kept", token);
    const std::string asked = R"({"workspace":"default","workflow":"w","all":true,"ttl":"1h"})";
    const std::string key = "Idempotency-Key: mint\r\n";
    test::SocketClient one(daemon.admin_socket()), two(daemon.admin_socket());
    const auto minted = one.ask("POST", "/v1/grants", asked, key);
    BOOST_REQUIRE(minted && minted->status == 201U);
    const std::string id(boost::json::parse(minted->body).at("id").as_string());
    disk.hold_syncs();
    BOOST_REQUIRE(one.send(test::request_text("DELETE", "/v1/grants/" + id)));
    let_it_wait();
    BOOST_REQUIRE(two.send(test::request_text("POST", "/v1/grants", asked, key)));
    let_it_wait();
    disk.let_go();
    BOOST_TEST(one.receive()->status == 204U);
    BOOST_TEST(two.receive()->status == 404U);
    BOOST_TEST(ask(client, "GET", "/v1/grants").json.at("items").as_array().empty());
}

BOOST_AUTO_TEST_CASE(a_reload_leaves_what_waits_for_its_turn_whole) {
    const SlowDisk disk;
    Daemon daemon(disk.setup());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    test::SocketClient one(daemon.admin_socket()), two(daemon.admin_socket());
    disk.hold_syncs();
    BOOST_REQUIRE(one.send(test::request_text("POST", "/v1/credentials", new_credential("one"))));
    let_it_wait();
    BOOST_REQUIRE(two.send(test::request_text("POST", "/v1/credentials", new_credential("two"))));
    let_it_wait();
    daemon.signal(SIGHUP);
    BOOST_REQUIRE(daemon.wait_for_log("Reloaded"));
    disk.let_go();
    BOOST_TEST(one.receive()->status == 201U);
    const auto answer = two.receive();
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(boost::json::parse(answer->body).at("service").as_string() == "http-bearer");
}

BOOST_AUTO_TEST_CASE(a_broker_that_seals_or_stops_refuses_what_waits_and_gives_no_lease_behind_its_last_record) {
    for (const bool seals : {true, false}) {
        const SlowDisk disk;
        Daemon daemon(disk.setup());
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        auto client = client_of(daemon);
        const auto id = store_token(client, "counted", token);
        const std::string grant = "Authorization: Bearer " + mint(client, id, R"(,"max_leases":99)") + "\r\n";
        std::vector<test::SocketClient> workers;
        for (int i = 0; i < 20; ++i) workers.emplace_back(daemon.lease_socket());
        disk.hold_syncs();
        for (auto& worker : workers) {
            BOOST_REQUIRE(worker.send(test::request_text("POST", "/v1/leases", R"({"credential":"counted"})", grant)));
        }
        let_it_wait();
        test::SocketClient admin(daemon.admin_socket());
        if (seals) {
            BOOST_REQUIRE(admin.send(test::request_text("POST", "/v1/seal")));
        } else {
            daemon.signal(SIGTERM);
        }
        let_it_wait();
        disk.let_go();
        unsigned given = 0;
        for (auto& worker : workers) {
            const auto answer = worker.receive();
            if (answer && answer->status == 201U) ++given;
            if (answer && answer->status != 201U) BOOST_TEST(body_of(answer).contains(R"("code":"sealed")"));
        }
        if (!seals) { // what was asked before is answered first
            BOOST_TEST(daemon.stop().value_or(-1) == 0);
            continue;
        }
        BOOST_TEST(given <= 1U); // the one whose record was on its way
        BOOST_TEST(admin.receive()->status == 200U);
        BOOST_REQUIRE_EQUAL(ask(client, "POST", "/v1/unseal").status, 200U);
        BOOST_TEST(ask(client, "GET", "/v1/leases").json.at("items").as_array().empty());
        const auto records = audit_of(client);
        const auto sealed = std::ranges::find(
            records, "broker.sealed", [](const auto& record) { return std::string(record.at("action").as_string()); });
        BOOST_REQUIRE(sealed != records.end());
        for (auto record = records.begin(); record != sealed; ++record) {
            BOOST_TEST(record->at("action").as_string() != "lease.issued"); // newest first
        }
        std::this_thread::sleep_for(1s); // no clock call of the house that was
        BOOST_TEST(ask(client, "GET", "/v1/status").status == 200U);
    }
}

BOOST_AUTO_TEST_CASE(a_reload_does_not_change_how_an_open_store_is_unsealed) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "kept", token);
    daemon.write_config("[seal]\nmethod = \"passphrase\"\n");
    daemon.signal(SIGHUP);
    BOOST_REQUIRE(daemon.wait_for_log("Reloaded"));
    BOOST_TEST(ask(client, "GET", "/v1/status").json.at("seal_method").as_string() == "key-file");
    BOOST_REQUIRE_EQUAL(ask(client, "POST", "/v1/seal").status, 200U);
    BOOST_REQUIRE_EQUAL(ask(client, "POST", "/v1/unseal").status, 200U);
    BOOST_TEST(client.lease({.credential = "kept"}).ok());
}

BOOST_AUTO_TEST_CASE(a_grant_for_nothing_is_refused) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "kept", token);
    const auto mint_with = [&](const std::string& members) {
        return ask(client, "POST", "/v1/grants", R"({"workspace":"default","workflow":"w","ttl":"1h",)" + members + "}")
            .code;
    };
    for (const std::string nothing : {R"("all":true,"fields":[])", R"("credentials":[])", R"("services":[])"}) {
        BOOST_TEST(mint_with(nothing) == "invalid_request", nothing);
    }
    const auto one = R"("credentials":[")" + id + R"("],"fields":)";
    BOOST_TEST(mint_with(one + R"(["tokn"])") == "invalid_request");
    BOOST_TEST(mint_with(one + R"(["token"])") == "");
}
