#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"

#include <algorithm>
#include <thread>

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

constexpr auto second_secret = "second-secret-4f1c";
constexpr std::chrono::seconds after_a_back_off{60}; ///< of some seconds

/// A grant with a client of its own.
struct Edited : OAuthHouse {
    std::string id = connected("edited");

    void edit(const object& fields) {
        const auto body = boost::json::serialize(object{{"fields", fields}});
        const auto edited = ask(client, "PATCH", "/v1/credentials/" + id, body);
        BOOST_REQUIRE_MESSAGE(edited.status == 200U, boost::json::serialize(edited.json));
    }
    unsigned refresh() { return ask(client, "POST", "/v1/credentials/" + id + "/refresh").status; }
    void change_secret_at_the_provider() { provider.control("/client", {{"id", "client"}, {"secret", second_secret}}); }
    /// It is still the grant that was made first.
    void expect_its_first_grant() {
        const auto grants = provider.control("/grants").at("grants").as_array();
        BOOST_TEST(grants.size() == 1U);
        BOOST_TEST(audit_of(client, "action=oauth.connected").size() == 1U);
        BOOST_TEST(provider.uses_of_spent_tokens().empty());
    }
};

} // namespace

/// How the client of a grant authenticates may change: no person consents again, and nothing goes to another place.
BOOST_AUTO_TEST_SUITE(oauth_edits)

BOOST_FIXTURE_TEST_CASE(the_next_refresh_authenticates_as_an_edit_says_and_one_that_fails_is_mended_by_an_edit,
                        Edited) {
    edit({{"client_auth", "basic"}}); // which this provider does not take
    BOOST_TEST(refresh() == 502U);
    BOOST_TEST(text(show(id), "status") == "failing");
    edit({{"client_auth", "post"}});
    BOOST_TEST(becomes(id, "active")); // by itself
    expect_its_first_grant();
}

BOOST_FIXTURE_TEST_CASE(what_is_said_of_another_client_counts_from_its_consent_on, Edited) {
    edit({{"client_id", "another"}, {"client_auth", "basic"}});
    BOOST_TEST(refresh() == 200U);
    BOOST_TEST(provider.token_requests().back().at("client").as_string() == "client");
    edit({{"client_id", "client"}});
    BOOST_TEST(refresh() == 502U);
}

BOOST_FIXTURE_TEST_CASE(a_new_client_secret_is_used_by_the_next_refresh_and_ends_no_lease, Edited) {
    auto lease = client.lease({.credential = "edited"});
    BOOST_REQUIRE(lease.ok());
    change_secret_at_the_provider();
    BOOST_TEST(refresh() == 502U);
    BOOST_TEST(text(show(id), "status") == "failing");
    edit({{"client_secret", second_secret}});
    BOOST_TEST(becomes(id, "active"));
    BOOST_TEST(refresh() == 200U);
    expect_its_first_grant();
    BOOST_TEST(ask(client, "GET", "/v1/leases?credential=" + id).json.at("items").as_array().size() == 1U);
    const auto edits = audit_of(client, "action=credential.edited");
    BOOST_REQUIRE_EQUAL(edits.size(), 1U);
    const auto& changes = edits.front().at("changes").as_array();
    BOOST_REQUIRE_EQUAL(changes.size(), 1U);
    BOOST_TEST(text(changes.front(), "member") == "fields.client_secret");
    BOOST_TEST(!boost::json::serialize(edits.front()).contains(second_secret));
}

BOOST_FIXTURE_TEST_CASE(a_refusal_of_the_secret_before_the_edit_is_tried_again_soon, Edited) {
    change_secret_at_the_provider();
    provider.misbehave({{"do", "slow"}, {"after_ms", 1500}});
    std::jthread asks([&] {
        auto other = client_of(daemon);
        (void)ask(other, "POST", "/v1/credentials/" + id + "/refresh");
    });
    BOOST_REQUIRE(provider.wait_for_token_requests(2));
    edit({{"client_secret", second_secret}});
    asks.join();
    BOOST_TEST(provider.token_requests().size() == 2U); // by the old one
    BOOST_TEST(
        comes_true([&] { return text(show(id), "status") == "active" && provider.token_requests().size() == 3U; },
                   after_a_back_off));
    expect_its_first_grant();
}

BOOST_AUTO_TEST_SUITE_END()
