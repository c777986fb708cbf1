#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/daemon/slow_disk.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <iterator>

using namespace credlease;
using namespace credlease::tests;

namespace {

constexpr std::string_view secret = "app-secret-91ff0c2d77";
constexpr auto clients = "/v1/oauth/clients";
constexpr auto slack = "/v1/oauth/clients/slack";

std::string slack_app(const std::string& client_id = "123.456") {
    return R"({"client_id":")" + client_id + R"(","client_secret":")" + std::string(secret) + "\"}";
}

std::string text_in(const boost::json::value& value, std::string_view member) {
    const auto* found = value.as_object().if_contains(member);
    return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

bool has_secret(const boost::json::value& client) { return client.at("client_secret").at("set").as_bool(); }

bool is_in_a_file(const std::filesystem::path& folder, std::string_view text) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(file)), {});
        if (bytes.contains(text)) return true;
    }
    return false;
}

struct Running {
    explicit Running(Daemon::Setup setup = {}) : daemon(std::move(setup)) {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    }
    Answered ask(const std::string& method, const std::string& path, const std::string& body = {}) {
        return tests::ask(client, method, path, body);
    }
    /// What a refusal says: its code, and the member that is wrong.
    std::string refusal(const std::string& path, const std::string& body) {
        test::SocketClient admin(daemon.admin_socket());
        const auto answer = admin.ask("PUT", path, body);
        BOOST_TEST(!answer->body.contains(secret));
        const auto problem = boost::json::parse(answer->body);
        const auto field = text_in(problem, "field");
        return text_in(problem, "code") + (field.empty() ? "" : " " + field);
    }

    Daemon daemon;
    Client client = client_of(daemon);
};

} // namespace

BOOST_AUTO_TEST_SUITE(oauth_clients)

BOOST_AUTO_TEST_CASE(a_client_is_set_shown_listed_and_deleted_and_its_secret_never_comes_back) {
    Running house;
    BOOST_TEST(house.ask("GET", slack).code == "not_found");
    BOOST_TEST(house.ask("DELETE", slack).code == "not_found");
    BOOST_TEST(house.ask("GET", clients).json.at("items").as_array().empty());

    const auto made = house.ask("PUT", slack, slack_app());
    BOOST_REQUIRE_EQUAL(made.status, 201U);
    BOOST_TEST(made.etag == "\"1\"");
    BOOST_TEST(text_in(made.json, "service") == "slack");
    BOOST_TEST(text_in(made.json, "auth") == "oauth2");
    BOOST_TEST(text_in(made.json, "client_id") == "123.456");
    BOOST_TEST(has_secret(made.json));
    BOOST_TEST(text_in(made.json, "redirect_uri") == "http://127.0.0.1:7466/oauth/callback");
    BOOST_TEST(text_in(made.json, "updated_by") == "operator:root");

    const auto shown = house.ask("GET", slack);
    BOOST_TEST(boost::json::serialize(shown.json) == boost::json::serialize(made.json));
    BOOST_TEST(shown.etag == made.etag);
    BOOST_REQUIRE_EQUAL(house.ask("PUT", "/v1/oauth/clients/airtable", R"({"client_id":"air"})").status, 201U);
    const auto page = house.ask("GET", "/v1/oauth/clients?limit=1").json;
    BOOST_REQUIRE_EQUAL(page.at("items").as_array().size(), 1U);
    BOOST_TEST(text_in(page.at("items").at(0), "service") == "airtable");
    BOOST_TEST(!has_secret(page.at("items").at(0)));
    const auto rest = house.ask("GET", "/v1/oauth/clients?limit=1&cursor=" + text_in(page, "next_cursor")).json;
    BOOST_TEST(text_in(rest.at("items").at(0), "service") == "slack");
    for (const auto& json : {made.json, shown.json, rest}) BOOST_TEST(!boost::json::serialize(json).contains(secret));

    BOOST_TEST(house.ask("DELETE", slack).status == 204U);
    BOOST_TEST(house.ask("GET", slack).code == "not_found");
    BOOST_TEST(house.ask("PUT", slack, slack_app()).status == 201U);
}

BOOST_AUTO_TEST_CASE(another_takes_its_place_whole) {
    Running house;
    BOOST_REQUIRE_EQUAL(house.ask("PUT", slack, slack_app()).status, 201U);
    const auto changed = house.ask("PUT", slack, R"({"client_id":"789","client_secret":null})");
    BOOST_REQUIRE_EQUAL(changed.status, 200U);
    BOOST_TEST(changed.etag == "\"2\"");
    BOOST_TEST(text_in(changed.json, "client_id") == "789");
    BOOST_TEST(!has_secret(changed.json));
    test::SocketClient admin(house.daemon.admin_socket());
    BOOST_TEST(admin.ask("PUT", slack, slack_app(), "If-Match: \"1\"\r\n")->status == 412U);
    BOOST_TEST(admin.ask("DELETE", slack, {}, "If-Match: \"1\"\r\n")->status == 412U);
    BOOST_TEST(text_in(house.ask("GET", slack).json, "client_id") == "789");
    BOOST_TEST(admin.ask("PUT", slack, slack_app(), "If-Match: \"2\"\r\n")->status == 200U);
    BOOST_TEST(admin.ask("DELETE", slack, {}, "If-Match: \"3\"\r\n")->status == 204U);
}

BOOST_AUTO_TEST_CASE(only_services_that_take_a_client_have_one_and_only_with_what_it_needs) {
    Running house;
    BOOST_TEST(house.refusal("/v1/oauth/clients/nothing", slack_app()) == "service_not_found");
    BOOST_TEST(house.refusal("/v1/oauth/clients/openai", slack_app()) == "invalid_request service");
    BOOST_TEST(house.refusal(slack, R"({"client_secret":"app-secret-91ff0c2d77"})") == "invalid_request client_id");
    BOOST_TEST(house.refusal(slack, R"({"client_id":""})") == "invalid_request client_id");
    BOOST_TEST(house.refusal(slack, R"({"client_id":"1","client_secret":""})") == "invalid_request client_secret");
    BOOST_TEST(house.refusal(slack, R"({"client_id":"1","client_secret":7})") == "invalid_request client_secret");
    BOOST_TEST(house.refusal(slack, R"({"client_id":"1","scopes":["x"]})") == "invalid_request scopes");
    BOOST_TEST(house.refusal(slack, R"({"client_id":"1","auth":"bearer"})") == "invalid_request auth");
    BOOST_TEST(house.refusal(slack, R"({"client_id":"1","fields":{"client_secret":"app-secret-91ff0c2d77"}})") ==
               "invalid_request fields.client_secret");
    BOOST_TEST(house.refusal(slack, R"({"client_id":"1","fields":{"scopes":["x"]}})") ==
               "invalid_request fields.scopes");
    BOOST_TEST(house.refusal(slack, R"({"client_id":"1","fields":{"host":"x"}})") == "invalid_request fields.host");
    BOOST_TEST(house.ask("GET", clients).json.at("items").as_array().empty());
    const auto app = house.ask("PUT", "/v1/oauth/clients/github", R"({"client_id":"1","auth":"app_user"})");
    BOOST_REQUIRE_EQUAL(app.status, 201U);
    BOOST_TEST(text_in(app.json, "auth") == "app_user");
    BOOST_TEST(house.refusal("/v1/oauth/clients/github", R"({"client_id":"1","auth":"app_installation"})") ==
               "invalid_request auth");
}

BOOST_AUTO_TEST_CASE(where_a_field_decides_the_host_the_organization_chooses_it_with_the_client) {
    Running house;
    const std::string generic = "/v1/oauth/clients/oauth2";
    BOOST_TEST(house.refusal(generic, slack_app()) == "invalid_request fields");
    BOOST_TEST(house.refusal(generic, R"({"client_id":"1","fields":{"token_url":"not a url"}})") ==
               "invalid_request fields.token_url");
    const auto made = house.ask("PUT", generic,
                                R"({"client_id":"1","client_secret":"app-secret-91ff0c2d77",)"
                                R"("fields":{"token_url":"https://login.example/token"}})");
    BOOST_REQUIRE_EQUAL(made.status, 201U);
    BOOST_TEST(text_in(made.json.at("fields"), "token_url") == "https://login.example/token");
    // To choose another, the secret is given anew: what is there does not go along.
    const auto moved = house.ask("PUT", generic, R"({"client_id":"1","fields":{"issuer":"https://other.example"}})");
    BOOST_REQUIRE_EQUAL(moved.status, 200U);
    BOOST_TEST(!has_secret(moved.json));
    BOOST_TEST(moved.json.at("fields").as_object().size() == 1U);

    const auto gitlab = house.ask("PUT", "/v1/oauth/clients/gitlab", R"({"client_id":"1"})");
    BOOST_REQUIRE_EQUAL(gitlab.status, 201U);
    BOOST_TEST(text_in(gitlab.json.at("fields"), "url") == "https://gitlab.com");
    const auto shop = house.ask("PUT", "/v1/oauth/clients/shopify", R"({"client_id":"1","fields":{"shop":"ours"}})");
    BOOST_REQUIRE_EQUAL(shop.status, 201U);
    BOOST_TEST(text_in(shop.json.at("fields"), "shop") == "ours");
}

BOOST_AUTO_TEST_CASE(what_is_to_be_registered_is_where_browsers_come_back_to) {
    Running house({.config = "[outbound]\ncallback = \"127.0.0.1:7999\"\n"});
    BOOST_REQUIRE_EQUAL(house.ask("PUT", slack, slack_app()).status, 201U);
    const auto uri = [&] { return text_in(house.ask("GET", slack).json, "redirect_uri"); };
    BOOST_TEST(uri() == "http://127.0.0.1:7999/oauth/callback");
    house.daemon.write_config("[outbound]\npublic_url = \"https://broker.example.org/credlease/\"\n");
    house.daemon.signal(SIGHUP);
    BOOST_REQUIRE(house.daemon.wait_for_log("Reloaded"));
    BOOST_TEST(uri() == "https://broker.example.org/credlease/oauth/callback");
}

BOOST_AUTO_TEST_CASE(a_client_survives_a_restart_and_a_kill_and_its_secret_lies_in_no_file) {
    Running house;
    BOOST_REQUIRE_EQUAL(house.ask("PUT", slack, slack_app()).status, 201U);
    house.daemon.kill9();
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    const auto shown = house.ask("GET", slack);
    BOOST_TEST(text_in(shown.json, "client_id") == "123.456");
    BOOST_TEST(has_secret(shown.json));
    BOOST_REQUIRE_EQUAL(house.ask("PUT", slack, slack_app("789")).status, 200U);
    BOOST_TEST(house.daemon.stop().value_or(-1) == 0);
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    BOOST_TEST(text_in(house.ask("GET", slack).json, "client_id") == "789");
    BOOST_REQUIRE_EQUAL(house.ask("DELETE", slack).status, 204U);
    house.daemon.kill9();
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    BOOST_TEST(house.ask("GET", slack).code == "not_found");
    BOOST_TEST(house.ask("GET", "/v1/audit/verify").json.at("ok").as_bool());
    BOOST_TEST(is_in_a_file(house.daemon.root(), "slack")); // it would be found
    BOOST_TEST(!is_in_a_file(house.daemon.root(), secret));
}

BOOST_AUTO_TEST_CASE(a_change_is_answered_and_seen_once_it_is_on_the_disk) {
    const SlowDisk disk;
    Running house(disk.setup());
    disk.hold_syncs();
    test::SocketClient admin(house.daemon.admin_socket());
    admin.send(test::request_text("PUT", slack, slack_app()));
    BOOST_TEST(admin.is_silent(std::chrono::milliseconds(300)));
    BOOST_TEST(house.ask("GET", slack).code == "not_found");
    disk.let_go();
    BOOST_TEST(admin.receive()->status == 201U);
    BOOST_TEST(has_secret(house.ask("GET", slack).json));
}

BOOST_AUTO_TEST_CASE(the_log_says_who_changed_what_and_of_the_secret_only_that_it_changed) {
    Running house;
    BOOST_REQUIRE_EQUAL(house.ask("PUT", slack, slack_app()).status, 201U);
    BOOST_REQUIRE_EQUAL(house.ask("PUT", slack, slack_app("789")).status, 200U);
    BOOST_REQUIRE_EQUAL(house.ask("DELETE", slack).status, 204U);
    const auto changed = audit_of(house.client, "action=oauth_client.changed");
    BOOST_REQUIRE_EQUAL(changed.size(), 2U);
    const auto members = [](const boost::json::object& record) {
        std::string text;
        for (const auto& change : record.at("changes").as_array()) text += text_in(change, "member") + " ";
        return text;
    };
    BOOST_TEST(members(changed[1]) == "auth client_id client_secret ");
    BOOST_TEST(members(changed[0]) == "client_id "); // the same secret
    BOOST_TEST(text_in(changed[0].at("changes").at(0), "before") == "123.456");
    BOOST_TEST(text_in(changed[0].at("changes").at(0), "after") == "789");
    BOOST_TEST(text_in(changed[0], "detail") == "slack");
    BOOST_TEST(text_in(changed[0], "principal") == "operator:root");
    BOOST_TEST(!text_in(changed[0], "fingerprint").empty());
    const auto deleted = audit_of(house.client, "action=oauth_client.deleted");
    BOOST_REQUIRE_EQUAL(deleted.size(), 1U);
    BOOST_TEST(text_in(deleted[0], "detail") == "slack");
    BOOST_TEST(audit_of(house.client, "action=oauth_client.*").size() == 3U);
}

BOOST_AUTO_TEST_CASE(operators_and_the_organization_s_admins_keep_clients_and_nobody_else) {
    Running house({.config = "[sockets]\nadmin_mode = \"0666\"\nlease_mode = \"0666\"\n"
                             "[access]\noperators = [\"root\"]\nusers = { daemon = \"user:local/ada\", "
                             "bin = \"user:local/max\", sys = \"user:local/eve\" }\n"
                             "[[worker]]\nname = \"self\"\nuid = 0\nworkspace = \"default\"\n",
                   .open_to_others = true});
    const auto is_member = [&](const std::string& workspace, const std::string& user, const std::string& role) {
        const auto path = "/v1/workspaces/" + workspace + "/members/user:local%2F" + user;
        BOOST_REQUIRE(house.ask("PUT", path, R"({"role":")" + role + "\"}").status < 300U);
    };
    is_member("organization", "ada", "admin");
    is_member("organization", "max", "editor");
    is_member("default", "eve", "admin");
    enum Uid : std::uint8_t { ada = 1, max = 2, eve = 3, stranger = 4 };
    const auto may = [&](Uid uid, unsigned put, unsigned seen, unsigned gone, const std::string& code) {
        return as_uid(uid, [&] {
                   auto caller = client_of(house.daemon);
                   const auto is = [&](const std::string& method, const std::string& path, const std::string& body,
                                       unsigned status) {
                       const auto answer = ask(caller, method, path, body);
                       return answer.status == status && answer.code == code;
                   };
                   const bool as_told = is("PUT", slack, slack_app(), put) && is("GET", slack, {}, seen) &&
                                        is("GET", clients, {}, seen) && is("DELETE", slack, {}, gone);
                   return as_told ? 0 : 1;
               }) == 0;
    };
    BOOST_TEST(may(ada, 201, 200, 204, ""));
    BOOST_TEST(may(max, 403, 403, 403, "forbidden"));
    BOOST_TEST(may(eve, 403, 403, 403, "forbidden"));
    BOOST_TEST(may(stranger, 401, 401, 401, "unauthenticated"));
    BOOST_TEST(text_in(audit_of(house.client, "action=oauth_client.changed")[0], "principal") == "user:local/ada");
    BOOST_TEST(!audit_of(house.client, "action=access.refused").empty());

    test::SocketClient worker(house.daemon.lease_socket()); // root, but here nobody is an operator
    for (const auto* method : {"PUT", "GET", "DELETE"}) {
        BOOST_TEST(worker.ask(method, slack, method == std::string("PUT") ? slack_app() : "")->status == 404U);
    }
    BOOST_TEST(worker.ask("GET", clients, {})->status == 404U);
}

BOOST_AUTO_TEST_CASE(an_engine_keeps_clients_for_an_admin_of_the_organization_within_its_own_role) {
    const auto config = [](const std::string& max_role) {
        return "[access]\noperators = [\"root\"]\n[[engine]]\nname = \"flows\"\nuid = 0\nworkspaces = [\"*\"]\n"
               "max_role = \"" +
               max_role + "\"\n";
    };
    Running house({.config = config("editor")});
    const auto member = [&](const std::string& user, const std::string& role) {
        const auto path = "/v1/workspaces/organization/members/user:flows%2F" + user;
        BOOST_REQUIRE(house.ask("PUT", path, R"({"role":")" + role + "\"}").status < 300U);
    };
    member("alice", "admin");
    member("bob", "member");
    const auto as = [&](const std::string& user, const std::string& method, const std::string& body = {}) {
        test::SocketClient engine(house.daemon.admin_socket());
        return engine.ask(method, slack, body, "Credlease-Actor: user:" + user + "\r\n")->status;
    };
    BOOST_TEST(as("alice", "PUT", slack_app()) == 403U); // more than the engine may
    house.daemon.write_config(config("admin"));
    house.daemon.signal(SIGHUP);
    BOOST_REQUIRE(house.daemon.wait_for_log("Reloaded"));
    BOOST_TEST(as("bob", "PUT", slack_app()) == 403U);
    BOOST_TEST(as("alice", "PUT", slack_app()) == 201U);
    BOOST_TEST(text_in(house.ask("GET", slack).json, "updated_by") == "user:flows/alice");
    BOOST_TEST(as("bob", "GET") == 403U);
    BOOST_TEST(as("bob", "DELETE") == 403U);
    BOOST_TEST(as("alice", "GET") == 200U);
    BOOST_TEST(as("alice", "DELETE") == 204U);
    const auto record = audit_of(house.client, "action=oauth_client.deleted")[0];
    BOOST_TEST(text_in(record, "principal") == "engine:flows");
    BOOST_TEST(text_in(record, "on_behalf_of") == "user:flows/alice");
}

BOOST_AUTO_TEST_CASE(clients_are_out_of_reach_while_the_broker_is_sealed) {
    Running house;
    BOOST_REQUIRE_EQUAL(house.ask("PUT", slack, slack_app()).status, 201U);
    BOOST_REQUIRE_EQUAL(house.ask("POST", "/v1/seal").status, 200U);
    BOOST_TEST(house.ask("GET", slack).code == "sealed");
    BOOST_TEST(house.ask("PUT", slack, slack_app()).code == "sealed");
    BOOST_REQUIRE_EQUAL(house.ask("POST", "/v1/unseal").status, 200U);
    BOOST_TEST(has_secret(house.ask("GET", slack).json));
}

BOOST_AUTO_TEST_SUITE_END()
