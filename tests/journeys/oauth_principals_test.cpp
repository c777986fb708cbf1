#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>

#include <array>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

constexpr auto config = "[sockets]\nadmin_mode = \"0666\"\n"
                        "[access]\noperators = [\"root\", \"daemon\"]\nusers = { bin = \"user:local/ada\" }\n"
                        "[[engine]]\nname = \"flows\"\nuid = 0\nworkspaces = [\"*\"]\nmax_role = \"editor\"\n";
constexpr auto own_redirect = "https://flows.example.org/rest/oauth";
constexpr auto no_such = "auth_01jd0000000000000000000000";
constexpr auto authorizations = "/v1/oauth/authorizations";

/// By uid, and of an engine on whose behalf.
struct Principal {
    std::string name;
    unsigned uid = 0;
    std::string actor{};
};
const Principal root{.name = "operator:root"};
const Principal other_operator{.name = "operator:daemon", .uid = 1};
const Principal ada{.name = "user:local/ada", .uid = 2};
const Principal alice{.name = "engine:flows", .actor = "user:flows/alice"};
const Principal bob{.name = "engine:flows", .actor = "user:flows/bob"};

/// All of these may edit what lies in the workspace `default`.
struct Principals : OAuthHouse {
    Principals()
        : OAuthHouse({}, config, "redirect_uris = [\"" + std::string(own_redirect) + "\"]\n",
                     {.open_to_others = true}) {
        for (const auto* user : {"local%2Fada", "flows%2Falice", "flows%2Fbob"}) {
            const auto path = "/v1/workspaces/default/members/user:" + std::string(user);
            BOOST_REQUIRE(ask(client, "PUT", path, R"({"role":"editor"})").status < 300U);
        }
    }
    /// From a process of that uid.
    [[nodiscard]] Answered as(const Principal& who, const std::string& method, const std::string& path,
                              const object& body = {}) const {
        std::array<int, 2> pipe{};
        BOOST_REQUIRE(::pipe(pipe.data()) == 0);
        const auto ended = as_uid(who.uid, [&] {
            test::SocketClient admin(daemon.admin_socket());
            const auto actor = who.actor.empty() ? "" : "Credlease-Actor: " + who.actor + "\r\n";
            const auto sent = method == "GET" ? "" : boost::json::serialize(body);
            const auto answer = admin.ask(method, path, sent, actor);
            if (!answer) return 1;
            const auto told = std::to_string(answer->status) + answer->body; // less than a pipe holds
            return ::write(pipe[1], told.data(), told.size()) == static_cast<ssize_t>(told.size()) ? 0 : 1;
        });
        ::close(pipe[1]);
        std::string told(65536, '\0');
        const auto size = ::read(pipe[0], told.data(), told.size());
        ::close(pipe[0]);
        BOOST_REQUIRE(ended == 0 && size > 3);
        told.resize(static_cast<std::size_t>(size));
        Answered answered{
            .status = static_cast<unsigned>(std::stoul(told.substr(0, 3))), .code = {}, .json = {}, .etag = {}};
        answered.json = boost::json::parse(told.substr(3));
        if (answered.status >= 400) answered.code = text(answered.json, "code");
        return answered;
    }
    [[nodiscard]] Answered complete_as(const Principal& who, const std::string& id, const std::string& address) const {
        return as(who, "POST", authorizations + ("/" + id) + "/complete", {{"redirect_url", address}});
    }
    /// What a refusal says, but for whose request it was.
    [[nodiscard]] static std::string refusal(Answered answered) {
        answered.json.as_object().erase("request_id");
        return std::to_string(answered.status) + boost::json::serialize(answered.json);
    }
    [[nodiscard]] Answered begin_as(const Principal& who, const std::string& credential,
                                    const object& more = {}) const {
        object body = {{"credential", credential}};
        for (const auto& [name, value] : more) body[name] = value;
        auto begun = as(who, "POST", authorizations, body);
        BOOST_REQUIRE_MESSAGE(begun.status == 201U, boost::json::serialize(begun.json));
        return begun;
    }
    /// To others it is not there, though they bring the address that it waits for; and it stays as it was.
    void expect_hidden_from(const Principal& other, const std::string& id, const std::string& address) const {
        const auto requests = provider.token_requests().size();
        const auto refused = complete_as(other, id, address);
        BOOST_TEST(refused.status == 404U);
        BOOST_TEST(refused.code == "not_found");
        BOOST_TEST(refusal(refused) == refusal(complete_as(other, no_such, address)));
        const auto look = [&](const std::string& which) {
            return refusal(as(other, "GET", authorizations + ("/" + which)));
        };
        BOOST_TEST(look(id) == look(no_such));
        BOOST_TEST(provider.token_requests().size() == requests);
    }
    void expect_connected_by(const Principal& who) {
        const auto record = audit_of(client, "action=oauth.connected").at(0);
        BOOST_TEST(text(record, "principal") == who.name);
        const auto* user = record.if_contains("on_behalf_of");
        BOOST_TEST((user != nullptr && user->is_string() ? std::string(user->as_string()) : "") == who.actor);
    }
};

} // namespace

/// Who begins an authorization is who completes it.
BOOST_FIXTURE_TEST_SUITE(oauth_principals, Principals)

BOOST_AUTO_TEST_CASE(what_one_principal_began_does_not_exist_for_others_and_stays_usable_for_who_began) {
    const std::vector all = {root, other_operator, ada, alice, bob};
    for (const auto& who : all) {
        BOOST_TEST_CONTEXT(who.name << ' ' << who.actor) {
            const auto credential = store("of " + who.name + who.actor);
            const auto begun = begin_as(who, credential);
            const auto id = text(begun.json, "id");
            const auto address = visit(text(begun.json, "authorize_url"));
            for (const auto& other : all) {
                if (&other != &who) expect_hidden_from(other, id, address);
            }
            BOOST_TEST(text(as(who, "GET", authorizations + ("/" + id)).json, "state") == "pending");
            const auto done = complete_as(who, id, address);
            BOOST_TEST(done.status == 200U);
            BOOST_TEST(text(done.json, "state") == "connected");
            expect_connected_by(who);
            BOOST_TEST(text(show(credential), "status") == "active");
        }
    }
}

BOOST_AUTO_TEST_CASE(an_engine_begins_with_a_redirect_of_its_own_and_completes_what_comes_there) {
    const auto credential = store("engine's");
    const auto elsewhere = as(alice, "POST", authorizations,
                              {{"credential", credential}, {"redirect_uri", "https://flows.example.org/other"}});
    BOOST_TEST(elsewhere.code == "invalid_request");
    BOOST_TEST(text(elsewhere.json, "field") == "redirect_uri");

    const auto begun = begin_as(alice, credential, {{"redirect_uri", own_redirect}});
    BOOST_TEST(text(begun.json, "redirect_uri") == own_redirect);
    const auto id = text(begun.json, "id");
    const auto address = visit(text(begun.json, "authorize_url"));
    BOOST_TEST(address.starts_with(std::string(own_redirect) + "?"), address);
    for (const auto& other : {bob, root, ada}) expect_hidden_from(other, id, address);
    const auto done = complete_as(alice, id, address);
    BOOST_TEST(done.status == 200U);
    BOOST_TEST(text(done.json, "state") == "connected");
    BOOST_TEST(provider.token_requests("authorization_code").size() == 1U);
    expect_connected_by(alice);
    BOOST_TEST(!token_of("engine's").empty());
}

BOOST_AUTO_TEST_SUITE_END()
