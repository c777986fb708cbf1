#define BOOST_TEST_DYN_LINK
#include "oauth/answer_fields.hpp"
#include "oauth/house.hpp"
#include "wire/limits.hpp"

#include <ctime>
#include <string>

namespace credlease::oauth {
namespace {

using catalog::Meaning;
using namespace std::chrono_literals;

BOOST_FIXTURE_TEST_SUITE(answer, House)

BOOST_AUTO_TEST_CASE(the_example_of_rfc_6749_is_a_token_set) {
    const TokenSet made = tokens(answer(200, R"({"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example",)"
                                             R"("expires_in":3600,"refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA"})"));
    BOOST_REQUIRE(made.slots.size() == 1u);
    const SlotTokens& slot = made.slots.front();
    BOOST_TEST(shown(slot.access_token) == "2YotnFZFEjr1zCsicMWpAA");
    BOOST_TEST(shown(slot.refresh_token) == "tGzv3JOkF0XG5Qx2TlKWIA");
    BOOST_TEST(slot.token_type == "example");
    BOOST_TEST(seconds_after(*this, slot.ends_at) == 3600);
    BOOST_TEST(!slot.scopes.has_value());
}

BOOST_AUTO_TEST_CASE(slack_gives_two_slots_each_with_its_own_clock) {
    rules.slots = {slot("", "bot"), slot("/authed_user", "user")};
    rules.errors.ok_at = "/ok";
    rules.answer_fields = {{.field = instance, .at = "/team/id", .parameter = {}, .url = {}}};
    const TokenSet made = tokens(answer(
        200, R"({"ok":true,"app_id":"A0","authed_user":{"id":"U1","scope":"search:read","token_type":"user",)"
             R"("access_token":"xoxe.xoxp-1-user","refresh_token":"xoxe-1-user","expires_in":43200},)"
             R"("scope":"chat:write,commands","token_type":"bot","access_token":"xoxe.xoxb-1-bot","bot_user_id":"B1",)"
             R"("refresh_token":"xoxe-1-bot","expires_in":40000,"team":{"id":"T012","name":"Acme"}})"));
    BOOST_REQUIRE(made.slots.size() == 2u);
    BOOST_TEST(shown(made.slots[0].access_token) == "xoxe.xoxb-1-bot");
    BOOST_TEST(shown(made.slots[0].refresh_token) == "xoxe-1-bot");
    BOOST_TEST(seconds_after(*this, made.slots[0].ends_at) == 40000);
    BOOST_TEST((*made.slots[0].scopes == std::vector<std::string>{"chat:write", "commands"}));
    BOOST_TEST(made.slots[1].slot == 1u);
    BOOST_TEST(shown(made.slots[1].access_token) == "xoxe.xoxp-1-user");
    BOOST_TEST(shown(made.slots[1].refresh_token) == "xoxe-1-user");
    BOOST_TEST(seconds_after(*this, made.slots[1].ends_at) == 43200);
    BOOST_TEST(made.fields.front().text == "T012");
}

BOOST_AUTO_TEST_CASE(a_refresh_of_slacks_user_is_answered_where_a_single_token_lies) {
    rules.slots = {slot("", "bot"), slot("/authed_user", "user")};
    rules.slots[1].nested_in = "/authed_user";
    rules.account_at = "/team/name";
    const auto given = answer(
        200,
        R"({"ok":true,"access_token":"xoxe.xoxp-1-new","refresh_token":"xoxe-1-new","token_type":"user","team":{"name":"Acme"}})");
    const TokenSet made = tokens(given, 1);
    BOOST_REQUIRE(made.slots.size() == 1u);
    BOOST_TEST(made.slots[0].slot == 1u);
    BOOST_TEST(shown(made.slots[0].access_token) == "xoxe.xoxp-1-new");
    BOOST_TEST(made.account == "Acme");
    BOOST_TEST(tokens(given, 0).slots.front().slot == 0u);
}

BOOST_AUTO_TEST_CASE(github_answers_as_a_form_to_who_does_not_ask_for_json) {
    const auto form = "application/x-www-form-urlencoded; charset=utf-8";
    const TokenSet made = tokens(
        answer(200, "access_token=gho_16C7e42F292c6912E7710c838347Ae178B4a&scope=repo%2Cgist&token_type=bearer", form));
    BOOST_TEST(shown(made.slots[0].access_token) == "gho_16C7e42F292c6912E7710c838347Ae178B4a");
    BOOST_TEST((*made.slots[0].scopes == std::vector<std::string>{"repo", "gist"}));
    BOOST_TEST(!made.slots[0].ends_at.has_value()); // they do not expire
    rules.errors.rules = {{.status = 0, .error = "bad_refresh_token", .meaning = Meaning::definitive}};
    BOOST_TEST(refused(200, "error=bad_refresh_token&error_description=The+refresh+token+passed+is+incorrect", form) ==
               "definitive bad_refresh_token");
    BOOST_TEST(refused(200, "access_token=a&access_token=b", form) == "transient may be done");
    BOOST_TEST(refused(200, "access_token=%zz", form) == "transient may be done");
}

BOOST_AUTO_TEST_CASE(an_installation_token_of_a_github_app_ends_at_a_date) {
    catalog::TokenSlot installation;
    installation.access_token_at = "/token";
    installation.expires_at_at = "/expires_at";
    rules.slots = {installation};
    auto given = answer(201, R"({"token":"ghs_16C7e42F292c6912E7710c838347Ae178B4a",)"
                             R"("expires_at":"2026-11-25T13:00:00Z","permissions":{"issues":"write"}})");
    BOOST_TEST(seconds_after(*this, tokens(given).slots[0].ends_at) == 3600);
    given.date_ahead = 120s; // it counts by its own clock
    BOOST_TEST(seconds_after(*this, tokens(given).slots[0].ends_at) == 3480);
}

BOOST_AUTO_TEST_CASE(salesforce_does_not_say_when_a_token_ends_and_names_its_instance) {
    rules.clocks.access = 2h;
    rules.answer_fields = {{.field = instance, .at = "/instance_url", .parameter = {}, .url = {}},
                           {.field = host, .at = "/id", .parameter = {}, .url = {}}};
    const auto given = answer(
        200, R"({"access_token":"00Dxx0000001gPL!AR8AQJXg5oj8jXSgxJfA0lBog","refresh_token":"5Aep861TSESvWeug_",)"
             R"("signature":"x=","scope":"refresh_token api","instance_url":"https://acme.my.salesforce.com",)"
             R"("id":"https://login.salesforce.com/id/00Dxx0000001gPLEAY/005xx000001SwiUAAS",)"
             R"("token_type":"Bearer","issued_at":"1278448384422"})");
    const TokenSet made = tokens(given);
    BOOST_TEST(seconds_after(*this, made.slots[0].ends_at) == 7200);
    BOOST_REQUIRE(made.fields.size() == 2u); // the organization's id is in the token, and public all the same
    BOOST_TEST(made.fields[0].text == "https://acme.my.salesforce.com");
    rules.clocks.access = std::nullopt;
    BOOST_TEST(!tokens(given).slots[0].ends_at.has_value());
}

BOOST_AUTO_TEST_CASE(quickbooks_says_when_its_refresh_token_ends) {
    rules.slots[0].refresh_expires_in_at = "/x_refresh_token_expires_in";
    const TokenSet made =
        tokens(answer(200, R"({"x_refresh_token_expires_in":8726400,"refresh_token":"AB11","access_token":"ey.J",)"
                           R"("token_type":"bearer","expires_in":3600})"));
    BOOST_TEST(seconds_after(*this, made.slots[0].refresh_ends_at) == 8726400);
}

BOOST_AUTO_TEST_CASE(zoho_names_its_domain_and_keeps_the_refresh_token) {
    rules.answer_fields = {{.field = host, .at = "/api_domain", .parameter = {}, .url = {}}};
    const TokenSet made = tokens(
        answer(200, R"({"access_token":"1000.8cb99","expires_in_sec":3600,"api_domain":"https://www.zohoapis.eu",)"
                    R"("token_type":"Bearer","expires_in":3600})"));
    BOOST_TEST(made.slots[0].refresh_token.empty());
    BOOST_TEST(made.fields[0].text == "https://www.zohoapis.eu");
    rules.errors.rules = {{.status = 0, .error = "invalid_code", .meaning = Meaning::definitive},
                          {.status = 0, .error = "Access Denied", .meaning = Meaning::rate_limited}};
    BOOST_TEST(refused(200, R"({"error":"invalid_code"})") == "definitive invalid_code");
    BOOST_TEST(refused(400, R"({"error_description":"You have made too many requests","error":"Access Denied"})") ==
               "rate_limited Access Denied");
}

BOOST_AUTO_TEST_CASE(notion_gives_json_with_more_than_is_asked_for) {
    rules.answer_fields = {{.field = instance, .at = "/workspace_id", .parameter = {}, .url = {}}};
    const TokenSet made = tokens(answer(
        200,
        R"({"access_token":"ntn_1","token_type":"bearer","refresh_token":"nrt_2","bot_id":"b","workspace_name":"W",)"
        R"("workspace_id":"b1e2","owner":{"type":"user","user":{"object":"user","id":"u"}},"duplicated_template_id":null})"));
    BOOST_TEST(shown(made.slots[0].refresh_token) == "nrt_2");
    BOOST_TEST(made.fields[0].text == "b1e2");
}

BOOST_AUTO_TEST_CASE(a_value_that_is_shown_is_one_line_of_utf_8) {
    BOOST_TEST(is_public_value("Köln"));
    for (const char* other : {"", "a\nb", "\x7f", "\u009b31m", "\u202eoc.live", "\xff", "\xc3"})
        BOOST_TEST(!is_public_value(other), other);
}

BOOST_AUTO_TEST_CASE(numbers_may_come_as_text) {
    const auto ends = [&](std::string_view number) {
        const std::string body = R"({"access_token":"a","expires_in":)" + std::string(number) + "}";
        return seconds_after(*this, tokens(answer(200, body)).slots[0].ends_at);
    };
    BOOST_TEST(ends(R"("3600")") == 3600);
    BOOST_TEST(ends("3599.9") == 3599);
    BOOST_TEST(ends(R"("3600.0")") == 3600);
}

BOOST_AUTO_TEST_CASE(who_counts_in_whole_seconds_ends_a_life_at_one) {
    const Time whole = now;
    now += 999ms;
    rules.slots[0].refresh_expires_in_at = "/refresh_expires_in";
    const auto given =
        answer(200, R"({"access_token":"a","refresh_token":"r","expires_in":5,"refresh_expires_in":60})");
    const TokenSet made = tokens(given);
    BOOST_TEST((made.slots[0].ends_at == whole + 5s));
    BOOST_TEST((made.slots[0].refresh_ends_at == whole + 60s));
}

BOOST_AUTO_TEST_CASE(an_absurd_life_is_bounded_and_one_that_makes_no_sense_is_as_if_not_said) {
    rules.clocks.access = 30min;
    const auto ends = [&](std::string_view number) {
        const std::string body = R"({"access_token":"a","expires_in":)" + std::string(number) + "}";
        return seconds_after(*this, tokens(answer(200, body)).slots[0].ends_at);
    };
    constexpr long long ten_years = 3650ll * 24 * 3600;
    for (const char* huge : {"9223372036854775807", "18446744073709551615", "1e300", "99999999999"})
        BOOST_TEST(ends(huge) == ten_years, huge);
    for (const char* none :
         {"-1", "0", "-1e300", "null", "true", "[]", R"("")", R"("soon")", R"("99999999999999999999")"})
        BOOST_TEST(ends(none) == 1800, none);
}

BOOST_AUTO_TEST_CASE(an_end_that_has_passed_is_as_if_not_said) {
    rules.slots[0].expires_at_at = "/expires_at";
    const auto ends = [&](std::string_view value) {
        const std::string body = R"({"access_token":"a","expires_at":)" + std::string(value) + "}";
        return seconds_after(*this, tokens(answer(200, body)).slots[0].ends_at);
    };
    BOOST_TEST(ends("1795611600") == 3600);    // seconds
    BOOST_TEST(ends("1795611600000") == 3600); // milliseconds
    BOOST_TEST(ends(R"("1795611600")") == 3600);
    BOOST_TEST(ends("1") == -1);
    BOOST_TEST(ends(R"("2020-01-01T00:00:00Z")") == -1);
    BOOST_TEST(ends(R"("tomorrow")") == -1);
    BOOST_TEST(ends("9223372036854775807") == -1);
}

BOOST_AUTO_TEST_CASE(what_has_no_access_token_is_never_a_token_set) {
    for (const char* body :
         {"{}", R"({"refresh_token":"r","expires_in":1})", R"({"access_token":""})", R"({"access_token":null})",
          R"({"access_token":17})", R"({"access_token":{"a":"b"}})", R"([{"access_token":"a"}])", R"("access_token")",
          "", "null", "access_token=a", R"({"access_token":"a")", R"({"access_token":"a"}{)"}) {
        BOOST_TEST(refused(200, body) == "transient may be done", body);
    }
}

BOOST_AUTO_TEST_CASE(a_token_that_no_header_can_carry_is_none) {
    const auto with = [](std::string_view access, std::string_view refresh) {
        return R"({"access_token":")" + std::string(access) + R"(","refresh_token":")" + std::string(refresh) + "\"}";
    };
    for (const char* wrong : {"a\\nb", "a\\u0007", "caf\\u00e9", " a", "a ", "a\\u007f"}) {
        BOOST_TEST(refused(200, with(wrong, "r")) == "transient may be done", wrong);
        BOOST_TEST(refused(200, with("a", wrong)) == "transient may be done", wrong);
    }
    const std::string longest(wire::limits::oauth_token, 't');
    BOOST_TEST(shown(tokens(answer(200, with(longest, longest))).slots[0].access_token) == longest);
    BOOST_TEST(refused(200, with(longest + "t", "r")) == "transient may be done");
}

BOOST_AUTO_TEST_CASE(a_wrong_content_type_does_not_hide_a_token_but_a_page_is_none) {
    const auto body = R"({"access_token":"a","token_type":"bearer"})";
    for (const char* type : {"text/html", "text/plain;charset=UTF-8", "", "text/javascript"})
        BOOST_TEST(shown(tokens(answer(200, body, type)).slots[0].access_token) == "a", type);
    BOOST_TEST(shown(tokens(answer(200, "\xef\xbb\xbf " + std::string(body) + "\n")).slots[0].access_token) == "a");
    BOOST_TEST(refused(200, "<html>access_token=a&b=c</html>", "text/html") == "transient may be done");
}

BOOST_AUTO_TEST_CASE(json_that_is_too_deep_or_too_large_is_unreadable) {
    const std::string deep = R"({"access_token":"a","x":)" + std::string(20, '[') + std::string(20, ']') + "}";
    BOOST_TEST(refused(200, deep) == "transient may be done");
    std::string wide = R"({"access_token":"a","x":[)";
    for (int i = 0; i < 4000; ++i) wide += R"({"k":1},)";
    wide += "0]}";
    const auto given = answer(200, wide);
    BOOST_TEST(std::holds_alternative<Refusal>(read(given)));
}

BOOST_AUTO_TEST_CASE(an_answer_is_not_taken_for_a_bad_one_when_the_arena_is_full) {
    const auto given = answer(200, R"({"access_token":"a","refresh_token":"r"})");
    std::vector<secret::SecretBuffer> hoard;
    while (auto taken = secret::SecretBuffer::make(*arena, 64, secret::Share::tokens))
        hoard.push_back(std::move(*taken));
    const auto refused = read_answer(rules, {.secrets = secrets, .sent_at = now}, given, *arena);
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().code == result::ErrorCode::overloaded));
    hoard.clear();
    BOOST_TEST(shown(tokens(given).slots[0].refresh_token) == "r");
}

BOOST_AUTO_TEST_CASE(a_public_field_never_repeats_a_token) {
    const std::string token = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.x";
    rules.answer_fields = {{.field = instance, .at = "/instance_url", .parameter = {}, .url = {}}};
    const std::string body = R"({"access_token":")" + token + R"(","token_type":")" + token +
                             R"(","instance_url":"https://h.example/?t=)" + token + R"(","scope":"a )" + token + "\"}";
    const TokenSet made = tokens(answer(200, body));
    BOOST_TEST(made.fields.empty());
    BOOST_TEST(made.slots[0].token_type.empty());
    BOOST_TEST((*made.slots[0].scopes == std::vector<std::string>{"a"}));
}

BOOST_AUTO_TEST_CASE(an_answer_made_to_be_searched_for_long_is_read_at_once) {
    const auto repeated = [](std::string_view part, std::size_t size) {
        std::string made;
        while (made.size() < size) made += part;
        return made;
    };
    const auto token = repeated("aaaaaaaaaaaaaaab", 16000);
    const auto words = repeated(repeated("aaaaaaaaaaaaaaac", 1000) + " ", 60000);
    const std::string body =
        R"({"access_token":")" + token + R"(","refresh_token":")" + token + R"(","scope":")" + words + "\"}";
    const auto began = std::clock();
    BOOST_TEST(tokens(answer(200, body)).slots[0].scopes->size() == 60U);
    BOOST_TEST(std::clock() - began < CLOCKS_PER_SEC);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::oauth
