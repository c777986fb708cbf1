#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

using namespace credlease;
using namespace credlease::tests;

namespace {

/// Two workers of different uids in different workspaces.
constexpr auto config = R"([sockets]
lease_mode = "0666"
[[worker]]
name = "red"
uid = 65533
workspace = "red"
[[worker]]
name = "blue"
uid = 65532
workspace = "blue"
)";

std::string store_in(Client& client, const std::string& workspace, const std::string& name) {
    const auto made = ask(
        client, "POST", "/v1/credentials",
        R"({"service":"http-bearer","name":")" + name + R"(","scope":{"kind":"workspace","workspace":")" + workspace +
            R"("},"fields":{"token":"tok_)" + workspace + R"(_12345678","base_url":"https://a.example"}})");
    BOOST_REQUIRE_MESSAGE(made.status == 201U, made.code);
    return std::string(made.json.at("id").as_string());
}

/// The problem without what differs by nature.
std::string comparable(const Error& error) {
    return std::to_string(error.status) + error.code + error.sentence + error.next_step + error.field;
}

} // namespace

BOOST_AUTO_TEST_CASE(outside_its_workspace_a_credential_does_not_exist) {
    Daemon daemon({.config = config, .open_to_others = true});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    BOOST_TEST(ask(client, "PUT", "/v1/workspaces/red", "{}").status == 201U);
    BOOST_TEST(ask(client, "PUT", "/v1/workspaces/blue", "{}").status == 201U);
    const auto red = store_in(client, "red", "shared name");
    const auto blue = store_in(client, "blue", "shared name");

    const auto sees_its_own_alone = [&](unsigned uid, const std::string& own, const std::string& foreign) {
        return as_uid(uid, [&] {
            auto worker = client_of(daemon);
            if (!worker.lease({.credential = own})) return 1;
            if (worker.lease({.credential = "shared name"})->credential_id() != own) return 2;
            const auto absent = worker.lease({.credential = "cred_00000000000000000000000000"});
            const auto refused = worker.lease({.credential = foreign});
            if (refused.ok() || refused.error().code != "credential_not_found") return 3;
            if (comparable(refused.error()) != comparable(absent.error())) return 4;
            const auto list = ask(worker, "GET", "/v1/credentials", {}, Client::Door::lease);
            if (list.json.at("items").as_array().size() != 1) return 5;
            if (ask(worker, "GET", "/v1/leases", {}, Client::Door::lease).json.at("items").as_array().size() != 0)
                return 6;
            return 0;
        });
    };
    BOOST_TEST(sees_its_own_alone(65533, red, blue) == 0);
    BOOST_TEST(sees_its_own_alone(65532, blue, red) == 0);
    BOOST_TEST(as_uid(65531, [&] {
                   auto worker = client_of(daemon);
                   return worker.lease({.credential = red}).error().code == "unauthenticated" ? 0 : 1;
               }) == 0);
    BOOST_TEST(as_uid(65533, [&] {
                   auto worker = client_of(daemon);
                   return ask(worker, "GET", "/v1/status").status == 0 ? 0 : 1; // admin.sock is not for it
               }) == 0);
}

BOOST_AUTO_TEST_CASE(nobody_is_an_operator_on_lease_sock) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    (void)store_token(client, "here", "tok_here_12345678");
    BOOST_TEST(ask(client, "GET", "/v1/whoami", {}, Client::Door::lease).json.at("principal").as_string() ==
               "worker:self");
    BOOST_TEST(ask(client, "GET", "/v1/whoami").json.at("principal").as_string() == "operator:root");
    BOOST_TEST(ask(client, "POST", "/v1/seal", "{}", Client::Door::lease).status == 404U);
    BOOST_TEST(ask(client, "GET", "/v1/audit", {}, Client::Door::lease).status == 404U);
}
