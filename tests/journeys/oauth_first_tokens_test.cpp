#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

/// Credentials that need no person, and what is said of them until their first tokens come.
struct FirstTokens : OAuthHouse {
    std::string store_own(const std::string& name, object more = {}) {
        more["flow"] = "client_credentials";
        return store(name, more);
    }
    [[nodiscard]] std::string reason_of(const std::string& id) {
        const auto shown = show(id);
        const auto& reason = shown.at("status_reason");
        return reason.is_null() ? std::string() : std::string(reason.as_string());
    }
    [[nodiscard]] bool says(const std::string& id, const std::string& why) {
        return comes_true([&] { return reason_of(id).contains(why); });
    }
    [[nodiscard]] std::vector<object> failures_of(const std::string& id) {
        auto records = audit_of(client, "action=oauth.refresh_failed");
        std::erase_if(records, [&](const object& record) { return text(record, "credential") != id; });
        return records;
    }
    [[nodiscard]] Answered refresh(const std::string& id) {
        return ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}");
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(oauth_first_tokens, FirstTokens)

BOOST_AUTO_TEST_CASE(first_tokens_that_are_refused_leave_a_reason_a_record_and_a_warning) {
    const auto id = store_own("mistyped", {{"client_secret", "not-the-secret"}});
    BOOST_TEST(says(id, "the provider refuses the OAuth client (its id or secret may be wrong): invalid_client"));
    BOOST_TEST(text(show(id), "status") == "pending");
    const auto records = failures_of(id);
    BOOST_REQUIRE(!records.empty());
    BOOST_TEST(text(records.front(), "detail").starts_with("invalid_client"));
    BOOST_TEST(text(records.front(), "principal") == "broker");
    const auto log = daemon.log();
    BOOST_TEST(log.contains("A credential got no new token."));
    BOOST_TEST(log.contains(id));
    BOOST_TEST(!log.contains("not-the-secret"));
}

BOOST_AUTO_TEST_CASE(a_provider_that_is_away_is_named_for_first_tokens_and_for_endpoints) {
    const std::string nobody = "https://127.0.0.1:1";
    const auto by_url = store_own("by_url", {{"token_url", nobody + "/token"}});
    BOOST_TEST(says(by_url, "no token came: The provider refused the connection (127.0.0.1:1)."));
    BOOST_TEST(!failures_of(by_url).empty());
    const auto refused =
        client.send({.method = "POST", .path = "/v1/credentials/" + by_url + "/refresh", .json = "{}"});
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().sentence.starts_with("No new token came (The provider refused the connection"));
    const auto by_issuer = store_fields("by_issuer", {{"issuer", nobody},
                                                      {"client_id", "client"},
                                                      {"client_secret", "client-secret"},
                                                      {"flow", "client_credentials"}});
    BOOST_TEST(says(by_issuer, "no token can be asked for: The provider refused the connection."));
    for (int i = 0; i < 2; ++i) BOOST_TEST(refresh(by_issuer).code == "upstream_failed");
    BOOST_TEST(failures_of(by_issuer).size() == 1U); // once for each reason
}

BOOST_AUTO_TEST_CASE(a_pending_credential_stays_pending_whatever_its_provider_refuses_and_forgets_it_once_connected) {
    provider.misbehave({{"do", "error"}, {"error", "invalid_grant"}, {"times", 0}});
    const auto id = store_own("own");
    BOOST_TEST(says(id, "refused by the provider: invalid_grant"));
    BOOST_TEST(authorize({{"credential", id}}).code == "upstream_failed");
    BOOST_TEST(text(show(id), "status") == "pending");
    provider.control("/clear");
    BOOST_TEST(text(authorize({{"credential", id}}).json, "state") == "connected");
    BOOST_TEST(reason_of(id) == "");
    BOOST_TEST(!token_of("own").empty());
}

BOOST_AUTO_TEST_CASE(a_page_in_place_of_a_token_is_said_to_be_no_json) {
    provider.misbehave({{"do", "status"},
                        {"status", 200},
                        {"body", "<html>Sign in</html>"},
                        {"content_type", "text/html"},
                        {"times", 0}});
    const auto id = store_own("own");
    BOOST_TEST(says(id, "its answer is not a JSON object, status 200"));
    BOOST_TEST(refusal_of("POST", "/v1/credentials/" + id + "/refresh", {})
                   .sentence.starts_with("The provider gave no token (its answer is not a JSON object, status 200)."));
}

BOOST_AUTO_TEST_CASE(what_was_wrong_and_is_edited_is_asked_for_at_once) {
    const auto id = store_own("mistyped", {{"client_secret", "not-the-secret"}});
    BOOST_TEST(says(id, "invalid_client"));
    for (int i = 0; i < 3; ++i) BOOST_TEST(refresh(id).code == "upstream_failed"); // by itself it comes much later
    const auto edited =
        ask(client, "PATCH", "/v1/credentials/" + id, R"({"fields":{"client_secret":"client-secret"}})");
    BOOST_REQUIRE_MESSAGE(edited.status == 200U, edited.code);
    BOOST_TEST(becomes(id, "active"));
}

BOOST_AUTO_TEST_CASE(a_person_waits_for_no_back_off_of_first_tokens) {
    provider.misbehave({{"do", "status"}, {"status", 503}, {"times", 0}});
    const auto id = store_own("own");
    BOOST_TEST(says(id, "no token came: status 503"));
    for (std::size_t asked = 1; asked <= 6; ++asked) {
        const auto before = provider.token_requests().size();
        const auto answer = asked % 2 == 0 ? authorize({{"credential", id}}) : refresh(id);
        BOOST_TEST(answer.code == "upstream_failed");
        BOOST_TEST(provider.token_requests().size() > before);
    }
}

BOOST_AUTO_TEST_SUITE_END()
