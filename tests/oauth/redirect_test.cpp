#define BOOST_TEST_DYN_LINK
#include "oauth/device.hpp"
#include "oauth/discovery.hpp"
#include "oauth/house.hpp"
#include "oauth/provider_text.hpp"
#include "oauth/redirect.hpp"

#include <string>

namespace credlease::oauth {
namespace {

using namespace std::chrono_literals;

struct Redirects : House {
    result::Result<Redirect> came(std::string_view address) const { return read_redirect(rules, address, *arena); }
    Redirect read(std::string_view address) const {
        auto made = came(address);
        BOOST_REQUIRE(made.has_value());
        return std::move(*made);
    }
    bool fits(std::string_view address, const Terms& terms = {}) const {
        return check_redirect(read(address), secret("the-state"), terms).has_value();
    }
};

BOOST_FIXTURE_TEST_SUITE(redirect, Redirects)

BOOST_AUTO_TEST_CASE(a_code_is_taken_from_a_query_or_a_pasted_address) {
    rules.answer_fields = {{.field = instance, .at = {}, .parameter = "realmId", .url = {}}};
    for (const char* address :
         {"code=a%2Fb%2Bc&state=the-state&realmId=4620816365", "?code=a/b%2Bc&state=the-state&realmId=4620816365&x=y",
          "  http://127.0.0.1:7466/oauth/callback?realmId=4620816365&state=the-state&code=a%2fb%2bc#_=_\n"}) {
        const Redirect made = read(address);
        BOOST_TEST(shown(made.code) == "a/b+c", address);
        BOOST_TEST(shown(made.state) == "the-state");
        BOOST_TEST(made.fields.at(0).text == "4620816365");
        BOOST_TEST(made.error.empty());
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_is_told_in_the_providers_cleaned_words) {
    const Redirect made = read("error=access_denied&error_description=The+user%0Asaid+no+to+the-state&state=the-state");
    BOOST_TEST(made.error.text() == "access_denied");
    BOOST_TEST(made.text.text() == "The user?said no to *********");
    BOOST_TEST(made.code.empty());
}

BOOST_AUTO_TEST_CASE(what_no_provider_sent_is_refused) {
    for (const char* wrong : {"", "?", "code=a", "state=s", "state=&code=a", "state=s&code=", "code=a&state=s&code=b",
                              "code=a&state=s&state=t", "code=a&state=s&error=x", "code=%zz&state=s", "code=%2",
                              "hello", "code=a&state=s&iss=%0a"}) {
        const auto made = came(wrong);
        BOOST_REQUIRE_MESSAGE(!made.has_value(), wrong);
        BOOST_TEST((made.error().code == result::ErrorCode::invalid_request));
    }
    BOOST_TEST(!came("state=s&code=" + std::string(17000, 'c')).has_value());
}

BOOST_AUTO_TEST_CASE(only_the_state_of_this_authorization_is_believed) {
    BOOST_TEST(fits("code=a&state=the-state"));
    BOOST_TEST(!fits("code=a&state=the-stat"));
    BOOST_TEST(!fits("code=a&state=The-state"));
    BOOST_TEST(!fits("error=access_denied&state=another"));
}

BOOST_AUTO_TEST_CASE(another_issuer_is_not_believed) {
    Terms known;
    known.issuer = "https://id.example";
    BOOST_TEST(fits("code=a&state=the-state&iss=https%3A%2F%2Fid.example", known));
    BOOST_TEST(!fits("code=a&state=the-state&iss=https%3A%2F%2Fevil.example", known)); // RFC 9207 §2.4
    BOOST_TEST(!fits("code=a&state=the-state&iss=https%3A%2F%2Fid.example%2F", known));
    BOOST_TEST(fits("code=a&state=the-state", known));
    known.sends_issuer = true;
    BOOST_TEST(!fits("code=a&state=the-state", known));
    BOOST_TEST(!fits("error=access_denied&state=the-state", known));
    BOOST_TEST(fits("code=a&state=the-state&iss=https%3A%2F%2Fid.example", {}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(discovery, House)

BOOST_AUTO_TEST_CASE(metadata_lie_where_both_standards_say) {
    using Urls = std::vector<std::string>;
    BOOST_TEST(
        (discovery_urls("https://id.example") == Urls{"https://id.example/.well-known/oauth-authorization-server",
                                                      "https://id.example/.well-known/openid-configuration"}));
    BOOST_TEST((discovery_urls("https://id.example/tenant/1/") ==
                Urls{"https://id.example/.well-known/oauth-authorization-server/tenant/1",
                     "https://id.example/tenant/1/.well-known/openid-configuration"}));
    for (const char* wrong : {"", "id.example", "http://id.example", "https://id.example?x", "https://u@id.example"})
        BOOST_TEST(discovery_urls(wrong).empty(), wrong);
    const auto request = discovery_request(discovery_urls("https://id.example")[0], *arena);
    BOOST_TEST((request->method == outbound::Method::get));
}

BOOST_AUTO_TEST_CASE(metadata_of_the_issuer_that_was_asked_give_its_endpoints) {
    const auto found = read_discovery(
        "https://id.example",
        answer(200, R"({"issuer":"https://id.example","authorization_endpoint":"https://id.example/a",)"
                    R"("token_endpoint":"https://id.example/t","revocation_endpoint":"https://id.example/r",)"
                    R"("device_authorization_endpoint":"https://id.example/d",)"
                    R"("authorization_response_iss_parameter_supported":true})"),
        *arena);
    BOOST_REQUIRE(found.has_value());
    BOOST_REQUIRE(found->has_value());
    BOOST_TEST((*found)->token_url == "https://id.example/t");
    BOOST_TEST((*found)->authorize_url == "https://id.example/a");
    BOOST_TEST((*found)->device_url == "https://id.example/d");
    BOOST_TEST((*found)->revoke_url == "https://id.example/r");
    BOOST_TEST((*found)->sends_issuer);
}

BOOST_AUTO_TEST_CASE(metadata_of_another_issuer_or_with_a_plain_endpoint_are_not_believed) {
    const auto read = [&](std::string_view body) {
        return read_discovery("https://id.example", answer(200, body), *arena);
    };
    BOOST_TEST(!read(R"({"issuer":"https://id.example/","token_endpoint":"https://id.example/t"})").has_value());
    BOOST_TEST(!read(R"({"issuer":"https://evil.example","token_endpoint":"https://id.example/t"})").has_value());
    BOOST_TEST(!read(R"({"issuer":"https://id.example","token_endpoint":"http://id.example/t"})").has_value());
    BOOST_TEST(!read(R"({"issuer":"https://id.example","token_endpoint":"https://id.example/t#x"})").has_value());
    for (const char* none : {"", "{}", "<html>", R"({"issuer":17})"}) {
        const auto found = read(none);
        BOOST_REQUIRE(found.has_value());
        BOOST_TEST(!found->has_value());
    }
    const auto missing =
        read_discovery("https://id.example", answer(404, R"({"issuer":"https://evil.example"})"), *arena);
    BOOST_REQUIRE(missing.has_value());
    BOOST_TEST(!missing->has_value());
}

BOOST_AUTO_TEST_SUITE_END()

struct Devices : House {
    std::variant<DeviceGrant, Refusal> began(unsigned status, std::string_view body) const {
        auto made = read_device_answer(rules, {.secrets = secrets, .sent_at = now}, answer(status, body), *arena);
        BOOST_REQUIRE(made.has_value());
        return std::move(*made);
    }
    Poll polled(unsigned status, std::string_view body) const { return poll_of(refusal(answer(status, body))); }
};

BOOST_FIXTURE_TEST_SUITE(device, Devices)

BOOST_AUTO_TEST_CASE(a_device_grant_says_what_a_person_types_where) {
    // RFC 8628 §3.2
    const auto made =
        began(200, R"({"device_code":"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS","user_code":"WDJB-MJHT",)"
                   R"("verification_uri":"https://example.com/device",)"
                   R"("verification_uri_complete":"https://example.com/device?user_code=WDJB-MJHT",)"
                   R"("expires_in":1800,"interval":7})");
    const auto& grant = std::get<DeviceGrant>(made);
    BOOST_TEST(shown(grant.device_code) == "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS");
    BOOST_TEST(grant.user_code == "WDJB-MJHT");
    BOOST_TEST(grant.verification_uri == "https://example.com/device");
    BOOST_TEST(grant.verification_uri_complete == "https://example.com/device?user_code=WDJB-MJHT");
    BOOST_TEST(seconds_after(*this, grant.ends_at) == 1800);
    BOOST_TEST((grant.interval == 7s));
}

BOOST_AUTO_TEST_CASE(googles_name_is_understood_and_what_is_not_said_is_the_standards) {
    const auto made =
        began(200, R"({"device_code":"d","user_code":"u","verification_url":"https://www.google.com/device"})");
    const auto& grant = std::get<DeviceGrant>(made);
    BOOST_TEST(grant.verification_uri == "https://www.google.com/device");
    BOOST_TEST((grant.interval == 5s));
    BOOST_TEST(seconds_after(*this, grant.ends_at) == 600);
    const auto hasty =
        began(200, R"({"device_code":"d","user_code":"u","verification_uri":"https://h.example","interval":0,)"
                   R"("expires_in":-1})");
    BOOST_TEST((std::get<DeviceGrant>(hasty).interval == 1s));
}

BOOST_AUTO_TEST_CASE(an_answer_without_a_code_or_a_place_to_type_it_is_a_refusal) {
    for (const char* wrong : {R"({"device_code":"d","user_code":"u","verification_uri":"javascript:x"})",
                              R"({"device_code":"d","user_code":"u","verification_uri":"http://h.example"})",
                              R"({"device_code":"d","user_code":"\u001b[2J","verification_uri":"https://h.example"})",
                              R"({"user_code":"u","verification_uri":"https://h.example"})", "{}", "<html>"}) {
        BOOST_TEST(std::holds_alternative<Refusal>(began(200, wrong)), wrong);
    }
    BOOST_TEST(std::get<Refusal>(began(400, R"({"error":"invalid_scope"})")).code.text() == "invalid_scope");
}

BOOST_AUTO_TEST_CASE(a_device_answer_that_repeats_a_secret_of_the_exchange_shows_it_to_nobody) {
    secrets.push_back(secret("client/secret:0123456789"));
    const std::string places = R"("verification_uri":"https://h.example")";
    const std::vector<std::string> answers = {
        R"("user_code":"client/secret:0123456789",)" + places, R"("user_code":"device-code-0123456789",)" + places,
        R"("user_code":"u","verification_uri":"https://h.example/client/secret:0123")",
        R"("user_code":"u","verification_uri":"https://h.example/?client%2Fsecret%3A01234")"};
    for (const auto& wrong : answers) {
        const auto made = began(200, R"({"device_code":"device-code-0123456789",)" + wrong + "}");
        BOOST_TEST(std::holds_alternative<Refusal>(made), wrong);
    }
    const auto made = began(200, R"({"device_code":"d","user_code":"u","verification_uri":"https://h.example",)"
                                 R"("verification_uri_complete":"https://h.example/client/secret:0123456789"})");
    BOOST_TEST(std::get<DeviceGrant>(made).verification_uri_complete.empty());
    const std::string far(2000, '-'); // behind what is decoded at a time
    BOOST_TEST(Repeats(secrets, {}).are_in(far + "client%2fsecret%3a0123456789" + far));
    BOOST_TEST(!Repeats(secrets, {}).are_in(far + "client%2fsecret%3a" + far));
}

BOOST_AUTO_TEST_CASE(a_poll_goes_on_until_a_person_has_spoken) {
    BOOST_TEST((polled(400, R"({"error":"authorization_pending"})") == Poll::pending));
    BOOST_TEST((polled(200, R"({"error":"authorization_pending"})") == Poll::pending)); // GitHub
    BOOST_TEST((polled(428, R"({"error":"authorization_pending"})") == Poll::pending)); // Google
    BOOST_TEST((polled(400, R"({"error":"slow_down"})") == Poll::slow_down));
    BOOST_TEST((polled(429, "") == Poll::slow_down));
    BOOST_TEST((polled(403, R"({"error":"access_denied"})") == Poll::denied));
    BOOST_TEST((polled(400, R"({"error":"expired_token"})") == Poll::expired));
    BOOST_TEST((polled(400, R"({"error":"invalid_grant"})") == Poll::failed));
    BOOST_TEST((polled(401, R"({"error":"invalid_client"})") == Poll::failed));
    BOOST_TEST((polled(400, R"({"error":"unsupported_grant_type"})") == Poll::failed));
    BOOST_TEST((polled(503, "") == Poll::pending));
    BOOST_TEST((poll_of(refusal_of(outbound::Failed{})) == Poll::pending));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::oauth
