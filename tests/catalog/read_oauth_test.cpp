#define BOOST_TEST_DYN_LINK
#include "catalog/catalog.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>

namespace credlease::catalog {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

struct Read {
    Service service = [] {
        std::ifstream file(CATALOG_TEST_FOLDER "/oauth_cases.json", std::ios::binary);
        const auto told = json::parse(std::string{std::istreambuf_iterator<char>(file), {}});
        auto read = read_service(json::serialize(told.at("base")), "acme.json");
        BOOST_REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().detail()));
        return std::move(*read);
    }();
    const AuthType& auth = service.auth_types.front();
    const OAuth& oauth = *auth.oauth;
    [[nodiscard]] const std::string& name(std::optional<std::size_t> field) const {
        return auth.fields.at(field.value()).name;
    }
};

BOOST_FIXTURE_TEST_SUITE(reading_oauth, Read)

BOOST_AUTO_TEST_CASE(sources_and_what_is_unconfirmed_are_kept) {
    BOOST_TEST(service.sources == std::vector<std::string>{"https://docs.acme.example/oauth"},
               boost::test_tools::per_element());
    BOOST_TEST(service.unconfirmed == std::vector<std::string>{"The grace is not said."},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(flows_endpoints_and_client_are_read) {
    BOOST_TEST((oauth.flow.value == Flow::authorization_code && !oauth.flow.field));
    BOOST_TEST(
        (oauth.flows == std::vector{Flow::authorization_code, Flow::device, Flow::jwt_bearer, Flow::refresh_token}));
    for (const auto* url :
         {&oauth.issuer, &oauth.authorize_url, &oauth.token_url, &oauth.refresh_url, &oauth.device_url}) {
        BOOST_TEST(url->has_value());
    }
    BOOST_TEST(oauth.has_chosen_host); // the issuer's
    BOOST_TEST(name(oauth.client_id) == "client_id");
    BOOST_TEST(name(oauth.client_secret) == "client_secret");
    BOOST_TEST(!auth.fields[*oauth.client_secret].leased);
    BOOST_TEST(name(oauth.scopes) == "scopes");
    BOOST_TEST(name(oauth.private_key) == "key");
    BOOST_TEST((oauth.client_auth.value == ClientAuth::basic));
    BOOST_TEST(oauth.secret_is_user);
    BOOST_TEST((oauth.revocation->auth == ClientAuth::post));
    BOOST_TEST((oauth.revocation->body == BodyFormat::json));
    BOOST_TEST(oauth.revocation->token_parameter == "access_token");
    BOOST_TEST(oauth.revocation->by_access_token);
    BOOST_TEST(oauth.revocation->is_delete);
    BOOST_TEST(!oauth.revocation->is_bearer);
    BOOST_TEST(oauth.jwt.has_id);
}

BOOST_AUTO_TEST_CASE(a_chosen_class_is_its_fields_default_until_the_field_says_otherwise) {
    BOOST_TEST(name(oauth.refresh_class.field) == "kind");
    BOOST_TEST((oauth.refresh_class.value == RefreshClass::rotating));
    BOOST_TEST((find_value<RefreshClass>("static") == RefreshClass::fixed));
    BOOST_TEST(name_of(RefreshClass::fixed) == "static");
    BOOST_TEST(!find_value<RefreshClass>("fixed").has_value());
}

BOOST_AUTO_TEST_CASE(what_requests_are_made_from_is_read) {
    BOOST_TEST(!oauth.pkce);
    BOOST_TEST(!oauth.pkce_reason.empty());
    BOOST_TEST((oauth.body == BodyFormat::json));
    BOOST_TEST(oauth.scope_separator == ",");
    BOOST_TEST(oauth.scope_parameter == "scopes");
    BOOST_TEST(oauth.default_scopes.size() == 2u);
    BOOST_TEST(oauth.authorize_parameters[1].name == "tenant");
    BOOST_TEST(oauth.authorize_parameters[1].value.needs == 0b100u);
    BOOST_TEST(oauth.token_parameters.size() == 1u);
    BOOST_TEST(oauth.refresh_parameters.size() == 1u);
    BOOST_TEST(oauth.headers[0].name == "Acme-Version");
    BOOST_TEST(auth.fields[2].in_header); // so that its values are checked
    BOOST_TEST(oauth.jwt_claims[0].name == "iss");
    BOOST_TEST(oauth.jwt.headers[0].name == "kid");
    BOOST_TEST(oauth.jwt.scope_claim == "scope");
    BOOST_TEST((oauth.jwt.lifetime == 9min));
    BOOST_TEST((oauth.jwt.backdated == 60s));
    BOOST_TEST(oauth.jwt.is_bearer);
}

BOOST_AUTO_TEST_CASE(slots_and_answer_fields_are_read) {
    const TokenSlot& bot = oauth.slots[0];
    BOOST_TEST(bot.name == "bot");
    BOOST_TEST(name(bot.access_token) == "access_token");
    BOOST_TEST(name(bot.token_type) == "token_type");
    BOOST_TEST(bot.refresh_expires_in_at == "/refresh_expires_in");
    BOOST_TEST(place_in_refresh(bot, bot.refresh_token_at) == "/refresh_token");
    const TokenSlot& user = oauth.slots[1];
    BOOST_TEST(!user.token_type.has_value());
    BOOST_TEST(user.expires_at_at == "/user/expires_at");
    BOOST_TEST(place_in_refresh(user, user.refresh_token_at) == "/refresh_token");
    BOOST_TEST(place_in_refresh(user, user.scope_at).empty());
    BOOST_TEST(name(oauth.answer_fields[0].field) == "instance");
    BOOST_TEST(oauth.answer_fields[0].at == "/instance_url");
    BOOST_TEST(oauth.answer_fields[1].parameter == "realmId");
    BOOST_TEST(oauth.answer_fields[2].url.has_value());
    BOOST_TEST(oauth.account_at == "/team/name");
}

BOOST_AUTO_TEST_CASE(clocks_and_budgets_are_read) {
    const Clocks& clocks = oauth.clocks;
    BOOST_TEST((clocks.access == 1h && clocks.refresh_idle == 24h * 60 && clocks.refresh_absolute == 24h * 365));
    BOOST_TEST((clocks.client_secret == 24h * 730 && clocks.grace == 30min && clocks.margin == 5min));
    BOOST_TEST((clocks.access_after_refresh == 10min));
    BOOST_TEST(oauth.budget.requests == 10u);
    BOOST_TEST((oauth.budget.per == 10min));
    BOOST_TEST(oauth.budget.at_once == 2u);
    BOOST_TEST(oauth.grant_budget->requests == 5u);
    BOOST_TEST(oauth.grants_per_account == 20u);
}

BOOST_AUTO_TEST_CASE(error_rules_keep_their_order_and_the_common_ones_come_last) {
    const Errors& errors = oauth.errors;
    BOOST_TEST(errors.at == "/status");
    BOOST_TEST(errors.sub_at == "/sub/0");
    BOOST_TEST(errors.text_at == "/message");
    BOOST_TEST(errors.ok_at == "/ok");
    std::string told;
    for (const ErrorRule& rule : errors.rules) {
        told += std::to_string(rule.status) + " " + rule.error + (rule.sub_error.empty() ? "" : "/" + rule.sub_error) +
                " " + std::string(name_of(rule.meaning)) + "\n";
    }
    BOOST_TEST(told == "400 invalid_grant/busy transient\n"
                       "0 invalid_grant definitive\n"
                       "0 slow rate_limited\n"
                       "400 early too_early\n"
                       "403 * client\n"
                       "429 * rate_limited\n"
                       "0 invalid_grant definitive\n"
                       "0 invalid_client client\n"
                       "0 unauthorized_client client\n");
}

BOOST_AUTO_TEST_SUITE_END()

/// Whether a token URL lets a field decide its whole host.
bool is_chosen(std::string_view url, bool has_choices = false) {
    json::value entry = json::parse(
        R"({"id":"acme","name":"A","auth":[{"name":"oauth2","label":"O","fields":[
        {"name":"client_id","type":"string","label":"C"},
        {"name":"site","type":"string","format":"url","label":"S","destination":true},
        {"name":"host","type":"string","format":"host","label":"H","destination":true},
        {"name":"access_token","type":"string","label":"T","secret":true,"source":"tokens"}],
        "oauth":{"flow":"refresh_token","client_auth":"none","refresh_class":"static","client_id":"client_id",
        "slots":[{"name":"main","access_token":"access_token","access_token_at":"/t","refresh_token_at":"/r"}]}}]})");
    entry.at_pointer("/auth/0/oauth").as_object()["token_url"] = url;
    if (has_choices) entry.at_pointer("/auth/0/fields/2").as_object()["choices"] = {"a.example", "b.example"};
    const auto read = read_service(json::serialize(entry), "acme.json");
    BOOST_REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().detail()));
    return read->auth_types.front().oauth->has_chosen_host;
}

BOOST_AUTO_TEST_CASE(who_decides_a_whole_host_is_known) {
    BOOST_TEST(is_chosen("{site}/token"));
    BOOST_TEST(is_chosen("https://{host}/token"));
    BOOST_TEST(is_chosen("https://login.{host}/token"));
    BOOST_TEST(is_chosen("https://{host}.com/token"));
    BOOST_TEST(is_chosen("https://x{host}acme.example.com/token"));
    BOOST_TEST(!is_chosen("https://{host}.acme.example/token"));
    BOOST_TEST(!is_chosen("https://{host}/token", true));
    BOOST_TEST(!is_chosen("https://acme.example/{host}/token"));
    BOOST_TEST(!is_chosen("https://acme.example/token"));
}

BOOST_AUTO_TEST_CASE(the_example_of_the_documentation_is_an_entry) {
    std::ifstream file(CATALOG_TEST_FOLDER "/../../docs/catalog.md", std::ios::binary);
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const std::size_t begin = page.find("```json\n") + 8;
    const auto read = read_service(page.substr(begin, page.find("```", begin) - begin), "acme.json");
    BOOST_TEST(read.has_value(), (read ? "" : read.error().detail()));
}

} // namespace
} // namespace credlease::catalog
