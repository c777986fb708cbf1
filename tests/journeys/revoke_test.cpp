#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/daemon/slow_disk.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto token = "tok_revoke_5be10c77d2";
constexpr auto unbound = R"({"credential":"leaked","bind":"none"})";

boost::json::object json_of(const std::optional<test::Response>& response) {
    BOOST_REQUIRE(response.has_value());
    return boost::json::parse(response->body).as_object();
}

std::string text_in(const boost::json::object& object, std::string_view member) {
    const auto* value = object.if_contains(member);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::string code_of(const std::optional<test::Response>& response) { return text_in(json_of(response), "code"); }

std::string path_of(const std::string& id, const std::string& action) { return "/v1/credentials/" + id + "/" + action; }

std::string key(const std::string& text) { return "Idempotency-Key: " + text + "\r\n"; }

std::size_t live_leases(Client& client) { return ask(client, "GET", "/v1/leases").json.at("items").as_array().size(); }

std::string status_of(Client& client, const std::string& id) {
    return std::string(ask(client, "GET", "/v1/credentials/" + id).json.at("status").as_string());
}

/// The renewal of a lease whose credential was revoked.
void require_ended_by_revoke(const std::optional<test::Response>& answer) {
    const auto problem = json_of(answer);
    BOOST_TEST(!answer->body.contains(token));
    BOOST_TEST(answer->status == 410U);
    BOOST_TEST(text_in(problem, "code") == "lease_ended");
    BOOST_TEST(text_in(problem, "reason") == "credential_revoked");
    BOOST_TEST(text_in(problem, "detail").starts_with("credential revoked. Ask its owner"));
}

/// A broker with a leased credential.
struct Leased {
    explicit Leased(const Daemon::Setup& setup = {}) : daemon(setup) {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        auto client = client_of(daemon);
        id = store_token(client, "leaked", token);
    }
    /// Its path.
    std::string lease(const std::string& headers = {}) const {
        test::SocketClient worker(daemon.lease_socket());
        const auto issued = json_of(worker.ask("POST", "/v1/leases", unbound, headers));
        BOOST_REQUIRE(issued.contains("lease"));
        return "/v1/leases/" + text_in(issued, "lease");
    }
    std::optional<test::Response> at_lease_socket(const std::string& method, const std::string& path,
                                                  const std::string& body = {}, const std::string& headers = {}) const {
        test::SocketClient worker(daemon.lease_socket());
        return worker.ask(method, path, body, headers);
    }
    std::optional<test::Response> at_admin_socket(const std::string& action, const std::string& body = "{}",
                                                  const std::string& headers = {}) const {
        test::SocketClient admin(daemon.admin_socket());
        return admin.ask("POST", path_of(id, action), body, headers);
    }

    Daemon daemon;
    std::string id;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_revoked_credential_gives_nothing_until_it_is_restored) {
    Leased house;
    auto client = client_of(house.daemon);
    const auto lease = house.lease(key("k"));
    const auto answer = ask(client, "POST", path_of(house.id, "revoke"), "{}");
    BOOST_REQUIRE_EQUAL(answer.status, 200U);
    const auto& revoked = answer.json.as_object();
    BOOST_TEST(text_in(revoked, "status") == "revoked");
    BOOST_TEST(text_in(revoked, "status_reason") == "revoked by operator:root");
    BOOST_TEST(text_in(revoked, "note").contains("stays valid at its service"));
    BOOST_TEST(revoked.at("revision").to_number<int>() == 2);
    BOOST_TEST(answer.etag == "\"2\"");

    BOOST_TEST(live_leases(client) == 0U);
    require_ended_by_revoke(house.at_lease_socket("POST", lease + "/renew", R"({"secret":true})"));
    require_ended_by_revoke(house.at_lease_socket("POST", "/v1/leases", unbound, key("k")));
    const auto refused = house.at_lease_socket("POST", "/v1/leases", unbound);
    BOOST_TEST(refused->status == 409U);
    BOOST_TEST(code_of(refused) == "credential_revoked");
    BOOST_TEST(text_in(json_of(refused), "detail").starts_with("credential revoked. Ask its owner"));

    const auto restored = ask(client, "POST", path_of(house.id, "restore"), "{}");
    BOOST_REQUIRE_EQUAL(restored.status, 200U);
    BOOST_TEST(text_in(restored.json.as_object(), "status") == "active");
    BOOST_TEST(restored.json.at("status_reason").is_null());
    BOOST_TEST(!restored.json.as_object().contains("note"));
    BOOST_TEST(restored.etag == "\"3\"");
    BOOST_TEST(code_of(house.at_lease_socket("POST", lease + "/renew", "{}")) == "lease_ended");
    (void)house.lease();
}

BOOST_AUTO_TEST_CASE(lists_say_that_it_is_revoked_and_that_it_cannot_be_used) {
    Leased house;
    auto client = client_of(house.daemon);
    (void)store_token(client, "other", token);
    const auto end = ask(client, "PATCH", "/v1/credentials/" + house.id, R"({"expires_at":"2020-01-01T00:00:00Z"})");
    BOOST_REQUIRE_EQUAL(end.status, 200U);
    BOOST_REQUIRE_EQUAL(ask(client, "POST", path_of(house.id, "revoke")).status, 200U);
    const auto listed = ask(client, "GET", "/v1/credentials?status=revoked").json.at("items").as_array();
    BOOST_REQUIRE_EQUAL(listed.size(), 1U);
    BOOST_TEST(listed[0].at("id").as_string() == house.id); // revoked, though it has expired, too
    BOOST_TEST(ask(client, "GET", "/v1/credentials?status=expired").json.at("items").as_array().empty());
    const auto usable = json_of(house.at_lease_socket("GET", "/v1/credentials?q=leaked")).at("items").at(0).as_object();
    BOOST_TEST(!usable.at("usable").as_bool());
    BOOST_TEST(text_in(usable, "reason") == "credential_revoked");
    const auto restored = ask(client, "POST", path_of(house.id, "restore"));
    BOOST_TEST(text_in(restored.json.as_object(), "status") == "expired");
}

BOOST_AUTO_TEST_CASE(the_log_says_who_revoked_and_restored_and_its_head_goes_to_the_journal) {
    Leased house;
    auto client = client_of(house.daemon);
    const auto lease = house.lease();
    BOOST_REQUIRE_EQUAL(ask(client, "POST", path_of(house.id, "revoke")).status, 200U);
    const auto revoked = audit_of(client, "action=credential.revoked");
    BOOST_REQUIRE_EQUAL(revoked.size(), 1U);
    BOOST_TEST(text_in(revoked[0], "credential") == house.id);
    BOOST_TEST(text_in(revoked[0], "principal") == "operator:root");
    BOOST_TEST(revoked[0].at("version").to_number<int>() == 1);
    BOOST_TEST(!text_in(revoked[0], "fingerprint").empty());
    const auto change = revoked[0].at("changes").at(0).as_object();
    BOOST_TEST(text_in(change, "member") == "status");
    BOOST_TEST(text_in(change, "before") == "active");
    BOOST_TEST(text_in(change, "after") == "revoked");
    const auto ended = audit_of(client, "action=lease.ended");
    BOOST_REQUIRE_EQUAL(ended.size(), 1U);
    BOOST_TEST("/v1/leases/" + text_in(ended[0], "lease") == lease);
    BOOST_TEST(house.daemon.wait_for_log("audit head head=" + std::to_string(revoked[0].at("seq").as_int64()) + ":"),
               house.daemon.log());

    BOOST_REQUIRE_EQUAL(ask(client, "POST", path_of(house.id, "restore")).status, 200U);
    const auto restored = audit_of(client, "action=credential.restored");
    BOOST_REQUIRE_EQUAL(restored.size(), 1U);
    BOOST_TEST(text_in(restored[0].at("changes").at(0).as_object(), "after") == "active");
    BOOST_TEST(ask(client, "GET", "/v1/audit/verify").json.at("ok").as_bool());
}

BOOST_AUTO_TEST_CASE(revoking_the_revoked_and_restoring_the_active_succeed_and_change_nothing) {
    Leased house;
    auto client = client_of(house.daemon);
    BOOST_TEST(json_of(house.at_admin_socket("restore")).at("revision").to_number<int>() == 1);
    for (int i = 0; i < 2; ++i) {
        const auto answer = house.at_admin_socket("revoke", {});
        BOOST_TEST(answer->status == 200U);
        BOOST_TEST(json_of(answer).at("revision").to_number<int>() == 2);
        BOOST_TEST(json_of(answer).contains("note"));
    }
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST(json_of(house.at_admin_socket("restore")).at("revision").to_number<int>() == 3);
    }
    BOOST_TEST(audit_of(client, "action=credential.revoked").size() == 1U);
    BOOST_TEST(audit_of(client, "action=credential.restored").size() == 1U);
    BOOST_TEST(code_of(house.at_admin_socket("restore", R"({"upstream":true})")) == "invalid_request");
}

BOOST_AUTO_TEST_CASE(a_revoke_that_arrives_again_after_a_restore_revokes_nothing) {
    Leased house;
    auto client = client_of(house.daemon);
    const auto first = house.at_admin_socket("revoke", "{}", key("once"));
    BOOST_REQUIRE_EQUAL(house.at_admin_socket("revoke", "{}", key("of the revoked"))->status, 200U);
    BOOST_REQUIRE_EQUAL(house.at_admin_socket("restore", "{}", key("back"))->status, 200U);
    for (int starts = 0; starts < 2; ++starts) {
        for (const auto* which : {"once", "of the revoked"}) {
            const auto again = house.at_admin_socket("revoke", "{}", key(which));
            BOOST_TEST(again->status == 200U);
            BOOST_TEST(again->body == first->body);
            BOOST_TEST(again->header("etag") == first->header("etag"));
        }
        BOOST_TEST(status_of(client, house.id) == "active");
        BOOST_TEST(code_of(house.at_admin_socket("revoke", R"({"upstream":false})", key("once"))) ==
                   "idempotency_mismatch");
        BOOST_TEST(code_of(house.at_admin_socket("restore", "{}", key("once"))) == "idempotency_mismatch");
        house.daemon.kill9();
        BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    }
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/credentials/" + house.id).status, 204U);
    BOOST_TEST(house.at_admin_socket("revoke", "{}", key("once"))->body == first->body); // as it was answered then
}

BOOST_AUTO_TEST_CASE(a_revision_that_was_not_seen_is_not_revoked) {
    Leased house;
    auto client = client_of(house.daemon);
    const auto refused = house.at_admin_socket("revoke", "{}", "If-Match: \"7\"\r\n");
    BOOST_TEST(refused->status == 412U);
    BOOST_TEST(text_in(json_of(refused), "current_etag") == "\"1\"");
    BOOST_TEST(status_of(client, house.id) == "active");
    BOOST_TEST(house.at_admin_socket("revoke", "{}", "If-Match: \"1\"\r\n")->status == 200U);
    BOOST_TEST(house.at_admin_socket("restore", "{}", "If-Match: \"1\"\r\n")->status == 412U);
    BOOST_TEST(status_of(client, house.id) == "revoked");
}

BOOST_AUTO_TEST_CASE(a_service_that_revokes_no_secret_is_told_of_and_nothing_is_revoked) {
    Leased house;
    auto client = client_of(house.daemon);
    const auto refused = json_of(house.at_admin_socket("revoke", R"({"upstream":true})"));
    BOOST_TEST(text_in(refused, "code") == "invalid_request");
    BOOST_TEST(text_in(refused, "field") == "upstream");
    BOOST_TEST(text_in(refused, "detail").contains("change or delete it at the service"));
    BOOST_TEST(code_of(house.at_admin_socket("revoke", R"({"upstream":1})")) == "invalid_request");
    BOOST_TEST(code_of(house.at_admin_socket("revoke", R"({"now":true})")) == "invalid_request");
    BOOST_TEST(status_of(client, house.id) == "active");
    BOOST_TEST(house.at_admin_socket("revoke", R"({"upstream":false})")->status == 200U);
}

BOOST_AUTO_TEST_CASE(editors_revoke_and_restore_and_members_and_strangers_do_not) {
    const Leased house({.config = "[sockets]\nadmin_mode = \"0666\"\nlease_mode = \"0666\"\n"
                                  "[access]\noperators = [\"root\"]\nusers = { daemon = \"user:local/eve\", "
                                  "bin = \"user:local/max\", sys = \"user:local/sam\" }\n"
                                  "[[worker]]\nname = \"self\"\nuid = 0\nworkspace = \"default\"\n",
                        .open_to_others = true});
    auto client = client_of(house.daemon);
    const auto is_member = [&](const std::string& user, const std::string& role) {
        return ask(client, "PUT", "/v1/workspaces/default/members/user:local%2F" + user, R"({"role":")" + role + "\"}")
                   .status < 300U;
    };
    BOOST_REQUIRE(is_member("eve", "editor"));
    BOOST_REQUIRE(is_member("max", "member"));
    enum Uid : std::uint8_t { eve = 1, max = 2, sam = 3 };
    const auto may = [&](Uid uid, const std::string& id, unsigned status, const std::string& code) {
        return as_uid(uid, [&] {
                   auto caller = client_of(house.daemon);
                   for (const auto* action : {"revoke", "restore"}) {
                       const auto answer = ask(caller, "POST", path_of(id, action), "{}");
                       if (answer.status != status || answer.code != code) return 1;
                   }
                   return 0;
               }) == 0;
    };
    BOOST_TEST(may(eve, house.id, 200, ""));
    BOOST_TEST(may(max, house.id, 403, "forbidden"));
    BOOST_TEST(may(sam, house.id, 404, "credential_not_found"));
    BOOST_TEST(audit_of(client, "action=credential.revoked").size() == 1U);
    BOOST_TEST(text_in(audit_of(client, "action=credential.restored")[0], "principal") == "user:local/eve");
    BOOST_TEST(house.at_lease_socket("POST", path_of(house.id, "revoke"), "{}")->status == 404U); // no such route there

    const auto stored = as_uid(eve, [&] {
        auto caller = client_of(house.daemon);
        return ask(caller, "POST", "/v1/credentials",
                   R"({"service":"http-bearer","name":"own","scope":{"kind":"personal"},)"
                   R"("fields":{"token":"tok_eve_11223344"}})")
                           .status == 201U
                   ? 0
                   : 1;
    });
    BOOST_REQUIRE_EQUAL(stored, 0);
    const auto own = std::string(ask(client, "GET", "/v1/credentials/own").json.at("id").as_string());
    BOOST_TEST(may(eve, own, 200, ""));
    BOOST_TEST(may(max, own, 404, "credential_not_found"));
    BOOST_REQUIRE_EQUAL(ask(client, "POST", path_of(own, "revoke")).status, 200U); // an operator may, at any user's
    BOOST_TEST(status_of(client, own) == "revoked");
}

BOOST_AUTO_TEST_CASE(an_engine_revokes_what_its_actor_may_and_it_itself_may) {
    const auto config = [](const std::string& max_role) {
        return "[access]\noperators = [\"root\"]\n[[engine]]\nname = \"flows\"\nuid = 0\nworkspaces = [\"*\"]\n"
               "max_role = \"" +
               max_role + "\"\n";
    };
    Leased house({.config = config("member")});
    auto client = client_of(house.daemon);
    const auto alice = "/v1/workspaces/default/members/user:flows%2Falice";
    BOOST_REQUIRE(ask(client, "PUT", alice, R"({"role":"admin"})").status < 300U);
    const std::string actor = "Credlease-Actor: user:alice\r\n";
    BOOST_TEST(code_of(house.at_admin_socket("revoke", "{}", actor)) == "forbidden");
    house.daemon.write_config(config("editor"));
    house.daemon.signal(SIGHUP);
    BOOST_REQUIRE(house.daemon.wait_for_log("Reloaded"));
    BOOST_TEST(code_of(house.at_admin_socket("revoke", "{}", "Credlease-Actor: user:bob\r\n")) ==
               "credential_not_found");
    const auto revoked = house.at_admin_socket("revoke", "{}", actor);
    BOOST_REQUIRE_EQUAL(revoked->status, 200U);
    BOOST_TEST(text_in(json_of(revoked), "status_reason") == "revoked by user:flows/alice");
    const auto record = audit_of(client, "action=credential.revoked")[0];
    BOOST_TEST(text_in(record, "principal") == "engine:flows");
    BOOST_TEST(text_in(record, "on_behalf_of") == "user:flows/alice");
}

BOOST_AUTO_TEST_CASE(a_revoked_credential_keeps_its_name_and_is_edited_and_deleted) {
    Leased house;
    auto client = client_of(house.daemon);
    BOOST_REQUIRE_EQUAL(ask(client, "POST", path_of(house.id, "revoke")).status, 200U);
    const auto again = [&] {
        return ask(client, "POST", "/v1/credentials",
                   R"({"service":"http-bearer","name":"Leaked","scope":{"kind":"workspace","workspace":"default"},)"
                   R"("fields":{"token":"tok_new_0011223344"}})");
    };
    BOOST_TEST(again().code == "name_taken");
    const auto edited = ask(client, "PATCH", "/v1/credentials/" + house.id,
                            R"({"name":"leaked in July","expires_at":"2020-01-01T00:00:00Z"})");
    BOOST_REQUIRE_EQUAL(edited.status, 200U);
    BOOST_TEST(text_in(edited.json.as_object(), "status") == "revoked");
    BOOST_TEST(again().status == 201U);
    BOOST_TEST(ask(client, "POST", path_of(house.id, "restore")).status == 200U); // by the name that it has now
    BOOST_TEST(ask(client, "POST", path_of(house.id, "revoke")).status == 200U);
    BOOST_TEST(ask(client, "DELETE", "/v1/credentials/" + house.id).status == 204U);
    BOOST_TEST(ask(client, "POST", path_of(house.id, "restore")).code == "credential_not_found");
    BOOST_TEST(audit_of(client, "action=credential.expired").empty());
}

BOOST_AUTO_TEST_CASE(a_lease_that_waits_for_its_record_when_the_revoke_comes_gives_no_secret) {
    const SlowDisk disk;
    const Leased house(disk.setup("[audit]\ndurability = \"disk\"\n"));
    auto client = client_of(house.daemon);
    const auto grant = mint(client, house.id, R"(,"max_leases":9)");
    const auto before = house.lease();
    test::SocketClient plain(house.daemon.lease_socket()), counted(house.daemon.lease_socket());
    test::SocketClient renewing(house.daemon.lease_socket()), admin(house.daemon.admin_socket());
    disk.hold_syncs();
    BOOST_REQUIRE(admin.send(test::request_text("POST", path_of(house.id, "revoke"), "{}")));
    BOOST_TEST(admin.is_silent(100ms)); // it is on its way to the disk, and so are these behind it
    BOOST_REQUIRE(plain.send(test::request_text("POST", "/v1/leases", unbound)));
    BOOST_REQUIRE(
        counted.send(test::request_text("POST", "/v1/leases", unbound, "Authorization: Bearer " + grant + "\r\n")));
    BOOST_REQUIRE(renewing.send(test::request_text("POST", before + "/renew", R"({"secret":true})")));
    for (auto* waiting : {&plain, &counted, &renewing}) BOOST_TEST(waiting->is_silent(100ms));
    disk.let_go();
    BOOST_TEST(admin.receive()->status == 200U);
    for (auto* waiting : {&plain, &counted, &renewing}) require_ended_by_revoke(waiting->receive());
    BOOST_TEST(live_leases(client) == 0U);
}

BOOST_AUTO_TEST_CASE(a_lease_that_is_given_while_the_revoke_waits_for_the_disk_ends_before_it_is_answered) {
    const SlowDisk disk;
    const Leased house(disk.setup());
    auto client = client_of(house.daemon);
    test::SocketClient admin(house.daemon.admin_socket());
    disk.hold_syncs();
    BOOST_REQUIRE(admin.send(test::request_text("POST", path_of(house.id, "revoke"), "{}")));
    BOOST_TEST(admin.is_silent(100ms));
    const auto lease = house.lease();
    disk.let_go();
    BOOST_TEST(admin.receive()->status == 200U);
    BOOST_TEST(live_leases(client) == 0U);
    require_ended_by_revoke(house.at_lease_socket("POST", lease + "/renew", "{}"));
}

BOOST_AUTO_TEST_CASE(a_revoke_that_was_answered_outlives_kill_9_and_so_do_the_ends_of_its_leases) {
    Leased house;
    auto client = client_of(house.daemon);
    for (int round = 0; round < 3; ++round) {
        const auto lease = house.lease();
        BOOST_REQUIRE_EQUAL(house.at_admin_socket("revoke")->status, 200U);
        house.daemon.kill9();
        BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
        BOOST_TEST(status_of(client, house.id) == "revoked");
        BOOST_TEST(live_leases(client) == 0U);
        require_ended_by_revoke(house.at_lease_socket("POST", lease + "/renew", "{}"));
        BOOST_TEST(code_of(house.at_lease_socket("POST", "/v1/leases", unbound)) == "credential_revoked");
        BOOST_REQUIRE_EQUAL(house.at_admin_socket("restore")->status, 200U);
        house.daemon.kill9();
        BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
        BOOST_TEST(status_of(client, house.id) == "active");
        require_ended_by_revoke(house.at_lease_socket("POST", lease + "/renew", "{}"));
    }
}

BOOST_AUTO_TEST_CASE(leases_that_a_kill_9_left_live_end_at_the_start_when_their_credential_is_revoked) {
    const SlowDisk disk;
    Leased house(disk.setup());
    auto client = client_of(house.daemon);
    const auto lease = house.lease();
    test::SocketClient admin(house.daemon.admin_socket());
    disk.hold_store_syncs();
    BOOST_REQUIRE(admin.send(test::request_text("POST", path_of(house.id, "revoke"), "{}")));
    BOOST_TEST(admin.is_silent(200ms)); // the store has it; nobody was answered, and no lease has ended
    house.daemon.kill9();
    disk.let_go();
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    BOOST_TEST(status_of(client, house.id) == "revoked");
    BOOST_TEST(live_leases(client) == 0U);
    require_ended_by_revoke(house.at_lease_socket("POST", lease + "/renew", "{}"));
    const auto ended = audit_of(client, "action=lease.ended");
    BOOST_REQUIRE_EQUAL(ended.size(), 1U);
    BOOST_TEST("/v1/leases/" + text_in(ended[0], "lease") == lease);
}
