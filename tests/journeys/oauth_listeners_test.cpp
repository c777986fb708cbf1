#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/event_reader.hpp"

#include <boost/json/parse.hpp>

#include <set>

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;
using test::EventReader;

namespace {

constexpr auto config = "[access]\noperators = [\"root\"]\n[[engine]]\nname = \"flows\"\nuid = 0\n"
                        "workspaces = [\"*\"]\nmax_role = \"editor\"\n";

using Ids = std::set<std::string>;

/// Two workspaces with a member and a connected credential each, behind one engine.
struct TwoWorkspaces : OAuthHouse {
    TwoWorkspaces() : OAuthHouse({{"refresh_class", "single_use"}}, config) {
        for (const auto* workspace : {"sales", "support"}) {
            BOOST_REQUIRE(ask(client, "PUT", "/v1/workspaces/" + std::string(workspace), "{}").status < 300U);
        }
        put_member("sales", "alice");
        put_member("support", "bob");
        sales = connected_in("sales");
        support = connected_in("support");
    }
    std::string sales, support; ///< credentials

    void put_member(const std::string& workspace, const std::string& user) {
        const auto path = "/v1/workspaces/" + workspace + "/members/user:flows%2F" + user;
        BOOST_REQUIRE(ask(client, "PUT", path, R"({"role":"member"})").status < 300U);
    }
    void erase_member(const std::string& workspace, const std::string& user) {
        const auto path = "/v1/workspaces/" + workspace + "/members/user:flows%2F" + user;
        BOOST_REQUIRE(ask(client, "DELETE", path).status < 300U);
    }
    std::string connected_in(const std::string& workspace) {
        const object fields = {{"token_url", provider.origin() + "/token"},
                               {"authorize_url", provider.origin() + "/authorize"},
                               {"client_id", "client"},
                               {"client_secret", "client-secret"},
                               {"client_auth", "post"}};
        const object body = {{"service", "oauth2"},
                             {"name", "of " + workspace},
                             {"scope", object{{"kind", "workspace"}, {"workspace", workspace}}},
                             {"fields", fields}};
        const auto stored = ask(client, "POST", "/v1/credentials", boost::json::serialize(body));
        BOOST_REQUIRE_MESSAGE(stored.status == 201U, boost::json::serialize(stored.json));
        auto id = text(stored.json, "id");
        connect(id);
        return id;
    }
    /// The engine, on behalf of that user; empty: the operator.
    [[nodiscard]] EventReader listen(const std::string& user, const std::string& last_id = {}) const {
        const auto actor = user.empty() ? "" : "Credlease-Actor: user:" + user + "\r\n";
        EventReader reader(daemon.admin_socket(),
                           actor + (last_id.empty() ? "" : "Last-Event-ID: " + last_id + "\r\n"));
        BOOST_REQUIRE(reader.is_listening());
        return reader;
    }
    /// The provider refuses both for good, and each is asked for.
    void fail_both() {
        provider.control("/revoke");
        for (const auto& id : {sales, support}) {
            BOOST_REQUIRE(ask(client, "POST", "/v1/credentials/" + id + "/refresh").code == "credential_expired");
        }
    }
    void seal() { BOOST_REQUIRE_EQUAL(ask(client, "POST", "/v1/seal").status, 200U); }
    /// Of which credentials it heard that they are expired, up to the seal, which everybody hears. Of others it heard
    /// nothing at all.
    [[nodiscard]] static Ids expired_until_sealed(EventReader& reader) {
        Ids all, expired;
        auto event = reader.next();
        for (; event && event->type != "broker.sealing"; event = reader.next()) {
            const auto data = boost::json::parse(event->data);
            const auto credential = text(data, "credential");
            all.insert(credential);
            if (event->type == "credential.status_changed" && text(data, "status") == "expired") {
                expired.insert(credential);
            }
        }
        BOOST_TEST(event.has_value());
        BOOST_TEST((all == expired));
        return expired;
    }
};

} // namespace

/// Engines that listen for their users.
BOOST_FIXTURE_TEST_SUITE(oauth_listeners, TwoWorkspaces)

BOOST_AUTO_TEST_CASE(an_engine_hears_of_credentials_that_its_actor_may_see_and_of_no_others) {
    auto alice = listen("alice");
    auto bob = listen("bob");
    auto nobodys = listen("carol"); // a member of neither
    auto all = listen({});
    fail_both();
    seal();
    BOOST_TEST((expired_until_sealed(alice) == Ids{sales}));
    BOOST_TEST((expired_until_sealed(bob) == Ids{support}));
    BOOST_TEST(expired_until_sealed(nobodys).empty());
    BOOST_TEST((expired_until_sealed(all) == Ids{sales, support}));
}

BOOST_AUTO_TEST_CASE(it_is_the_same_for_an_engine_that_comes_back_and_over_a_kill) {
    auto reader = listen({});
    const auto before = reader.last_id();
    reader.close();
    fail_both();
    for (int starts = 0; starts < 2; ++starts) {
        auto alice = listen("alice", before);
        auto bob = listen("bob", before);
        auto nobodys = listen("carol", before);
        seal();
        BOOST_TEST((expired_until_sealed(alice) == Ids{sales}));
        BOOST_TEST((expired_until_sealed(bob) == Ids{support}));
        BOOST_TEST(expired_until_sealed(nobodys).empty());
        daemon.kill9();
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    }
}

BOOST_AUTO_TEST_CASE(whoever_became_a_member_or_is_none_any_more_hears_by_what_holds_at_the_moment) {
    auto alice = listen("alice");
    auto bob = listen("bob");
    erase_member("sales", "alice");
    put_member("sales", "bob");
    fail_both();
    seal();
    BOOST_TEST(expired_until_sealed(alice).empty());
    BOOST_TEST((expired_until_sealed(bob) == Ids{sales, support}));
}

BOOST_AUTO_TEST_SUITE_END()
