#define BOOST_TEST_DYN_LINK
#include "catalog/catalog.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <span>

namespace credlease::catalog {
namespace {

using namespace std::chrono_literals;

struct BuiltIn {
    std::shared_ptr<const Catalog> catalog = *Catalog::load({});

    void for_each(const std::function<void(const Service&, const AuthType&, const OAuth&)>& see) const {
        for (const auto& [id, service] : catalog->all()) {
            for (const AuthType& auth : service.auth_types) {
                if (auth.oauth) see(service, auth, *auth.oauth);
            }
        }
    }
    /// How many auth types this holds of.
    [[nodiscard]] int count(const std::function<bool(const OAuth&)>& holds) const {
        int found = 0;
        for_each([&](const Service&, const AuthType&, const OAuth& oauth) { found += holds(oauth) ? 1 : 0; });
        return found;
    }
    [[nodiscard]] const OAuth& oauth(std::string_view id, std::string_view auth = "oauth2") const {
        const Service* service = catalog->find(id);
        BOOST_REQUIRE_MESSAGE(service, id);
        const AuthType* found = service->find_auth(auth);
        BOOST_REQUIRE_MESSAGE(found && found->oauth, id);
        return *found->oauth;
    }
    [[nodiscard]] std::string class_of(std::string_view id, std::string_view auth = "oauth2") const {
        return std::string(name_of(oauth(id, auth).refresh_class.value));
    }
};

BOOST_FIXTURE_TEST_SUITE(oauth_services, BuiltIn)

BOOST_AUTO_TEST_CASE(every_promised_provider_is_there) {
    for (const char* id :
         {"oauth2",  "slack",   "salesforce", "google", "microsoft", "hubspot",  "github",     "gitlab",
          "notion",  "shopify", "airtable",   "zoom",   "box",       "xero",     "quickbooks", "linear",
          "spotify", "zoho",    "zendesk",    "stripe", "linkedin",  "atlassian"}) {
        (void)oauth(id);
    }
    for (const char* auth : {"app_user", "app_installation"}) (void)oauth("github", auth);
    BOOST_TEST(catalog->find("github")->auth_types.front().name == "token");
}

BOOST_AUTO_TEST_CASE(each_has_the_day_and_the_sources_of_its_facts) {
    for_each([](const Service& service, const AuthType&, const OAuth&) {
        BOOST_TEST(!service.verified_on.empty(), service.id.text());
        BOOST_TEST(!service.sources.empty(), service.id.text());
    });
}

BOOST_AUTO_TEST_CASE(between_them_they_use_all_that_can_be_told) {
    using enum RefreshClass;
    for (const RefreshClass value : {fixed, rotating, single_use, single_use_grace, kills_access_token, none}) {
        BOOST_TEST(count([&](const OAuth& each) { return each.refresh_class.value == value; }) > 0, name_of(value));
    }
    for (const ClientAuth value : {ClientAuth::basic, ClientAuth::post, ClientAuth::none}) {
        BOOST_TEST(count([&](const OAuth& each) { return each.client_auth.value == value; }) > 0, name_of(value));
    }
    for (const BodyFormat value : {BodyFormat::form, BodyFormat::json}) {
        BOOST_TEST(count([&](const OAuth& each) { return each.body == value; }) > 0, name_of(value));
    }
    for (const Flow value :
         {Flow::authorization_code, Flow::device, Flow::client_credentials, Flow::jwt_bearer, Flow::refresh_token}) {
        BOOST_TEST(count([&](const OAuth& each) { return std::ranges::count(each.flows, value) > 0; }) > 0,
                   name_of(value));
    }
}

BOOST_AUTO_TEST_CASE(between_them_the_entries_own_rules_have_every_meaning) {
    constexpr std::size_t common = 4; // that every error map ends with
    for (const Meaning value :
         {Meaning::definitive, Meaning::client, Meaning::transient, Meaning::rate_limited, Meaning::too_early}) {
        const auto has = [&](const OAuth& each) {
            const auto own = std::span(each.errors.rules).first(each.errors.rules.size() - common);
            return std::ranges::count(own, value, &ErrorRule::meaning) > 0;
        };
        BOOST_TEST(count(has) > 0, name_of(value));
    }
}

BOOST_AUTO_TEST_CASE(between_them_they_show_every_quirk) {
    const auto has_any = [&](const std::function<bool(const OAuth&)>& quirk, const char* name) {
        BOOST_TEST(count(quirk) > 0, name);
    };
    const auto has_answer = [](const auto& holds) {
        return [holds](const OAuth& each) { return std::ranges::any_of(each.answer_fields, holds); };
    };
    has_any([](const OAuth& each) { return each.slots.size() == 2; }, "two slots");
    has_any([](const OAuth& each) { return each.slots.front().expires_in_at.empty() && each.clocks.access; },
            "a missing expires_in");
    has_any([](const OAuth& each) { return !each.slots.front().expires_at_at.empty(); }, "expires_at");
    has_any(has_answer([](const AnswerField& field) { return !field.parameter.empty(); }), "a redirect's parameter");
    has_any(has_answer([](const AnswerField& field) { return field.url.has_value(); }), "a second call");
    has_any([](const OAuth& each) { return !each.errors.ok_at.empty(); }, "a flag in a refusal");
    has_any([](const OAuth& each) { return !each.errors.sub_at.empty(); }, "codes of its own");
    has_any([](const OAuth& each) { return each.secret_is_user; }, "the secret as user");
    has_any([](const OAuth& each) { return each.jwt.is_bearer; }, "a JWT as bearer");
    has_any([](const OAuth& each) { return !each.grant_type.empty(); }, "a grant type of its own");
    has_any([](const OAuth& each) { return each.refresh_class.field.has_value(); }, "a class that is chosen");
    has_any([](const OAuth& each) { return !each.pkce; }, "no PKCE");
    has_any([](const OAuth& each) { return each.grant_budget.has_value(); }, "a budget for each grant");
    has_any([](const OAuth& each) { return each.grants_per_account > 0; }, "grants that push out others");
    has_any([](const OAuth& each) { return each.clocks.client_secret.has_value(); }, "a secret's clock");
    has_any([](const OAuth& each) { return each.clocks.access_after_refresh.has_value(); }, "a leeway");
    has_any([](const OAuth& each) { return each.has_chosen_host; }, "a host of one's own");
}

BOOST_AUTO_TEST_CASE(the_classes_that_decide_what_a_crash_costs_are_those_of_the_facts) {
    const std::map<std::string, std::string> facts{
        {"google", "static"},
        {"hubspot", "static"},
        {"zoho", "static"},
        {"microsoft", "rotating"},
        {"slack", "single_use"},
        {"box", "single_use"},
        {"zoom", "single_use"},
        {"spotify", "single_use"},
        {"atlassian", "single_use_grace"},
        {"xero", "single_use_grace"},
        {"shopify", "single_use_grace"},
        {"gitlab", "kills_access_token"},
        {"airtable", "kills_access_token"},
        {"github", "none"},
    };
    for (const auto& [id, expected] : facts) BOOST_TEST(class_of(id) == expected, id);
    BOOST_TEST(class_of("github", "app_user") == "kills_access_token");
    BOOST_TEST((oauth("atlassian").clocks.grace == 10min));
    BOOST_TEST((oauth("xero").clocks.grace == 30min));
}

BOOST_AUTO_TEST_CASE(an_organizations_client_is_safe_wherever_the_entry_has_the_hosts_end) {
    for (const char* id : {"salesforce", "shopify", "zendesk", "zoho", "microsoft", "slack", "quickbooks"}) {
        BOOST_TEST(!oauth(id).has_chosen_host, id);
    }
    for (const char* id : {"oauth2", "gitlab"}) BOOST_TEST(oauth(id).has_chosen_host, id);
}

BOOST_AUTO_TEST_CASE(no_lease_holds_a_secret_that_only_token_requests_need) {
    for_each([](const Service& service, const AuthType& auth, const OAuth&) {
        for (const Field& field : auth.fields) {
            if (!field.secret || field.source == Source::tokens) continue;
            BOOST_TEST(!field.leased, service.id.text() << " " << auth.name << " " << field.name);
        }
    });
}

BOOST_AUTO_TEST_CASE(each_main_token_goes_into_a_header_and_nowhere_unnamed) {
    for_each([](const Service& service, const AuthType& auth, const OAuth& each) {
        const auto token = std::uint32_t{1} << each.slots.front().access_token;
        BOOST_REQUIRE(auth.http);
        const auto holds = [&](const HttpRules::Entry& header) { return (header.value.needs & token) != 0; };
        BOOST_TEST(std::ranges::any_of(auth.http->headers, holds), service.id.text());
        BOOST_TEST((service.id.text() == "oauth2" || !auth.http->allowed_hosts.empty()), service.id.text());
    });
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::catalog
