#define BOOST_TEST_DYN_LINK
#include "crypto/one_time.hpp"
#include "oauth/answer_fields.hpp"
#include "oauth/discovery.hpp"
#include "oauth/house.hpp"

#include <algorithm>

namespace credlease::oauth {
namespace {

struct Requests : House {
    Authorization authorization() const {
        const Terms made = terms();
        auto begun = make_authorization({.rules = rules, .terms = made, .values = values, .arena = *arena},
                                        "http://127.0.0.1:7466/oauth/callback");
        BOOST_REQUIRE(begun.has_value());
        return std::move(*begun);
    }
    Prepared refresh() const {
        return prepared([&](const Client& client) { return refresh_request(client, secret("old refresh&token")); });
    }
};

BOOST_FIXTURE_TEST_SUITE(requests, Requests)

BOOST_AUTO_TEST_CASE(an_authorization_asks_for_a_code_with_state_and_pkce) {
    values.set_public(scopes, std::vector<std::string>{"read:user", "offline_access"});
    rules.authorize_parameters = {parameter("prompt", "consent"), parameter("hint", "{host}")};
    const Authorization begun = authorization();
    const std::string url = shown(begun.url);
    BOOST_TEST(url.starts_with("https://id.example/authorize?response_type=code&client_id=app&redirect_uri="
                               "http%3A%2F%2F127.0.0.1%3A7466%2Foauth%2Fcallback&scope=read%3Auser%20offline_access&"));
    const auto query = parameters_of(std::string_view(url).substr(url.find('?') + 1));
    BOOST_TEST(shown(begun.state).size() == 43u); // 256 bits
    BOOST_TEST(shown(begun.verifier).size() == 43u);
    BOOST_TEST(query.at("state") == shown(begun.state));
    BOOST_TEST(query.at("code_challenge") == crypto::challenge_of(begun.verifier));
    BOOST_TEST(query.at("code_challenge_method") == "S256");
    BOOST_TEST(query.at("prompt") == "consent");
    BOOST_TEST(!query.contains("hint")); // its field is not set
    BOOST_TEST(!url.contains(shown(begun.verifier)));
    BOOST_TEST(shown(begun.state) != shown(authorization().state));
}

BOOST_AUTO_TEST_CASE(pkce_is_off_only_where_the_entry_says_so) {
    rules.pkce = false;
    const Authorization begun = authorization();
    BOOST_TEST(begun.verifier.empty());
    BOOST_TEST(!shown(begun.url).contains("code_challenge"));
}

BOOST_AUTO_TEST_CASE(scopes_have_the_entrys_separator_and_name_and_a_query_is_kept) {
    rules.authorize_url = text("https://id.example/authorize?owner=user");
    rules.scope_separator = ",";
    rules.scope_parameter = "user_scope";
    rules.default_scopes = {"a", "b"};
    const std::string url = shown(authorization().url);
    BOOST_TEST(url.starts_with("https://id.example/authorize?owner=user&response_type=code&"));
    BOOST_TEST(url.contains("&user_scope=a%2Cb&"));
}

BOOST_AUTO_TEST_CASE(the_entrys_own_scopes_are_asked_for_besides_the_credentials) {
    rules.default_scopes = {"offline_access", "mail"};
    values.set_public(*rules.scopes, std::vector<std::string>{"mail", "files"});
    BOOST_TEST(shown(authorization().url).contains("&scope=mail%20files%20offline_access&"));
}

BOOST_AUTO_TEST_CASE(a_secret_never_goes_through_the_browser) {
    rules.authorize_parameters = {parameter("x", "{client_secret}")};
    BOOST_TEST(!shown(authorization().url).contains("s3cr3t"));
    rules.authorize_url = text("https://id.example/{client_secret}");
    BOOST_TEST(!try_terms().has_value());
}

BOOST_AUTO_TEST_CASE(a_code_is_exchanged_with_its_verifier_and_redirect) {
    const Prepared made = prepared([&](const Client& client) {
        return code_request(client, secret("the/code"), secret("the-verifier"), "http://127.0.0.1:1/cb");
    });
    BOOST_TEST((made.request.method == outbound::Method::post));
    BOOST_TEST(made.request.url == "https://id.example/token");
    BOOST_TEST(made.request.content_type == "application/x-www-form-urlencoded");
    BOOST_TEST(shown(made.request.body) == "grant_type=authorization_code&code=the%2Fcode&redirect_uri="
                                           "http%3A%2F%2F127.0.0.1%3A1%2Fcb&code_verifier=the-verifier");
    BOOST_TEST(header(made, "Accept") == "application/json");
}

BOOST_AUTO_TEST_CASE(basic_authentication_form_encodes_both_parts_first) {
    // RFC 6749 §2.3.1: "app:s3cr3t%2F%2B"
    BOOST_TEST(header(refresh(), "Authorization") == "Basic YXBwOnMzY3IzdCUyRiUyQg==");
    BOOST_TEST(shown(refresh().request.body) == "grant_type=refresh_token&refresh_token=old%20refresh%26token");
}

BOOST_AUTO_TEST_CASE(post_sends_the_client_in_the_body_and_none_its_id_alone) {
    rules.client_auth.value = catalog::ClientAuth::post;
    BOOST_TEST(shown(refresh().request.body) ==
               "grant_type=refresh_token&refresh_token=old%20refresh%26token&client_id=app&"
               "client_secret=s3cr3t%2F%2B");
    BOOST_TEST(header(refresh(), "Authorization") == "none");
    rules.client_auth.value = catalog::ClientAuth::none;
    BOOST_TEST(shown(refresh().request.body) ==
               "grant_type=refresh_token&refresh_token=old%20refresh%26token&client_id=app");
}

BOOST_AUTO_TEST_CASE(a_client_without_its_secret_is_a_public_one) {
    values = Values();
    values.set_public(client_id, std::string("app"));
    BOOST_TEST(header(refresh(), "Authorization") == "none");
    BOOST_TEST(shown(refresh().request.body).ends_with("&client_id=app"));
}

BOOST_AUTO_TEST_CASE(a_secret_key_may_be_the_user_of_basic_authentication) {
    rules.secret_is_user = true; // Stripe
    BOOST_TEST(header(refresh(), "Authorization") == "Basic czNjcjN0JTJGJTJCOg==");
}

BOOST_AUTO_TEST_CASE(a_json_body_and_the_entrys_headers_are_sent_where_the_entry_says_so) {
    rules.body = catalog::BodyFormat::json;
    rules.headers = {parameter("Notion-Version", "2022-06-28"), parameter("accept", "text/json")};
    rules.refresh_parameters = {parameter("expires_in", "7200")};
    const Prepared made = refresh();
    BOOST_TEST(made.request.content_type == "application/json");
    BOOST_TEST(shown(made.request.body) ==
               R"({"grant_type":"refresh_token","refresh_token":"old refresh&token","expires_in":"7200"})");
    BOOST_TEST(header(made, "Notion-Version") == "2022-06-28");
    BOOST_TEST(header(made, "accept") == "text/json");
    BOOST_TEST(header(made, "Accept") == "none");
}

BOOST_AUTO_TEST_CASE(the_entrys_parameters_may_replace_a_standard_one) {
    rules.grant_type = "account_credentials"; // Zoom
    rules.default_scopes = {"a"};
    rules.token_parameters = {parameter("scope", "b"), parameter("account_id", "{host}")};
    values.set_public(host, std::string("A1"));
    const Prepared made = prepared([](const Client& client) { return client_credentials_request(client); });
    BOOST_TEST(shown(made.request.body) == "grant_type=account_credentials&scope=b&account_id=A1");
}

BOOST_AUTO_TEST_CASE(a_request_remembers_the_secrets_that_it_carries) {
    rules.client_auth.value = catalog::ClientAuth::post;
    std::vector<std::string> kept;
    for (const auto& each : refresh().secrets) kept.push_back(shown(each));
    BOOST_TEST((kept == std::vector<std::string>{"old refresh&token", "s3cr3t/+"}));
    rules.client_auth.value = catalog::ClientAuth::basic;
    kept.clear();
    for (const auto& each : refresh().secrets) kept.push_back(shown(each));
    std::ranges::sort(kept);
    BOOST_TEST((kept == std::vector<std::string>{"Basic YXBwOnMzY3IzdCUyRiUyQg==", "old refresh&token", "s3cr3t/+"}));
}

BOOST_AUTO_TEST_CASE(only_what_does_no_harm_when_it_comes_twice_may_be_repeated) {
    using enum catalog::RefreshClass;
    for (const auto refresh_class : {fixed, rotating, single_use, single_use_grace, kills_access_token, none}) {
        rules.refresh_class.value = refresh_class;
        BOOST_TEST_CONTEXT(catalog::name_of(refresh_class))
        BOOST_TEST(refresh().request.may_be_repeated == (refresh_class == fixed || refresh_class == rotating));
    }
    rules.refresh_class.value = fixed;
    const auto is_repeated = [&](const auto& make) { return prepared(make).request.may_be_repeated; };
    BOOST_TEST(is_repeated([](const Client& client) { return client_credentials_request(client); }));
    BOOST_TEST(is_repeated(
        [&](const Client& client) { return field_request(client, "https://id.example/sites", secret("at")); }));
    BOOST_TEST(discovery_request("https://id.example/x", *arena)->may_be_repeated);
    BOOST_TEST(!is_repeated(
        [&](const Client& client) { return code_request(client, secret("c"), secret("v"), "http://127.0.0.1:1/cb"); }));
    BOOST_TEST(!is_repeated([](const Client& client) { return device_request(client); }));
    BOOST_TEST(!is_repeated([&](const Client& client) { return device_poll_request(client, secret("d")); }));
    rules.revocation.emplace().url = text("https://id.example/revoke");
    for (const auto kind : {TokenKind::access, TokenKind::refresh}) {
        BOOST_TEST(!is_repeated([&](const Client& client) { return revoke_request(client, secret("t"), kind); }));
    }
}

BOOST_AUTO_TEST_CASE(a_device_is_authorized_and_polled_for) {
    rules.client_auth.value = catalog::ClientAuth::post;
    rules.default_scopes = {"repo", "gist"};
    const Prepared begun = prepared([](const Client& client) { return device_request(client); });
    BOOST_TEST(begun.request.url == "https://id.example/device");
    BOOST_TEST(shown(begun.request.body) == "scope=repo%20gist&client_id=app&client_secret=s3cr3t%2F%2B");
    const Prepared polled =
        prepared([&](const Client& client) { return device_poll_request(client, secret("dev code")); });
    BOOST_TEST(shown(polled.request.body) ==
               "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=dev%20code&client_id=app&"
               "client_secret=s3cr3t%2F%2B");
}

BOOST_AUTO_TEST_CASE(a_revocation_sends_what_the_entry_takes) {
    rules.revocation.emplace().url = text("https://id.example/revoke");
    const Prepared made =
        prepared([&](const Client& client) { return revoke_request(client, secret("tok"), TokenKind::refresh); });
    BOOST_TEST(made.request.url == "https://id.example/revoke");
    BOOST_TEST(shown(made.request.body) == "token=tok&token_type_hint=refresh_token");
    BOOST_TEST(header(made, "Authorization").starts_with("Basic "));
    rules.revocation->token_parameter = "refresh_token";
    rules.revocation->body = catalog::BodyFormat::json;
    rules.revocation->auth = catalog::ClientAuth::post;
    const Prepared other =
        prepared([&](const Client& client) { return revoke_request(client, secret("tok"), TokenKind::refresh); });
    BOOST_TEST(shown(other.request.body) == R"({"refresh_token":"tok","client_id":"app","client_secret":"s3cr3t/+"})");
    BOOST_TEST((other.request.method == outbound::Method::post));
}

BOOST_AUTO_TEST_CASE(a_revocation_may_be_a_delete_and_the_token_its_bearer) {
    rules.revocation.emplace().url = text("https://id.example/token");
    rules.revocation->is_delete = true;
    rules.revocation->is_bearer = true;
    const Prepared made =
        prepared([&](const Client& client) { return revoke_request(client, secret("tok"), TokenKind::access); });
    BOOST_TEST((made.request.method == outbound::Method::del));
    BOOST_TEST(header(made, "Authorization") == "Bearer tok");
    BOOST_TEST(made.request.body.empty());
    BOOST_TEST(made.request.content_type.empty());
}

BOOST_AUTO_TEST_CASE(a_grant_is_refreshed_with_the_parameters_that_its_terms_keep) {
    rules.refresh_parameters = {parameter("expires_in", "7200")};
    Terms kept = terms();
    BOOST_TEST(kept.refresh_parameters.at("expires_in") == "7200");
    kept.refresh_parameters = {{"expires_in", "1800"}};
    const auto made = refresh_request({.rules = rules, .terms = kept, .values = values, .arena = *arena}, secret("r"));
    BOOST_REQUIRE(made.has_value());
    BOOST_TEST(shown(made->request.body).contains("expires_in=1800"));
}

BOOST_AUTO_TEST_CASE(a_field_is_asked_for_with_the_token_and_read_from_a_list) {
    rules.answer_fields.push_back(
        {.field = instance, .at = "/0/url", .parameter = {}, .url = text("https://id.example/sites")});
    BOOST_TEST((field_urls(rules, values) == std::vector<std::string>{"https://id.example/sites"}));
    const Prepared made = prepared(
        [&](const Client& client) { return field_request(client, "https://id.example/sites", secret("tok")); });
    BOOST_TEST((made.request.method == outbound::Method::get));
    BOOST_TEST(header(made, "Authorization") == "Bearer tok");
    outbound::Answer answer;
    answer.status = 200;
    answer.body = secret(R"([{"url":"https://acme.example"}])");
    const auto read = read_fields(rules, values, "https://id.example/sites", made.secrets, answer, *arena);
    BOOST_REQUIRE((read.has_value() && read->size() == 1U));
    BOOST_TEST(read->front().text == "https://acme.example");
    answer.status = 503;
    BOOST_TEST(read_fields(rules, values, "https://id.example/sites", made.secrets, answer, *arena)->empty());
    values.set_public(instance, std::string("https://acme.example"));
    BOOST_TEST(field_urls(rules, values).empty());
}

BOOST_AUTO_TEST_CASE(what_the_service_does_not_offer_is_refused) {
    rules.device_url = std::nullopt;
    const Terms made = terms();
    const Client client{.rules = rules, .terms = made, .values = values, .arena = *arena};
    const auto device = device_request(client);
    BOOST_REQUIRE(!device.has_value());
    BOOST_TEST((device.error().code == result::ErrorCode::invalid_request));
    const auto revoke = revoke_request(client, secret("t"), TokenKind::access);
    BOOST_TEST(!revoke.has_value());
    const auto assertion = jwt_bearer_request(client, now);
    BOOST_REQUIRE(!assertion.has_value());
    BOOST_TEST(assertion.error().field.text() == "fields.private_key");
    Terms silent = made;
    silent.authorize_url.clear();
    const Client nowhere{.rules = rules, .terms = silent, .values = values, .arena = *arena};
    const auto consent = make_authorization(nowhere, "https://broker.example/oauth/callback");
    BOOST_REQUIRE(!consent.has_value());
    BOOST_TEST(consent.error().detail().contains("authorize_url"));
}

BOOST_AUTO_TEST_CASE(a_field_in_a_url_never_decides_of_its_host) {
    rules.token_url = text("https://{host}.zendesk.com/oauth/tokens");
    for (const char* wrong : {"evil.example/", "evil.example#", "a@evil.example", "a:1", "a?b", "", "a b"}) {
        values.set_public(host, std::string(wrong));
        BOOST_TEST(!try_terms().has_value(), wrong);
    }
    values.set_public(host, std::string("acme-1"));
    BOOST_TEST(terms().token_url == "https://acme-1.zendesk.com/oauth/tokens");
    rules.token_url = text("{host}/oauth/token"); // all of the URL's beginning: a GitLab of one's own
    values.set_public(host, std::string("https://git.example:8443"));
    BOOST_TEST(terms().refresh_url == "https://git.example:8443/oauth/token");
    values.set_public(host, std::string("http://git.example"));
    BOOST_TEST(!try_terms().has_value());
    values.set_public(host, std::string("http://127.0.0.1:9"));
    BOOST_TEST(terms().token_url == "http://127.0.0.1:9/oauth/token");
}

BOOST_AUTO_TEST_CASE(a_field_that_makes_a_wrong_url_or_is_missing_in_the_token_url_is_named) {
    const auto field_of = [](const auto& made) { return made ? std::string("none") : made.error().field.text(); };
    rules.token_url = text("{host}");
    BOOST_TEST(field_of(try_terms()) == "fields.host");
    BOOST_TEST(field_of(check_places(type(), values, true)) == "fields.host");
    BOOST_TEST(check_places(type(), values, false).has_value()); // the organization's client may say it
    rules.issuer = text("{instance}");
    values.set_public(instance, std::string("http://id.example"));
    BOOST_TEST(field_of(check_places(type(), values, false)) == "fields.instance");
    values.set_public(instance, std::string("https://id.example"));
    BOOST_TEST(check_places(type(), values, true).has_value());
    values.set_public(host, std::string("http://id.example/token"));
    BOOST_TEST(field_of(try_terms()) == "fields.host");
    BOOST_TEST(field_of(check_places(type(), values, false)) == "fields.host");
}

BOOST_AUTO_TEST_CASE(where_a_default_fills_the_token_url_nothing_is_missing) {
    rules.token_url = text("{host}/token");
    auth.fields[host].default_value = std::string("https://id.example");
    BOOST_TEST(check_places(type(), values, true).has_value());
}

BOOST_AUTO_TEST_CASE(fields_choose_where_the_entry_lets_them) {
    rules.client_auth.field = host;
    rules.refresh_class.field = instance;
    values.set_public(host, std::string("post"));
    values.set_public(instance, std::string("single_use"));
    BOOST_TEST((terms().client_auth == catalog::ClientAuth::post));
    BOOST_TEST((terms().refresh_class == catalog::RefreshClass::single_use));
    values.set_public(instance, std::string("sometimes"));
    BOOST_TEST(!try_terms().has_value());
}

BOOST_AUTO_TEST_CASE(what_was_discovered_fills_what_the_entry_leaves_out) {
    rules.token_url = std::nullopt;
    rules.authorize_url = text("{host}");
    rules.issuer = text("https://id.example");
    BOOST_TEST(!try_terms().has_value());
    const Discovered found{.issuer = "https://id.example",
                           .authorize_url = "https://id.example/a",
                           .token_url = "https://id.example/t",
                           .device_url = "https://id.example/d",
                           .revoke_url = "https://id.example/r"};
    const auto made = try_terms(&found);
    BOOST_REQUIRE(made.has_value());
    BOOST_TEST(made->authorize_url == "https://id.example/a");
    BOOST_TEST(made->token_url == "https://id.example/t");
    BOOST_TEST(made->refresh_url == "https://id.example/t");
    BOOST_TEST(made->revoke_url == "https://id.example/r");
    BOOST_TEST(made->device_url == "https://id.example/device"); // the entry's own word goes first
}

BOOST_AUTO_TEST_CASE(what_another_issuer_said_fills_nothing) {
    rules.token_url = std::nullopt;
    Discovered found;
    found.issuer = "https://id.example";
    found.token_url = "https://id.example/t";
    rules.issuer = text("https://other.example");
    BOOST_TEST(!try_terms(&found).has_value());
    rules.issuer = std::nullopt;
    BOOST_TEST(!try_terms(&found).has_value());
    rules.issuer = text("https://id.example");
    BOOST_TEST(try_terms(&found).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::oauth
