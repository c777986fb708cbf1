#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/daemon/slow_disk.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <thread>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto token = "tok_slow_44d1e9aa70";

std::string bearer(const std::string& grant) { return "Authorization: Bearer " + grant + "\r\n"; }

bool loses_its_grants(Client& client) {
    const auto left = [&] { return ask(client, "GET", "/v1/grants").json.at("items").as_array().size(); };
    for (int i = 0; i < 200 && left() != 0; ++i) std::this_thread::sleep_for(20ms);
    return left() == 0;
}

std::size_t leases_in(Client& client) { return ask(client, "GET", "/v1/leases").json.at("items").as_array().size(); }

void require_refused(const std::optional<test::Response>& answer, std::string_view code, std::string_view reason = {}) {
    BOOST_REQUIRE(answer.has_value());
    BOOST_TEST(!answer->body.contains(token));
    const auto problem = boost::json::parse(answer->body).as_object();
    BOOST_REQUIRE_MESSAGE(problem.contains("code"), answer->body);
    BOOST_TEST(problem.at("code").as_string() == code);
    if (!reason.empty()) BOOST_TEST(problem.at("reason").as_string() == reason);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_counted_lease_that_ends_while_the_disk_is_waited_for_gives_no_secret) {
    const SlowDisk disk;
    Daemon daemon(disk.setup());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "counted", token);
    const auto grant = mint(client, id, R"(,"max_leases":9)");
    test::SocketClient worker(daemon.lease_socket()), admin(daemon.admin_socket());
    disk.hold_syncs();
    BOOST_REQUIRE(worker.send(test::request_text("POST", "/v1/leases", R"({"credential":"counted","bind":"none"})",
                                                 bearer(grant) + "Idempotency-Key: k\r\n")));
    std::this_thread::sleep_for(100ms);
    BOOST_REQUIRE(admin.send(test::request_text("DELETE", "/v1/leases?credential=" + id)));
    std::this_thread::sleep_for(100ms);
    disk.let_go();
    require_refused(worker.receive(), "lease_ended", "ended_by_operator");
    BOOST_TEST(admin.receive()->status == 200U);
    // What waits for a redelivery's record is asked again too.
    const auto body = R"({"credential":"counted","bind":"none"})";
    const auto headers = bearer(grant) + "Idempotency-Key: second\r\n";
    BOOST_REQUIRE(worker.ask("POST", "/v1/leases", body, headers)->status == 201U);
    disk.hold_syncs();
    BOOST_REQUIRE(worker.send(test::request_text("POST", "/v1/leases", body, headers)));
    std::this_thread::sleep_for(100ms);
    BOOST_REQUIRE(admin.send(test::request_text("DELETE", "/v1/leases?credential=" + id)));
    std::this_thread::sleep_for(100ms);
    disk.let_go();
    require_refused(worker.receive(), "lease_ended", "ended_by_operator");
}

BOOST_AUTO_TEST_CASE(a_counted_lease_of_a_credential_that_is_deleted_meanwhile_gives_no_secret) {
    const SlowDisk disk;
    Daemon daemon(disk.setup());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "counted", token);
    const auto grant = mint(client, id, R"(,"max_leases":9)");
    test::SocketClient worker(daemon.lease_socket()), admin(daemon.admin_socket());
    disk.hold_syncs();
    BOOST_REQUIRE(admin.send(test::request_text("DELETE", "/v1/credentials/" + id)));
    std::this_thread::sleep_for(100ms);
    BOOST_REQUIRE(worker.send(
        test::request_text("POST", "/v1/leases", R"({"credential":"counted","bind":"none"})", bearer(grant))));
    std::this_thread::sleep_for(100ms);
    disk.let_go();
    BOOST_TEST(admin.receive()->status == 204U);
    require_refused(worker.receive(), "lease_ended", "credential_deleted");
    BOOST_TEST(ask(client, "GET", "/v1/status").status == 200U);
}

BOOST_AUTO_TEST_CASE(a_lease_that_ends_before_its_record_is_written_gives_no_secret) {
    const SlowDisk disk;
    Daemon daemon(disk.setup());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "plain", token);
    test::SocketClient worker(daemon.lease_socket()), admin(daemon.admin_socket());
    disk.hold_writes();
    BOOST_REQUIRE(worker.send(test::request_text("POST", "/v1/leases", R"({"credential":"plain","bind":"none"})")));
    std::this_thread::sleep_for(100ms);
    BOOST_REQUIRE(admin.send(test::request_text("DELETE", "/v1/leases?credential=" + id)));
    std::this_thread::sleep_for(100ms);
    BOOST_TEST(admin.is_silent(100ms)); // that they ended is in the log before it is answered
    disk.let_go();
    require_refused(worker.receive(), "lease_ended", "ended_by_operator");
    BOOST_TEST(admin.receive()->body == R"({"ended":1})");
}

BOOST_AUTO_TEST_CASE(leases_that_were_ended_stay_ended_after_kill_9) {
    const SlowDisk disk;
    Daemon daemon(disk.setup());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "plain", token);
    test::SocketClient worker(daemon.lease_socket());
    BOOST_REQUIRE(worker.ask("POST", "/v1/leases", R"({"credential":"plain","bind":"none"})")->status == 201U);
    disk.fail_writes();
    const auto path = "/v1/leases?credential=" + id;
    BOOST_TEST(ask(client, "DELETE", path).code == "store_unavailable");
    BOOST_TEST(ask(client, "DELETE", path).code == "store_unavailable"); // none is left to end, and yet it is not told
    disk.let_go();
    for (int i = 0; i < 100 && ask(client, "DELETE", path).status != 200U; ++i) std::this_thread::sleep_for(50ms);
    daemon.kill9();
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(leases_in(client) == 0U);
}

BOOST_AUTO_TEST_CASE(a_lease_whose_release_the_log_did_not_take_stays_released) {
    const SlowDisk disk;
    Daemon daemon(disk.setup());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "plain", token);
    test::SocketClient worker(daemon.lease_socket());
    const auto issued = worker.ask("POST", "/v1/leases", R"({"credential":"plain","bind":"none"})");
    const auto path = "/v1/leases/" + std::string(boost::json::parse(issued->body).at("lease").as_string());
    disk.fail_writes();
    require_refused(worker.ask("DELETE", path), "store_unavailable");
    require_refused(worker.ask("DELETE", path), "store_unavailable"); // it has ended, but a restart would not know
    disk.let_go();
    for (int i = 0; i < 100 && worker.ask("DELETE", path)->status != 204U; ++i) std::this_thread::sleep_for(50ms);
    daemon.kill9();
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(leases_in(client) == 0U);
    test::SocketClient after(daemon.lease_socket());
    require_refused(after.ask("POST", path + "/renew", "{}"), "lease_ended", "released");
}

BOOST_AUTO_TEST_CASE(a_grant_that_has_ended_is_ended_once_however_long_the_disk_takes) {
    const SlowDisk disk;
    Daemon daemon(disk.setup());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    for (int i = 0; i < 20; ++i) {
        const auto minted =
            ask(client, "POST", "/v1/grants", R"({"workspace":"default","workflow":"w","all":true,"ttl":"1s"})");
        BOOST_REQUIRE_EQUAL(minted.status, 201U);
    }
    const auto memory = [&] {
        std::ifstream statm("/proc/" + std::to_string(daemon.pid()) + "/statm");
        std::size_t whole = 0, resident = 0;
        statm >> whole >> resident;
        return resident * 4096;
    };
    disk.hold_syncs();
    std::this_thread::sleep_for(1100ms);
    const auto before = memory();
    std::this_thread::sleep_for(1500ms);
    BOOST_TEST(memory() < before + (std::size_t{16} << 20));
    disk.let_go();
    BOOST_TEST(loses_its_grants(client));
    BOOST_TEST(audit_of(client, "action=grant.ended").size() == 20U);
}

BOOST_AUTO_TEST_CASE(a_grant_whose_end_the_store_did_not_take_is_ended_when_it_does) {
    const SlowDisk disk;
    Daemon daemon(disk.setup());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "granted", token);
    const auto minted =
        ask(client, "POST", "/v1/grants", R"({"workspace":"default","workflow":"w","all":true,"ttl":"1s"})");
    const std::string grant(minted.json.at("grant").as_string());
    disk.fail_writes();
    std::this_thread::sleep_for(1500ms);
    test::SocketClient worker(daemon.lease_socket());
    require_refused(worker.ask("POST", "/v1/leases", R"({"credential":"granted"})", bearer(grant)), "unauthenticated");
    disk.let_go();
    BOOST_TEST(loses_its_grants(client));
    BOOST_TEST(audit_of(client, "action=grant.ended").size() == 1U);
    daemon.kill9();
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(ask(client, "GET", "/v1/grants").json.at("items").as_array().empty());
}

BOOST_AUTO_TEST_CASE(renewal_and_release_under_a_grant_that_counts_wait_for_the_disk) {
    const SlowDisk disk;
    Daemon daemon(disk.setup());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto grant = mint(client, store_token(client, "counted", token), R"(,"max_leases":9)");
    test::SocketClient worker(daemon.lease_socket());
    const auto issued = worker.ask("POST", "/v1/leases", R"({"credential":"counted"})", bearer(grant));
    const auto path = "/v1/leases/" + std::string(boost::json::parse(issued->body).at("lease").as_string());
    disk.hold_syncs();
    BOOST_REQUIRE(worker.send(test::request_text("POST", path + "/renew", "{}", bearer(grant))));
    BOOST_TEST(worker.is_silent(200ms));
    disk.let_go();
    BOOST_TEST(worker.receive()->status == 200U);
    disk.hold_syncs();
    BOOST_REQUIRE(worker.send(test::request_text("DELETE", path, {}, bearer(grant))));
    BOOST_TEST(worker.is_silent(200ms));
    disk.let_go();
    BOOST_TEST(worker.receive()->status == 204U);
}

BOOST_AUTO_TEST_CASE(renewals_that_fail_together_leave_the_lease_as_it_was) {
    const SlowDisk disk;
    Daemon daemon(disk.setup());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "plain", token);
    test::SocketClient worker(daemon.lease_socket());
    const auto issued =
        boost::json::parse(worker.ask("POST", "/v1/leases", R"({"credential":"plain","ttl":"5m"})")->body);
    const auto path = "/v1/leases/" + std::string(issued.at("lease").as_string());
    test::SocketClient other(daemon.lease_socket()), busy(daemon.lease_socket());
    disk.hold_writes(); // while one record is written, two renewals are staged behind it
    BOOST_REQUIRE(busy.send(test::request_text("POST", "/v1/leases", R"({"credential":"plain"})")));
    std::this_thread::sleep_for(100ms);
    BOOST_REQUIRE(worker.send(test::request_text("POST", path + "/renew", R"({"ttl":"20m"})")));
    std::this_thread::sleep_for(100ms);
    BOOST_REQUIRE(other.send(test::request_text("POST", path + "/renew", R"({"ttl":"40m"})")));
    std::this_thread::sleep_for(100ms);
    disk.fail_writes();
    for (auto* client_of_three : {&busy, &worker, &other}) {
        require_refused(client_of_three->receive(), "store_unavailable");
    }
    disk.let_go();
    const auto shown = boost::json::parse(worker.ask("GET", path)->body);
    BOOST_TEST(shown.at("expires_at") == issued.at("expires_at"));
}
