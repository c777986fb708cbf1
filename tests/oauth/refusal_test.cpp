#define BOOST_TEST_DYN_LINK
#include "oauth/house.hpp"

#include <string>

namespace credlease::oauth {
namespace {

using catalog::Meaning;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(refusal_of_a_provider, House)

BOOST_AUTO_TEST_CASE(without_rules_the_codes_of_rfc_6749_are_understood) {
    BOOST_TEST(refused(400, R"({"error":"invalid_grant"})") == "definitive invalid_grant");
    BOOST_TEST(refused(401, R"({"error":"invalid_client"})") == "client invalid_client");
    BOOST_TEST(refused(400, R"({"error":"unauthorized_client"})") == "client unauthorized_client");
    for (const char* code : {"invalid_request", "invalid_scope", "unsupported_grant_type", "server_error"}) {
        BOOST_TEST(refused(400, R"({"error":")" + std::string(code) + "\"}") == "transient " + std::string(code));
    }
}

BOOST_AUTO_TEST_CASE(atlassian_says_invalid_grant_with_403) {
    const Refusal made =
        refusal(answer(403, R"({"error":"invalid_grant","error_description":"Unknown or invalid refresh token."})"));
    BOOST_TEST((made.meaning == Meaning::definitive));
    BOOST_TEST(made.text.text() == "Unknown or invalid refresh token.");
    BOOST_TEST(made.status == 403u);
    BOOST_TEST(!made.may_be_done);
}

BOOST_AUTO_TEST_CASE(slack_refuses_with_200) {
    rules.errors.ok_at = "/ok";
    rules.errors.rules = {{.status = 0, .error = "invalid_refresh_token", .meaning = Meaning::definitive},
                          {.status = 0, .error = "bad_client_secret", .meaning = Meaning::client},
                          {.status = 0, .error = "ratelimited", .meaning = Meaning::rate_limited}};
    BOOST_TEST(refused(200, R"({"ok":false,"error":"invalid_refresh_token"})") == "definitive invalid_refresh_token");
    BOOST_TEST(refused(200, R"({"ok":false,"error":"bad_client_secret"})") == "client bad_client_secret");
    BOOST_TEST(refused(200, R"({"ok":false,"error":"ratelimited"})") == "rate_limited ratelimited");
    BOOST_TEST(refused(200, R"({"ok":false})") == "transient");
    // Not even with a token: one of the two is not true.
    BOOST_TEST(refused(200, R"({"ok":false,"access_token":"xoxb-1"})") == "transient may be done");
    BOOST_TEST(refused(200, R"({"error":"oops","access_token":"xoxb-1"})") == "transient oops may be done");
}

BOOST_AUTO_TEST_CASE(microsofts_numbers_tell_its_errors_apart) {
    rules.errors.sub_at = "/error_codes/0";
    rules.errors.rules = {
        {.status = 400, .error = "invalid_grant", .sub_error = "50076", .meaning = Meaning::transient},
        {.status = 0, .error = "invalid_client", .sub_error = "7000222", .meaning = Meaning::client}};
    BOOST_TEST(refused(400, R"({"error":"invalid_grant","error_codes":[50076]})") == "transient invalid_grant");
    BOOST_TEST(refused(400, R"({"error":"invalid_grant","error_codes":["50076"]})") == "transient invalid_grant");
    BOOST_TEST(refused(400, R"({"error":"invalid_grant","error_codes":[70008]})") == "definitive invalid_grant");
    BOOST_TEST(refused(403, R"({"error":"invalid_grant","error_codes":[50076]})") == "definitive invalid_grant");
    BOOST_TEST(refused(401, R"({"error":"invalid_client","error_codes":[7000222]})") == "client invalid_client");
}

BOOST_AUTO_TEST_CASE(the_first_rule_that_fits_decides_and_a_star_is_any) {
    rules.errors.at = "/status";
    rules.errors.rules = {{.status = 0, .error = "BAD_REFRESH_TOKEN", .meaning = Meaning::definitive},
                          {.status = 400, .error = "*", .meaning = Meaning::too_early},
                          {.status = 0, .error = "*", .meaning = Meaning::client}};
    BOOST_TEST(refused(400, R"({"status":"BAD_REFRESH_TOKEN"})") == "definitive BAD_REFRESH_TOKEN"); // HubSpot
    BOOST_TEST(refused(400, R"({"message":"the token is still valid"})") == "too_early");
    BOOST_TEST(refused(401, R"({"message":"Unauthorized"})") == "client");
}

BOOST_AUTO_TEST_CASE(a_server_in_trouble_never_ends_a_grant) {
    rules.errors.rules = {{.status = 0, .error = "*", .meaning = Meaning::definitive}};
    for (const unsigned status : {500u, 502u, 503u, 504u, 599u, 408u}) {
        BOOST_TEST(refused(status, R"({"error":"invalid_grant"})") == "transient invalid_grant may be done");
    }
    BOOST_TEST(refused(429, R"({"error":"invalid_grant"})") == "rate_limited invalid_grant");
    for (const char* page : {"", "<html>Bad Request</html>", "[]", R"({"error":)", "null", "\xff\xfe"}) {
        BOOST_TEST(refused(400, page, "text/html") == "transient", page);
        BOOST_TEST(refused(401, page) == "transient", page);
    }
    BOOST_TEST(refused(200, "{}") == "transient may be done");
    BOOST_TEST(refused(302, "", "") == "transient");
    rules.errors.rules = {{.status = 503, .error = "*", .meaning = Meaning::rate_limited}};
    BOOST_TEST(refused(503, "", "") == "rate_limited may be done");
}

BOOST_AUTO_TEST_CASE(a_success_without_json_is_told_from_a_refusal) {
    BOOST_TEST(refusal(answer(200, "<html>Sign in</html>", "text/html")).is_unread);
    BOOST_TEST(!refusal(answer(503, "<html>Busy</html>", "text/html")).is_unread);
    BOOST_TEST(!refusal(answer(200, "{}")).is_unread);
}

BOOST_AUTO_TEST_CASE(no_answer_is_never_definitive_and_spends_nothing_unless_it_was_sent) {
    const Refusal sent = refusal_of(outbound::Failed{.error = {}, .was_sent = true});
    BOOST_TEST((sent.meaning == Meaning::transient));
    BOOST_TEST(sent.may_be_done);
    const Refusal unsent = refusal_of(outbound::Failed{.error = {}, .was_sent = false});
    BOOST_TEST((unsent.meaning == Meaning::transient));
    BOOST_TEST(!unsent.may_be_done);
}

BOOST_AUTO_TEST_CASE(what_a_provider_says_of_waiting_is_kept_within_reason) {
    auto given = answer(429, R"({"error":"rate"})");
    given.retry_after = 90s;
    BOOST_TEST((refusal(given).retry_after == 90s));
    given.retry_after = 1000h;
    BOOST_TEST((refusal(given).retry_after == 24h));
    given.retry_after = -5s;
    BOOST_TEST((refusal(given).retry_after == 0s));
}

BOOST_AUTO_TEST_CASE(a_providers_words_never_repeat_a_secret_of_the_exchange) {
    secrets.push_back(secret("refresh/token+1234567890"));
    secrets.push_back(secret("short"));
    const auto said = [&](std::string_view text) {
        return refusal(answer(400, R"({"error":"invalid_grant","error_description":")" + std::string(text) + "\"}"))
            .text.text();
    };
    BOOST_TEST(said("bad: refresh/token+1234567890!") == "bad: ************************!");
    BOOST_TEST(said("bad: token+12345") == "bad: ***********");
    BOOST_TEST(said("only 7: token+1 is shown") == "only 7: token+1 is shown");
    BOOST_TEST(said("refresh%2Ftoken%2b1234567890") == std::string(28, '*'));
    BOOST_TEST(said(R"(refresh\/token\u002b1234567890)") == std::string(24, '*')); // JSON's own escapes
    BOOST_TEST(said("short words stay: short") == "short words stay: short");
    BOOST_TEST(refusal(answer(400, R"({"error":"x refresh/token+1234567890"})")).code.text() ==
               "x ************************");
}

BOOST_AUTO_TEST_CASE(a_providers_words_never_repeat_a_token_that_it_gives) {
    rules.errors.ok_at = "/ok";
    const Refusal made = refusal(answer(200, R"({"ok":false,"error":"e","access_token":"fresh-access-token",)"
                                             R"("error_description":"did not store fresh-access-token"})"));
    BOOST_TEST(made.text.text() == "did not store ******************");
}

BOOST_AUTO_TEST_CASE(a_providers_words_are_printable_and_short) {
    const std::string body = R"({"error":"a\u001b[31m\nb\u00e9)" + std::string(5000, 'x') +
                             R"(","error_description":")" + std::string(20000, 'y') + "\"}";
    const Refusal made = refusal(answer(400, body));
    BOOST_TEST(made.code.text() == "a?[31m?b??" + std::string(longest_code - 10, 'x'));
    BOOST_TEST(made.text.text() == std::string(longest_text, 'y'));
    secrets.push_back(secret("0123456789abcdef"));
    const std::string cut = std::string(longest_text - 4, 'y') + "0123456789abcdef"; // a secret across the cut
    BOOST_TEST(refusal(answer(400, R"({"error":"e","error_description":")" + cut + "\"}")).text.text() ==
               std::string(longest_text - 4, 'y') + "****");
}

BOOST_AUTO_TEST_CASE(a_revocation_is_done_when_the_provider_says_so) {
    const auto revoked = [&](unsigned status, std::string_view body) {
        const auto made = read_revocation(rules, secrets, answer(status, body), *arena);
        BOOST_REQUIRE(made.has_value());
        return !made->has_value();
    };
    BOOST_TEST(revoked(200, ""));
    BOOST_TEST(revoked(200, "{}"));
    BOOST_TEST(revoked(204, ""));
    BOOST_TEST(!revoked(400, R"({"error":"unsupported_token_type"})"));
    BOOST_TEST(!revoked(503, ""));
    rules.errors.ok_at = "/ok";
    BOOST_TEST(!revoked(200, R"({"ok":false,"error":"x"})"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::oauth
