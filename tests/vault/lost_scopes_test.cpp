#define BOOST_TEST_DYN_LINK
#include "vault/oauth_house.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

using vocabulary::CredentialStatus;

const Scope organization = Scope::organization();

BOOST_FIXTURE_TEST_SUITE(lost_scopes, OAuthHouse)

BOOST_AUTO_TEST_CASE(scopes_that_a_refresh_does_not_bring_back_are_lost_until_they_are_granted_again) {
    const Entry& entry = connected("a", organization);
    const auto granted = [&](std::vector<std::string> scopes) {
        auto bot = token("bot", "bot-2");
        bot.scopes = std::move(scopes);
        return refresh(named("a"), answer(std::move(bot)));
    };
    BOOST_TEST(entry.tokens->state.tokens[0].lost_scopes.empty());
    BOOST_TEST(granted({"chat"}) == "none");
    open();
    BOOST_TEST((named("a").tokens->state.tokens[0].lost_scopes == std::vector<std::string>{"read"}));
    BOOST_TEST(named("a").credential.status_reason == "the provider no longer grants: read");
    BOOST_TEST((named("a").credential.status == CredentialStatus::active));
    BOOST_TEST(refresh(named("a"), answer(token("bot", "bot-3"))) == "none"); // it does not say: as they were
    BOOST_TEST((named("a").tokens->state.tokens[0].lost_scopes == std::vector<std::string>{"read"}));
    BOOST_TEST(granted({"chat", "read"}) == "none");
    BOOST_TEST(named("a").tokens->state.tokens[0].lost_scopes.empty());
    BOOST_TEST(named("a").credential.status_reason.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
