#define BOOST_TEST_DYN_LINK
#include "vault/house.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>

namespace credlease::vault {
namespace {

const Scope organization = Scope::organization();

/// Only the `http` part.
std::string http_of(const std::string& members) {
    const auto parsed = boost::json::parse("{" + members.substr(1) + "}");
    const auto* http = parsed.as_object().if_contains("http");
    return http ? boost::json::serialize(*http) : "none";
}

BOOST_FIXTURE_TEST_SUITE(lease_text, House)

BOOST_AUTO_TEST_CASE(a_bearer_token_goes_into_the_authorization_header) {
    const Entry& entry =
        create("http-bearer", "a", organization, R"({"token":"abc","base_url":"https://API.example.com:8443/v1"})");
    BOOST_TEST(lease_of(entry) ==
               R"(,"fields":{"base_url":"https://API.example.com:8443/v1"},"secret":{"token":"abc"},)"
               R"("http":{"headers":{"Authorization":"Bearer abc"},"query":{},)"
               R"("base_url":"https://API.example.com:8443/v1","allowed_hosts":["api.example.com"]})");
}

BOOST_AUTO_TEST_CASE(without_a_base_url_it_is_null_and_no_host_is_named) {
    const Entry& entry = create("http-bearer", "a", organization, R"({"token":"abc"})");
    BOOST_TEST(lease_of(entry) ==
               R"(,"fields":{},"secret":{"token":"abc"},"http":{"headers":{"Authorization":"Bearer abc"},)"
               R"("query":{},"base_url":null,"allowed_hosts":[]})");
}

BOOST_AUTO_TEST_CASE(user_and_password_are_joined_and_encoded) {
    // RFC 7617 §2
    const Entry& entry = create("http-basic", "a", organization, R"({"username":"Aladdin","password":"open sesame"})");
    BOOST_TEST(
        http_of(lease_of(entry)) ==
        R"({"headers":{"Authorization":"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},"query":{},"base_url":null,"allowed_hosts":[]})");
}

BOOST_AUTO_TEST_CASE(base64_is_that_of_rfc_4648_for_every_length) {
    const std::map<std::string, std::string> told{
        {"f", "dTpm"}, {"fo", "dTpmbw=="}, {"foo", "dTpmb28="}, {"foob", "dTpmb29i"}, {"\xc3\xbf\xc3\xbe", "dTrDv8O+"}};
    for (const auto& [password, encoded] : told) {
        const Entry& entry =
            create("http-basic", "a " + password, organization, R"({"username":"u","password":")" + password + "\"}");
        BOOST_TEST(http_of(lease_of(entry)).contains("\"Basic " + encoded + "\""), password << lease_of(entry));
    }
}

BOOST_AUTO_TEST_CASE(an_api_key_goes_where_its_fields_say) {
    const Entry& plain = create("http-api-key", "a", organization, R"({"key":"k1"})");
    BOOST_TEST(http_of(lease_of(plain)) ==
               R"({"headers":{"X-API-Key":"k1"},"query":{},"base_url":null,"allowed_hosts":[]})");
    const Entry& named =
        create("http-api-key", "b", organization, R"({"key":"k2","name":"Authorization","prefix":"Token "})");
    BOOST_TEST(http_of(lease_of(named)) ==
               R"({"headers":{"Authorization":"Token k2"},"query":{},"base_url":null,"allowed_hosts":[]})");
    const Entry& query = create("http-api-key", "c", organization, R"({"key":"k3","name":"api_key","in":"query"})");
    BOOST_TEST(http_of(lease_of(query)) ==
               R"({"headers":{},"query":{"api_key":"k3"},"base_url":null,"allowed_hosts":[]})");
}

BOOST_AUTO_TEST_CASE(custom_headers_are_those_of_the_map) {
    const Entry& entry = create("custom-headers", "a", organization,
                                R"({"headers":{"X-B":"2 \"q\"","X-A":"1"},"base_url":"https://h.example"})");
    BOOST_TEST(
        lease_of(entry) ==
        R"(,"fields":{"base_url":"https://h.example"},"secret":{"headers":{"X-B":"2 \"q\"","X-A":"1"}},)"
        R"("http":{"headers":{"X-B":"2 \"q\"","X-A":"1"},"query":{},"base_url":"https://h.example","allowed_hosts":["h.example"]})");
}

BOOST_AUTO_TEST_CASE(openai_and_github_go_to_their_hosts_alone) {
    const Entry& openai = create("openai", "a", organization, R"({"api_key":"sk-1","organization":"org-9"})");
    BOOST_TEST(
        lease_of(openai) ==
        R"(,"fields":{"organization":"org-9"},"secret":{"api_key":"sk-1"},"http":{"headers":{"Authorization":"Bearer sk-1",)"
        R"("OpenAI-Organization":"org-9"},"query":{},"base_url":"https://api.openai.com/v1","allowed_hosts":["api.openai.com"]})");
    const Entry& github = create("github", "b", organization, R"({"token":"ghp_1"})");
    BOOST_TEST(
        http_of(lease_of(github)) ==
        R"({"headers":{"Authorization":"Bearer ghp_1"},"query":{},"base_url":"https://api.github.com","allowed_hosts":["api.github.com"]})");
}

BOOST_AUTO_TEST_CASE(an_optional_header_is_left_out_when_its_field_is_not_set) {
    const Entry& entry = create("openai", "a", organization, R"({"api_key":"sk-1"})");
    BOOST_TEST(
        http_of(lease_of(entry)) ==
        R"({"headers":{"Authorization":"Bearer sk-1"},"query":{},"base_url":"https://api.openai.com/v1","allowed_hosts":["api.openai.com"]})");
}

BOOST_AUTO_TEST_CASE(aws_and_postgres_have_no_http_part) {
    const Entry& aws =
        create("aws", "a", organization,
               R"({"access_key_id":"AKIA","secret_access_key":"s","session_token":"t","region":"eu-central-1"})");
    BOOST_TEST(
        lease_of(aws) ==
        R"(,"fields":{"access_key_id":"AKIA","region":"eu-central-1"},"secret":{"secret_access_key":"s","session_token":"t"})");
    const Entry& postgres =
        create("postgres", "b", organization, R"({"host":"db","user":"u","password":"p","sslmode":"verify-full"})");
    BOOST_TEST(lease_of(postgres) ==
               R"(,"fields":{"host":"db","port":5432,"user":"u","sslmode":"verify-full"},"secret":{"password":"p"})");
}

BOOST_AUTO_TEST_CASE(only_what_was_asked_for_is_there_and_http_only_with_all_its_secrets) {
    const Entry& entry =
        create("http-basic", "a", organization, R"({"username":"u","password":"p","base_url":"https://h.example"})");
    const auto& kind = auth("http-basic");
    const auto bit = [&](std::string_view name) { return std::uint32_t{1} << *kind.find_field(name); };
    BOOST_TEST(lease_of(entry, bit("username")) == R"(,"fields":{"username":"u"},"secret":{})");
    const std::string secret_alone = lease_of(entry, bit("password"));
    BOOST_TEST(secret_alone.starts_with(R"(,"fields":{},"secret":{"password":"p"},"http":{)"));
    BOOST_TEST(http_of(secret_alone).contains("Basic dTpw"));
    BOOST_TEST(lease_of(entry, 0) == R"(,"fields":{},"secret":{})");
}

BOOST_AUTO_TEST_CASE(values_are_escaped_and_keep_their_types) {
    const auto kind = catalog::read_service(
        R"({"id":"kinds","name":"Kinds","auth":[{"name":"all","label":"All","fields":[
            {"name":"t","type":"text","label":"T","secret":true}, {"name":"n","type":"integer","label":"N","secret":true},
            {"name":"b","type":"boolean","label":"B","secret":true}, {"name":"l","type":"list","label":"L","secret":true},
            {"name":"m","type":"map","label":"M","secret":true}, {"name":"pn","type":"integer","label":"N"},
            {"name":"pb","type":"boolean","label":"B"}, {"name":"pl","type":"list","label":"L"},
            {"name":"pm","type":"map","label":"M"}],
           "http":{"headers":[{"name":"X","value":"{{{n}/{b|base64}/{pn}/{pb}}}"}],
                   "query":[{"name":"q","value":"{t|urlencode}"}],"headers_from":"pm",
                   "base_url":"https://h.example/{t|urlencode}"}}]})",
        "kinds.json");
    BOOST_REQUIRE(kind.has_value());
    const auto& all = kind->auth_types.front();
    const std::string fields =
        R"({"t":"a\"b\\c\n\u0001\u00e4 /~","n":-9223372036854775808,"b":true,"l":["x","\ty"],"m":{"k\"":"v"},)"
        R"("pn":7,"pb":false,"pl":["p","q"],"pm":{"X-P":"1"}})";
    auto given = read(all, fields);
    BOOST_REQUIRE(given.has_value());
    Entry entry;
    entry.credential.fields = given->public_fields;
    std::string text(4096, '\0');
    wire::SecretJsonWriter writer(text.data(), text.size());
    BOOST_REQUIRE(given->secret_fields.encoded().expose([&](std::span<const std::byte> plaintext) {
        return write_lease_members(writer, all, entry, plaintext, ~std::uint32_t{0});
    }));
    text.resize(writer.size());
    const auto parsed = boost::json::parse("{" + text.substr(1) + "}");
    const auto sent = boost::json::parse(fields);
    for (const char* name : {"t", "n", "b", "l", "m"})
        BOOST_TEST((parsed.at("secret").at(name) == sent.at(name)), name);
    for (const char* name : {"pn", "pb", "pl", "pm"}) BOOST_TEST((parsed.at("fields").at(name) == sent.at(name)), name);
    BOOST_TEST(
        boost::json::serialize(parsed.at("http")) ==
        R"({"headers":{"X":"{-9223372036854775808/dHJ1ZQ==/7/false}","X-P":"1"},)"
        R"("query":{"q":"a%22b%5Cc%0A%01%C3%A4%20%2F~"},"base_url":"https://h.example/a%22b%5Cc%0A%01%C3%A4%20%2F~","allowed_hosts":[]})");
}

BOOST_AUTO_TEST_CASE(a_field_that_the_catalog_no_longer_knows_is_left_out_and_another_type_refused) {
    const Entry& entry =
        create("aws", "a", organization, R"({"access_key_id":"AKIA","secret_access_key":"s","region":"r"})");
    const auto write_as = [&](const std::string& fields) {
        const auto kind = catalog::read_service(
            R"({"id":"k","name":"K","auth":[{"name":"a","label":"A","fields":)" + fields + "}]}", "k.json");
        BOOST_REQUIRE(kind.has_value());
        std::string text(4096, '\0');
        wire::SecretJsonWriter writer(text.data(), text.size());
        const auto opened = vault->open(entry, kind->auth_types.front());
        const bool whole = opened->encoded().expose([&](std::span<const std::byte> plaintext) {
            return write_lease_members(writer, kind->auth_types.front(), entry, plaintext, ~std::uint32_t{0});
        });
        text.resize(writer.size());
        return whole ? text : "refused";
    };
    BOOST_TEST(
        write_as(
            R"([{"name":"new","type":"string","label":"N"},{"name":"secret_access_key","type":"text","label":"S","secret":true}])") ==
        R"(,"fields":{},"secret":{"secret_access_key":"s"})");
    BOOST_TEST(write_as(R"([{"name":"secret_access_key","type":"integer","label":"S","secret":true}])") == "refused");
    BOOST_TEST(write_as(R"([{"name":"region","type":"integer","label":"R"}])") == "refused");
}

BOOST_AUTO_TEST_CASE(a_reply_that_is_too_small_overflows_and_is_never_written_past) {
    const Entry& entry = create("http-basic", "a", organization,
                                R"({"username":"Aladdin","password":"open sesame","base_url":"https://h.example"})");
    const std::size_t whole = lease_of(entry).size();
    const auto opened = vault->open(entry, auth("http-basic"));
    for (std::size_t size = 0; size <= whole; ++size) {
        std::string text(whole + 8, '#');
        wire::SecretJsonWriter writer(text.data(), size);
        opened->encoded().expose([&](std::span<const std::byte> plaintext) {
            BOOST_TEST_REQUIRE(write_lease_members(writer, auth("http-basic"), entry, plaintext, ~std::uint32_t{0}));
        });
        BOOST_TEST_REQUIRE(writer.overflowed() == (size < whole));
        BOOST_TEST_REQUIRE(text.substr(size) == std::string(text.size() - size, '#'));
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
