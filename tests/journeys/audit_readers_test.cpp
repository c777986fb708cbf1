#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/daemon/rude_client.hpp"
#include "support/socket_client.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <unistd.h>

// Who reads the audit log, what it can learn from that, and whom it delays.
using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using test::request_text;
using test::SocketClient;

namespace {

constexpr unsigned eve_uid = 65534; // "nobody"
constexpr auto config = R"([sockets]
admin_mode = "0666"
lease_mode = "0666"
[access]
operators = ["root"]
users = { nobody = "user:local/eve" }
)";
constexpr auto absent = "cred_00000000000000000000000000";

/// Root is the operator; Eve is an admin of acme and a stranger to `default`.
struct Fixture {
    Daemon daemon{{.config = config, .open_to_others = true}};
    Client client{client_of(daemon)};
    std::string foreign;

    Fixture() {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        foreign = store_token(client, "foreign", "tok_foreign_12345678");
        BOOST_REQUIRE(ask(client, "PUT", "/v1/workspaces/acme", "{}").status < 300U);
        const auto member = ask(client, "PUT", "/v1/workspaces/acme/members/user:local%2Feve", R"({"role":"admin"})");
        BOOST_REQUIRE(member.status < 300U);
    }
    ~Fixture() { BOOST_TEST(daemon.stop().value_or(-1) == 0); }

    std::string store_in_acme(const std::string& name) {
        const auto made =
            ask(client, "POST", "/v1/credentials",
                R"({"service":"http-bearer","name":")" + name +
                    R"(","scope":{"kind":"workspace","workspace":"acme"},"fields":{"token":"tok_acme_12345678"}})");
        BOOST_REQUIRE_EQUAL(made.status, 201U);
        return std::string(made.json.at("id").as_string());
    }
    void erase(const std::string& id) {
        BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/credentials/" + id + "?force=true").status, 204U);
    }
    [[nodiscard]] static bool is_root() {
        if (::geteuid() == 0) return true;
        BOOST_TEST_MESSAGE("skipped: only root takes other uids");
        return false;
    }
};

std::string path_of(const std::string& id) { return "/v1/credentials/" + id + "/audit"; }

std::chrono::nanoseconds time_of(SocketClient& client, const std::string& id) {
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = client.ask("GET", path_of(id));
    if (!answer || answer->status != 404) return std::chrono::nanoseconds::max();
    return std::chrono::steady_clock::now() - begin;
}

std::chrono::nanoseconds median_of(std::vector<std::chrono::nanoseconds> times) {
    std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
    return times[times.size() / 2];
}

/// Whether the medians of looks at both differ by less than a half.
bool takes_as_long(SocketClient& client, const std::string& one, const std::string& other) {
    std::vector<std::chrono::nanoseconds> of_one;
    std::vector<std::chrono::nanoseconds> of_other;
    for (int i = 0; i < 41; ++i) {
        of_one.push_back(time_of(client, one));
        of_other.push_back(time_of(client, other));
    }
    const auto first = median_of(of_one);
    const auto second = median_of(of_other);
    const auto less = std::min(first, second);
    return std::max(first, second) < less + less / 2;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(audit_readers, Fixture)

BOOST_AUTO_TEST_CASE(an_admin_reads_of_what_was_deleted_in_its_workspace_and_of_nothing_else) {
    if (!is_root()) return;
    const auto own = store_in_acme("own");
    const auto gone = store_in_acme("gone");
    const auto elsewhere = store_token(client, "elsewhere", "tok_elsewhere_123456");
    erase(gone);
    erase(elsewhere);
    const auto verdict = as_uid(eve_uid, [&] {
        auto eve = client_of(daemon);
        const auto status = [&](const std::string& id) { return ask(eve, "GET", path_of(id)).status; };
        if (status(own) != 200 || status("own") != 200) return 1;
        const auto records = ask(eve, "GET", path_of(gone)).json;
        if (records.at("items").as_array().size() != 2) return 2; // created and deleted
        for (const auto& record : ask(eve, "GET", path_of("own")).json.at("items").as_array()) {
            if (record.at("credential").as_string() != own) return 3;
        }
        if (status(elsewhere) != 404 || status(foreign) != 404 || status(absent) != 404) return 4;
        for (const auto& record : ask(eve, "GET", "/v1/audit").json.at("items").as_array()) {
            if (record.at("credential").as_string() != own) return 5;
        }
        return 0;
    });
    BOOST_TEST(verdict == 0);
    BOOST_TEST(ask(client, "GET", path_of(elsewhere)).status == 200U); // an operator looks anywhere
    BOOST_TEST(ask(client, "GET", path_of(absent)).status == 404U);
}

BOOST_AUTO_TEST_CASE(a_look_for_a_foreign_credentials_records_takes_as_long_as_for_none) {
    if (!is_root()) return;
    const auto deleted = store_token(client, "deleted", "tok_deleted_12345678");
    for (int i = 0; i < 2000; ++i) BOOST_REQUIRE(client.lease({.credential = i % 2 == 0 ? "foreign" : "deleted"}).ok());
    erase(deleted);
    const auto verdict = as_uid(eve_uid, [&] {
        SocketClient eve(daemon.admin_socket());
        for (const auto& other : {foreign, deleted}) {
            bool is_same = false; // the machine disturbs a measurement now and then
            for (int attempt = 0; attempt < 3 && !is_same; ++attempt) is_same = takes_as_long(eve, absent, other);
            if (!is_same) return other == foreign ? 1 : 2;
        }
        return 0;
    });
    BOOST_TEST(verdict == 0);
}

BOOST_AUTO_TEST_CASE(who_sends_many_queries_is_told_to_wait_and_delays_nobody) {
    if (!is_root()) return;
    for (int i = 0; i < 3000; ++i) BOOST_REQUIRE(client.lease({.credential = "foreign"}).ok());
    constexpr int queries = 500;
    const auto door = daemon.admin_socket();
    const RudeClient eve(eve_uid, [&](const auto& under_way) {
        std::vector<SocketClient> clients;
        for (int i = 0; i < queries; ++i) clients.emplace_back(door);
        for (auto& one : clients) one.send(request_text("GET", path_of(absent)));
        under_way();
        for (;;) {
            for (auto& one : clients) {
                const auto answer = one.receive();
                one.send(request_text("GET", path_of(absent)));
                if (!answer || (answer->status != 404 && answer->header("retry-after").empty())) return;
            }
        }
    });
    BOOST_REQUIRE(eve.is_under_way());
    std::chrono::nanoseconds shortest = 1h; // the machine disturbs one now and then, a queue before them delays each
    for (int i = 0; i < 5; ++i) {
        const auto id = store_token(client, "short-lived", "tok_short_lived_123");
        const auto begin = std::chrono::steady_clock::now();
        erase(id);
        shortest = std::min<std::chrono::nanoseconds>(shortest, std::chrono::steady_clock::now() - begin);
    }
    BOOST_TEST((shortest < 300ms), "each delete took " << shortest / 1ms << " ms or more");
    const auto refused = as_uid(eve_uid, [&] {
        std::vector<SocketClient> clients;
        for (int i = 0; i < 100; ++i) clients.emplace_back(door);
        for (auto& one : clients) one.send(request_text("GET", path_of(absent)));
        int told = 0;
        for (auto& one : clients) {
            const auto answer = one.receive();
            if (!answer || (answer->status != 404 && answer->status != 429)) return 1;
            if (answer->status == 429 && answer->header("retry-after") == "1") ++told;
        }
        return told > 0 ? 0 : 2;
    });
    BOOST_TEST(refused == 0);
}

BOOST_AUTO_TEST_CASE(each_refusal_of_rights_is_in_the_log_once_with_its_peer) {
    if (!is_root()) return;
    BOOST_REQUIRE(ask(client, "PUT", "/v1/workspaces/mine", "{}").status < 300U);
    const std::vector<std::pair<std::string, std::string>> refused = {
        {"POST", "/v1/seal"},     {"POST", "/v1/unseal"},         {"GET", "/v1/audit/verify"},
        {"GET", path_of(absent)}, {"GET", "/v1/workspaces/mine"}, {"DELETE", "/v1/workspaces/mine"}};
    for (const auto& [method, path] : refused) {
        const auto before = audit_of(client, "action=access.refused").size();
        const auto by_eve = as_uid(eve_uid, [&] {
            auto eve = client_of(daemon);
            const auto status = ask(eve, method, path).status;
            return status == 403 || status == 404 ? 0 : static_cast<int>(status % 256);
        });
        const auto by_a_stranger = as_uid(65533, [&] {
            auto stranger = client_of(daemon);
            return ask(stranger, method, path).status == 401 ? 0 : 1;
        });
        BOOST_TEST_CONTEXT(method << ' ' << path) {
            BOOST_TEST(by_eve == 0);
            BOOST_TEST(by_a_stranger == 0);
            const auto records = audit_of(client, "action=access.refused");
            BOOST_REQUIRE_EQUAL(records.size(), before + 2);
            std::vector<std::int64_t> uids;
            for (const std::size_t at : {0U, 1U}) uids.push_back(records[at].at("peer").at("uid").as_int64());
            std::ranges::sort(uids);
            BOOST_TEST(uids[0] == 65533);
            BOOST_TEST(uids[1] == eve_uid);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_query_that_can_not_be_meant_is_refused_by_its_field) {
    SocketClient root(daemon.admin_socket());
    const auto field_of = [&](const std::string& method, const std::string& path) {
        const auto answer = root.ask(method, path);
        if (!answer || answer->status != 400U) return std::string("not refused");
        const auto at = answer->body.find(R"("field":")");
        if (at == std::string::npos) return answer->body;
        return answer->body.substr(at + 9, answer->body.find('"', at + 9) - at - 9);
    };
    BOOST_TEST(field_of("GET", "/v1/audit?action=nope") == "action");
    BOOST_TEST(field_of("GET", "/v1/audit?action=nope.*") == "action");
    BOOST_TEST(field_of("GET", "/v1/audit?action=.*") == "action");
    BOOST_TEST(field_of("GET", path_of(foreign) + "?action=lease") == "action");
    BOOST_TEST(field_of("GET", "/v1/audit/verify?head=nonsense") == "head");
    BOOST_TEST(field_of("GET", "/v1/status?x") == "x");
    BOOST_TEST(field_of("GET", "/v1/whoami?x=1") == "x");
    BOOST_TEST(field_of("DELETE", "/v1/credentials/" + foreign + "?bogus=1") == "bogus");
    BOOST_TEST(field_of("DELETE", "/v1/credentials/" + foreign + "?force=maybe") == "force");
    BOOST_TEST(audit_of(client, "action=credential.*").size() == 1U);
    BOOST_TEST(audit_of(client, "action=credential.created").size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
