#define BOOST_TEST_MODULE journeys
#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;

namespace {

constexpr auto token = "tok_6f1d2c9b8a7e4f3d";

std::vector<std::string> actions(Client& client, const std::string& query = {}) {
    std::vector<std::string> names;
    for (const auto& record : audit_of(client, query)) names.emplace_back(record.at("action").as_string());
    return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

BOOST_AUTO_TEST_CASE(a_worker_leases_what_an_operator_stored_and_the_log_says_so) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "Acme API", token);

    auto lease =
        client.lease({.credential = "Acme API", .ttl = std::chrono::seconds(60), .purpose = {"nightly", "42", "s3"}});
    BOOST_REQUIRE_MESSAGE(lease.ok(), (lease.ok() ? std::string() : lease.error().sentence));
    BOOST_TEST(lease->credential_id() == id);
    BOOST_TEST(secret_of(*lease, "token") == token);
    BOOST_TEST(lease->base_url() == "https://api.example.com");
    std::map<std::string, std::string> headers;
    lease->expose_headers([&](std::string_view name, std::string_view value) { headers.emplace(name, value); });
    BOOST_TEST(headers["Authorization"] == std::string("Bearer ") + token);

    const auto issued = audit_of(client, "action=lease.issued");
    BOOST_REQUIRE_EQUAL(issued.size(), 1U);
    BOOST_TEST(issued[0].at("lease").as_string() == lease->id());
    BOOST_TEST(issued[0].at("workflow").as_string() == "nightly");
    BOOST_TEST(issued[0].at("claimed").as_bool());
    BOOST_TEST(ask(client, "GET", "/v1/audit/verify").json.at("ok").as_bool());
    BOOST_TEST(daemon.stop().value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_lease_lives_on_through_kill_9_and_can_be_renewed_and_released) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "kept", token);
    auto lease = client.lease({.credential = "kept"});
    BOOST_REQUIRE_MESSAGE(lease.ok(), (lease.ok() ? std::string() : lease.error().sentence));
    const auto id = lease->id();

    daemon.kill9();
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    const auto listed = ask(client, "GET", "/v1/leases");
    BOOST_REQUIRE_EQUAL(listed.json.at("items").as_array().size(), 1U);
    BOOST_TEST(listed.json.at("items").at(0).at("lease").as_string() == id);
    const auto renewed = lease->renew(std::chrono::minutes(5));
    BOOST_REQUIRE_MESSAGE(renewed.ok(), (renewed.ok() ? std::string() : renewed.error().sentence));
    BOOST_TEST(lease->id() == id);
    BOOST_TEST(lease->release().ok());
    BOOST_TEST(ask(client, "GET", "/v1/leases").json.at("items").as_array().empty());
    const auto names = actions(client);
    BOOST_TEST(has(names, "lease.renewed"));
    BOOST_TEST(has(names, "lease.released"));
}

BOOST_AUTO_TEST_CASE(a_grant_gives_its_credential_and_no_other_and_nothing_once_withdrawn) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "granted", token);
    (void)store_token(client, "other", "tok_other_0123456789");
    const auto grant = mint(client, id);
    auto worker = client_of(daemon, grant);

    auto lease = worker.lease({.credential = "granted"});
    BOOST_REQUIRE_MESSAGE(lease.ok(), (lease.ok() ? std::string() : lease.error().sentence));
    BOOST_TEST(worker.lease({.credential = "other"}).error().code == "credential_not_found");

    const auto grants = ask(client, "GET", "/v1/grants");
    const std::string grant_id(grants.json.at("items").at(0).at("id").as_string());
    BOOST_TEST(ask(client, "DELETE", "/v1/grants/" + grant_id).status == 204U);
    BOOST_TEST(worker.lease({.credential = "granted"}).error().code == "unauthenticated");
    BOOST_TEST(!lease->renew().ok());
    const auto ended = audit_of(client, "action=lease.ended");
    BOOST_REQUIRE_EQUAL(ended.size(), 1U);
    BOOST_TEST(ended[0].at("workflow").as_string() == "nightly");
}

BOOST_AUTO_TEST_CASE(withdrawing_what_was_withdrawn_succeeds_and_tells_strangers_nothing) {
    Daemon daemon({.config = "[sockets]\nadmin_mode = \"0666\"\n[access]\noperators = [\"root\"]\n"
                             "users = { daemon = \"user:local/eve\" }\n",
                   .open_to_others = true});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)mint(client, store_token(client, "granted", token));
    const auto grants = ask(client, "GET", "/v1/grants");
    const std::string path = "/v1/grants/" + std::string(grants.json.at("items").at(0).at("id").as_string());
    BOOST_TEST(ask(client, "DELETE", path).status == 204U);
    BOOST_TEST(ask(client, "DELETE", path).status == 204U);
    BOOST_TEST(ask(client, "GET", path).status == 404U);
    const auto never = path.substr(0, path.size() - 4) + "0000";
    BOOST_TEST(ask(client, "DELETE", never).code == "grant_not_found");
    const auto stranger = as_uid(1, [&] {
        auto other = client_of(daemon);
        return ask(other, "DELETE", path).code == "grant_not_found" ? 0 : 1;
    });
    BOOST_TEST(stranger == 0);
    BOOST_REQUIRE(daemon.stop() == 0);
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(ask(client, "DELETE", path).status == 204U);
    BOOST_TEST(audit_of(client, "action=grant.withdrawn").size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_lease_of_a_process_ends_when_it_exits) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "bound", token);
    const auto status = as_uid(0, [&] {
        auto worker = client_of(daemon);
        auto lease = worker.lease({.credential = "bound"});
        if (!lease) return 1;
        lease->keep();
        return 0;
    });
    BOOST_REQUIRE_EQUAL(status, 0);
    std::vector<boost::json::object> ended;
    for (int i = 0; i < 100 && ended.empty(); ++i) {
        ended = audit_of(client, "action=lease.ended");
        if (ended.empty()) ::usleep(20000);
    }
    BOOST_REQUIRE_EQUAL(ended.size(), 1U);
    BOOST_TEST(ask(client, "GET", "/v1/leases").json.at("items").as_array().empty());
}

BOOST_AUTO_TEST_CASE(a_stranger_of_another_uid_gets_nothing) {
    Daemon daemon({.config = "[sockets]\nlease_mode = \"0666\"\n", .open_to_others = true});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "mine", token);
    const auto grant = mint(client, id);
    const auto refused = [&](const std::string& with_grant) {
        return as_uid(65534, [&] {
            auto worker = with_grant.empty() ? client_of(daemon) : client_of(daemon, with_grant);
            const auto lease = worker.lease({.credential = "mine"});
            return !lease && lease.error().code == "unauthenticated" ? 0 : 1;
        });
    };
    BOOST_TEST(refused("") == 0);
    BOOST_TEST(refused(grant) == 0);
    const auto bearer = mint(client, id, R"(,"uid":null)");
    BOOST_TEST(refused(bearer) == 1);
}

BOOST_AUTO_TEST_CASE(a_passphrase_seals_what_a_restart_and_a_wrong_one_do_not_open) {
    Daemon daemon({.config = "[seal]\nmethod = \"passphrase\"\n"});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    BOOST_TEST(ask(client, "GET", "/v1/status").json.at("root_key").as_string() == "unset");
    BOOST_TEST(ask(client, "GET", "/v1/credentials").code == "sealed");
    BOOST_TEST(ask(client, "POST", "/v1/unseal", R"({"passphrase":"correct horse battery"})").status == 200U);
    (void)store_token(client, "behind a passphrase", token);
    auto lease = client.lease({.credential = "behind a passphrase"});
    BOOST_REQUIRE(lease.ok());

    BOOST_TEST(daemon.stop().value_or(-1) == 0);
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(ask(client, "GET", "/v1/status").json.at("state").as_string() == "sealed");
    BOOST_TEST(ask(client, "POST", "/v1/unseal", R"({"passphrase":"wrong"})").code == "unseal_refused");
    BOOST_TEST(ask(client, "POST", "/v1/unseal", R"({"passphrase":"correct horse battery"})").code == "rate_limited");
    ::sleep(1);
    BOOST_TEST(ask(client, "POST", "/v1/unseal", R"({"passphrase":"correct horse battery"})").status == 200U);
    BOOST_TEST(lease->renew().ok());
    BOOST_TEST(ask(client, "POST", "/v1/seal").status == 200U);
    BOOST_TEST(lease->renew().error().code == "sealed");
    const auto by = " uid=" + std::to_string(::geteuid()) + " pid=" + std::to_string(::getpid());
    for (const auto* line :
         {"Sealed: the leases are ended, the keys are wiped.", "Unsealed.", "An unseal was refused."})
        BOOST_TEST(daemon.log().contains(line + by), daemon.log());
    BOOST_TEST(!daemon.log().contains("battery"));
    BOOST_TEST(!daemon.log().contains("wrong"));
}

BOOST_AUTO_TEST_CASE(a_wrong_config_leaves_the_old_one_in_force) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    daemon.write_config("[leases]\ndefault_ttl = \"a while\"\n");
    daemon.signal(SIGHUP);
    BOOST_TEST(daemon.wait_for_log("the old one stays in force"));
    BOOST_TEST(daemon.wait_for_log("credleased.toml:2"));
    auto client = client_of(daemon);
    (void)store_token(client, "still", token);
    BOOST_TEST(client.lease({.credential = "still"}).ok());
    const auto config = [&] { return ask(client, "GET", "/v1/status").json.at("config").as_object(); };
    const auto file = (daemon.config_folder() / "credleased.toml").native();
    const auto before = config();
    BOOST_TEST(before.at("file").as_string() == file);
    BOOST_TEST(before.at("error").as_string().starts_with(file + ":2: leases.default_ttl: A duration is expected"));
    const auto worker = ask(client, "GET", "/v1/status", {}, Client::Door::lease);
    BOOST_TEST(!worker.json.as_object().contains("config")); // for operators only
    daemon.write_config("[leases]\ndefault_ttl = \"30s\"\n");
    daemon.signal(SIGHUP);
    BOOST_TEST(daemon.wait_for_log("Reloaded"));
    BOOST_TEST(!config().contains("error"));
    BOOST_TEST((config().at("loaded_at") != before.at("loaded_at")));
    const auto lease = client.lease({.credential = "still"});
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST((lease->expires_at() - std::chrono::system_clock::now() <= std::chrono::seconds(31)));
}

BOOST_AUTO_TEST_CASE(a_second_daemon_on_the_same_data_refuses_with_a_sentence) {
    Daemon first;
    BOOST_REQUIRE_MESSAGE(first.start(), first.log());
    Daemon second({.root = first.root()});
    BOOST_TEST(!second.start());
    auto client = client_of(first);
    BOOST_TEST(ask(client, "GET", "/v1/status").status == 200U);
}

BOOST_AUTO_TEST_CASE(a_wrong_root_key_is_refused_and_nothing_is_written) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "sealed well", token);
    BOOST_TEST(daemon.stop().value_or(-1) == 0);

    const auto key = daemon.config_folder() / "root.key";
    const auto kept = daemon.config_folder() / "kept.key";
    std::filesystem::rename(key, kept);
    BOOST_TEST(!daemon.start());
    BOOST_TEST(!std::filesystem::exists(key));
    {
        std::ofstream(key) << std::string(32, 'x');
    }
    std::filesystem::permissions(key, std::filesystem::perms::owner_read);
    BOOST_TEST(!daemon.start());
    std::filesystem::remove(key);
    std::filesystem::rename(kept, key);
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(client.lease({.credential = "sealed well"}).ok());
}
