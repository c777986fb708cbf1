#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/event_reader.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using test::EventReader;

namespace {

constexpr auto silence = 300ms;

} // namespace

BOOST_AUTO_TEST_CASE(whoever_minted_a_grant_hears_over_a_restart_that_an_operator_withdrew_it) {
    Daemon daemon({.config = "[access]\noperators = [\"root\"]\n[[engine]]\nname = \"flows\"\nuid = 0\n"
                             "workspaces = [\"*\"]\nmax_role = \"admin\"\n"});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const std::string alice = "Credlease-Actor: user:alice\r\n";
    const std::string bob = "Credlease-Actor: user:bob\r\n";
    for (const auto* user : {"alice", "bob"}) {
        const auto member = ask(client, "PUT", "/v1/workspaces/default/members/user:flows%2F" + std::string(user),
                                R"({"role":"member"})");
        BOOST_REQUIRE_EQUAL(member.status, 200U);
    }
    const auto credential = store_token(client, "granted", "tok_minted_5c0d9e1f22");
    test::SocketClient engine(daemon.admin_socket());
    const auto minted = engine.ask("POST", "/v1/grants",
                                   R"({"workspace":"default","user":"user:flows/alice","workflow":"w","ttl":"1h",)"
                                   R"("credentials":[")" +
                                       credential + R"("]})",
                                   alice);
    BOOST_REQUIRE(minted && minted->status == 201U);
    const std::string grant(boost::json::parse(minted->body).at("id").as_string());
    EventReader before(daemon.admin_socket(), alice);
    BOOST_REQUIRE(before.is_listening());
    before.close();
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/grants/" + grant).status, 204U);
    daemon.kill9();
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    const auto missed = "Last-Event-ID: " + before.last_id() + "\r\n";
    const auto told_of_it = [&](const std::string& user) {
        EventReader reader(daemon.admin_socket(), user + missed);
        for (auto event = reader.next(); event; event = reader.next(silence)) { // what was told may come again
            if (event->type == "grant.ended" &&
                std::string(boost::json::parse(event->data).at("grant").as_string()) == grant)
                return true;
        }
        return false;
    };
    BOOST_TEST(told_of_it(alice));
    BOOST_TEST(!told_of_it(bob));
}

BOOST_AUTO_TEST_CASE(a_delete_of_what_workflows_use_is_refused_with_the_way_to_do_it_all_the_same) {
    Daemon daemon;
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto credential = store_token(client, "used", "tok_used_77c0d9e1f2a4");
    const auto grant = mint(client, credential);
    test::SocketClient worker(daemon.lease_socket());
    const auto lease = worker.ask("POST", "/v1/leases", R"({"credential":"used","bind":"none"})",
                                  "Authorization: Bearer " + grant + "\r\n");
    BOOST_REQUIRE(lease && lease->status == 201U);
    const auto refused = client.send({.method = "DELETE", .path = "/v1/credentials/" + credential});
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().code == "credential_in_use");
    BOOST_TEST(refused.error().sentence.contains("?force=true (credlease delete ID --force)."),
               refused.error().sentence);
}
