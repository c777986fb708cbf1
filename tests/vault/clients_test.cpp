#define BOOST_TEST_DYN_LINK
#include "vault/house.hpp"
#include "vault/records.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace credlease::vault {
namespace {

using store::Table;
using Fields = std::map<std::string, std::string>;

constexpr std::string_view planted = "client-secret-7c1d9a";

struct Clients : House {
    NewOAuthClient client(std::string_view service, std::string client_id, std::string_view secret = planted,
                          Fields fields = {}) {
        return {.service = *vocabulary::ServiceId::read(service),
                .auth = "oauth2",
                .client_id = std::move(client_id),
                .fields = std::move(fields),
                .secret = std::move(*secret::SecretBuffer::copy(*arena, secret, secret::Share::work)),
                .now = now,
                .changed_by = "operator:root"};
    }
    std::string settle(result::Result<ClientChange> change, const store::Batch& batch) {
        if (!change) return refusal_of(change);
        disk.write(batch);
        vault->apply(std::move(*change));
        return "none";
    }
    std::string put(NewOAuthClient made) {
        store::Batch batch;
        auto change = vault->stage_client(std::move(made), batch);
        return settle(std::move(change), batch);
    }
    /// The secret: for tests, whose secrets are none.
    std::string secret_of(std::string_view service) {
        const auto client = vault->find_client(service);
        if (!client) return "absent";
        const auto opened = vault->open_client(*client);
        if (!opened) return refusal_of(opened);
        return opened->expose([](std::span<const std::byte> bytes) { return std::string(secret::as_text(bytes)); });
    }
    std::string& record_of(const std::string& service) { return disk.records.at({Table::clients, service}).value; }
    /// Puts back a changed record, as one that holds the record key could.
    void tamper(const std::string& service, const std::function<void(OAuthClient&)>& change) {
        auto client = *read_client(service, 1, record_of(service));
        change(client);
        record_of(service) = write_client(client);
        open();
    }
    void check_damaged(const std::string& service) {
        const auto opened = vault->open_client(*vault->find_client(service));
        BOOST_REQUIRE_EQUAL(refusal_of(opened), "damaged");
        BOOST_TEST(opened.error().about.text() == service);
    }
};

BOOST_FIXTURE_TEST_SUITE(clients, Clients)

BOOST_AUTO_TEST_CASE(a_client_is_found_after_a_restart_with_its_secret) {
    auto slack = client("slack", "123.456");
    slack.secret_ends_at = now + std::chrono::days(90);
    BOOST_REQUIRE_EQUAL(put(std::move(slack)), "none");
    BOOST_REQUIRE_EQUAL(put(client("airtable", "air", {})), "none");
    for (int start = 0; start < 2; ++start) {
        const auto held = vault->find_client("slack");
        BOOST_TEST_REQUIRE(held != nullptr);
        BOOST_TEST(held->client_id == "123.456");
        BOOST_TEST((held->secret_ends_at == now + std::chrono::days(90)));
        BOOST_TEST(held->auth == "oauth2");
        BOOST_TEST(held->has_secret);
        BOOST_TEST(held->revision == 1u);
        BOOST_TEST((held->changed_at == now));
        BOOST_TEST(held->changed_by == "operator:root");
        BOOST_TEST(secret_of("slack") == planted);
        BOOST_TEST(!vault->find_client("airtable")->has_secret);
        BOOST_TEST(secret_of("airtable").empty());
        BOOST_TEST(vault->find_client("github") == nullptr);
        BOOST_REQUIRE_EQUAL(vault->list_clients().size(), 2u);
        BOOST_TEST(vault->list_clients().front()->service.text() == "airtable");
        open();
    }
}

BOOST_AUTO_TEST_CASE(its_secret_lies_sealed_and_the_rest_in_the_clear) {
    BOOST_REQUIRE_EQUAL(put(client("gitlab", "my-app", planted, {{"url", "https://gitlab.example"}})), "none");
    BOOST_TEST(record_of("gitlab").contains("my-app"));
    BOOST_TEST(record_of("gitlab").contains("https://gitlab.example"));
    for (const auto& [at, held] : disk.records) BOOST_TEST(!held.value.contains(planted));
}

BOOST_AUTO_TEST_CASE(a_change_is_seen_once_it_is_durable_and_nothing_of_the_old_one_stays) {
    BOOST_REQUIRE_EQUAL(put(client("gitlab", "one", planted, {{"url", "https://gitlab.example"}})), "none");
    const auto first = vault->find_client("gitlab");
    {
        store::Batch lost;
        BOOST_TEST(vault->stage_client(client("gitlab", "two"), lost).has_value());
    }
    BOOST_TEST(vault->find_client("gitlab") == first);
    BOOST_REQUIRE_EQUAL(put(client("gitlab", "two", {})), "none");
    BOOST_TEST(vault->find_client("gitlab")->revision == 2u);
    BOOST_TEST(vault->find_client("gitlab")->fields.empty());
    BOOST_TEST(secret_of("gitlab").empty());
    BOOST_TEST(first->client_id == "one"); // whoever waited with it keeps what it had
    open();
    BOOST_TEST(vault->find_client("gitlab")->client_id == "two");
}

BOOST_AUTO_TEST_CASE(an_erased_client_is_gone_and_may_be_set_again) {
    BOOST_REQUIRE_EQUAL(put(client("slack", "1")), "none");
    store::Batch batch;
    auto change = vault->stage_erase_client(*vault->find_client("slack"), batch);
    BOOST_TEST(vault->find_client("slack") != nullptr);
    BOOST_REQUIRE_EQUAL(settle(std::move(change), batch), "none");
    BOOST_TEST(vault->find_client("slack") == nullptr);
    open();
    BOOST_TEST(vault->find_client("slack") == nullptr);
    BOOST_REQUIRE_EQUAL(put(client("slack", "2")), "none");
    open();
    BOOST_TEST(secret_of("slack") == planted);
}

BOOST_AUTO_TEST_CASE(the_organization_has_one_key_whoever_needs_it_first) {
    BOOST_REQUIRE_EQUAL(put(client("slack", "1")), "none");
    const Entry& shared = create("http-bearer", "shared", Scope::organization(), R"({"token":"tok-1"})");
    BOOST_REQUIRE_EQUAL(put(client("github", "2")), "none");
    BOOST_TEST(std::ranges::count_if(disk.records, [](const auto& at) { return at.first.first == Table::keys; }) == 1);
    BOOST_TEST(lease_of(shared).contains("tok-1"));
    open();
    BOOST_TEST(secret_of("slack") == planted);
    BOOST_TEST(secret_of("github") == planted);
}

BOOST_AUTO_TEST_CASE(a_secret_of_another_service_does_not_open) {
    BOOST_REQUIRE_EQUAL(put(client("slack", "same")), "none");
    BOOST_REQUIRE_EQUAL(put(client("github", "same", "other-secret-55")), "none");
    std::swap(record_of("slack"), record_of("github"));
    open();
    check_damaged("slack");
    check_damaged("github");
}

BOOST_AUTO_TEST_CASE(what_is_shown_of_a_client_is_bound_to_its_secret) {
    const Fields places{{"url", "https://gitlab.example"}};
    BOOST_REQUIRE_EQUAL(put(client("gitlab", "app", planted, places)), "none");
    BOOST_REQUIRE_EQUAL(put(client("oauth2", "app", {}, {{"token_url", "https://a.example/token"}})), "none");
    const std::vector<std::function<void(OAuthClient&)>> changes{
        [](auto& client) { client.client_id = "other"; },
        [](auto& client) { client.auth = "other"; },
        [](auto& client) { client.has_secret = !client.has_secret; },
        [](auto& client) { client.fields.begin()->second = "https://evil.example"; },
        [](auto& client) { client.fields.clear(); },
    };
    for (const std::string service : {"gitlab", "oauth2"}) { // a public client's place, too
        const std::string honest = record_of(service);
        for (const auto& change : changes) {
            tamper(service, change);
            check_damaged(service);
            record_of(service) = honest;
            open();
            BOOST_TEST(secret_of(service) == (service == "gitlab" ? planted : ""));
        }
        disk.records.at({Table::clients, service}).revision = 2; // an earlier record, as if it were the newest
        open();
        check_damaged(service);
    }
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_of_a_sealed_secret_is_found) {
    BOOST_REQUIRE_EQUAL(put(client("slack", "1")), "none");
    std::string& value = record_of("slack");
    const std::size_t sealed = vault->find_client("slack")->sealed.size();
    for (std::size_t bit = (value.size() - sealed) * 8; bit < value.size() * 8; ++bit) {
        const auto flip = [&] { value[bit / 8] = static_cast<char>(value[bit / 8] ^ (1 << bit % 8)); };
        flip();
        open();
        BOOST_TEST_REQUIRE(secret_of("slack") == "damaged");
        flip();
    }
}

BOOST_AUTO_TEST_CASE(a_damaged_client_is_nobody_s_and_the_others_serve_on) {
    BOOST_REQUIRE_EQUAL(put(client("slack", "1")), "none");
    BOOST_REQUIRE_EQUAL(put(client("github", "2")), "none");
    vault->forget(Table::clients, "slack");
    vault->forget(Table::clients, "never-there");
    BOOST_TEST(vault->find_client("slack") == nullptr);
    BOOST_TEST(secret_of("github") == planted);
    vault->forget(Table::keys, Scope::organization().text());
    check_damaged("github");
    store::Batch batch;
    BOOST_TEST(refusal_of(vault->stage_client(client("zoom", "3"), batch)) == "damaged"); // no other key beside it
    BOOST_TEST(batch.empty());
}

BOOST_AUTO_TEST_CASE(cut_or_unknown_client_records_are_damaged_and_named) {
    BOOST_REQUIRE_EQUAL(put(client("gitlab", "1", planted, {{"url", "https://gitlab.example"}})), "none");
    const std::string& written = record_of("gitlab");
    const std::size_t sealed = vault->find_client("gitlab")->sealed.size();
    BOOST_TEST((write_client(*read_client("gitlab", 1, written)) == written));
    for (std::size_t size = 0; size < written.size() - sealed; ++size) {
        const auto read = read_client("gitlab", 1, written.substr(0, size));
        BOOST_TEST_REQUIRE(refusal_of(read) == "damaged");
        BOOST_TEST_REQUIRE(read.error().about.text() == "gitlab");
    }
    BOOST_TEST(refusal_of(read_client("gitlab", 1, '\2' + written.substr(1))) == "damaged");
    BOOST_TEST(refusal_of(read_client("No Service", 1, written)) == "damaged");
}

BOOST_AUTO_TEST_CASE(services_with_oauth_take_a_client_where_its_id_and_secret_are_fields) {
    BOOST_TEST(takes_client(auth("slack")));
    BOOST_TEST(takes_client(auth("oauth2")));
    BOOST_TEST(!takes_client(auth("http-bearer")));
    BOOST_TEST(!takes_client(*service("google").find_auth("service_account")));
}

BOOST_AUTO_TEST_CASE(where_a_field_decides_the_host_the_organization_chooses_it) {
    const auto refused = choose_hosts(auth("oauth2"), {});
    BOOST_REQUIRE_EQUAL(refusal_of(refused), "invalid_request fields");
    BOOST_TEST(refused.error().about.text() == "token_url, issuer");
    const Fields half{{"authorize_url", "https://a.example/authorize"}};
    BOOST_TEST(refusal_of(choose_hosts(auth("oauth2"), half)) == "invalid_request fields");
    for (const std::string name : {"token_url", "issuer"}) {
        const Fields given{{name, "https://a.example/x"}};
        BOOST_TEST((*choose_hosts(auth("oauth2"), given) == given));
    }
    BOOST_TEST(choose_hosts(auth("gitlab"), {})->at("url") == "https://gitlab.com"); // and it is kept, as it is today
    BOOST_TEST(choose_hosts(auth("shopify"), {})->empty());                          // always at .myshopify.com
    BOOST_TEST(choose_hosts(auth("salesforce"), {})->empty());
}

BOOST_AUTO_TEST_CASE(a_client_goes_nowhere_but_where_the_organization_lets_it) {
    const auto used = [&](std::string_view id, Fields chosen,
                          std::initializer_list<std::pair<const char*, const char*>> own) {
        vocabulary::PublicFields fields;
        for (const auto& [name, value] : own) fields.emplace(name, std::string(value));
        OAuthClient made;
        made.auth = auth(id).name;
        made.fields = std::move(chosen);
        return with_chosen_hosts(made, auth(id), fields);
    };
    constexpr auto place = "https://a.example/token";
    constexpr auto other = "https://evil.example/token";
    const auto filled = used("oauth2", {{"token_url", place}}, {{"client_auth", "post"}});
    BOOST_TEST(std::get<std::string>(filled->at("token_url")) == place);
    BOOST_TEST(std::get<std::string>(filled->at("client_auth")) == "post");
    BOOST_TEST(used("oauth2", {{"token_url", place}}, {{"token_url", place}}).has_value());
    BOOST_TEST(refusal_of(used("oauth2", {{"token_url", place}}, {{"token_url", other}})) ==
               "invalid_request fields.token_url");
    // Nor by a URL of which the client says nothing: its issuer would have found that one.
    BOOST_TEST(refusal_of(used("oauth2", {{"issuer", place}}, {{"token_url", other}})) ==
               "invalid_request fields.token_url");
    BOOST_TEST(refusal_of(used("gitlab", {{"url", "https://gitlab.com"}}, {{"url", "https://evil.example"}})) ==
               "invalid_request fields.url");
    BOOST_TEST(used("shopify", {}, {{"shop", "anyone"}}).has_value());
    BOOST_TEST(refusal_of(used("shopify", {{"shop", "ours"}}, {{"shop", "theirs"}})) == "invalid_request fields.shop");
    OAuthClient another;
    another.auth = "app_user";
    BOOST_TEST(refusal_of(with_chosen_hosts(another, auth("slack"), {})) == "invalid_request auth");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
