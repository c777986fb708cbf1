#define BOOST_TEST_DYN_LINK
#include "catalog/catalog.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>

namespace credlease::catalog {
namespace {

namespace json = boost::json;

json::value told_cases(const std::string& name = "entry_cases.json") {
    std::ifstream file(CATALOG_TEST_FOLDER "/" + name, std::ios::binary);
    return json::parse(std::string{std::istreambuf_iterator<char>(file), {}});
}

json::value changed(json::value entry, const json::object& change) {
    const bool removes = change.contains("remove");
    if (!removes && !change.contains("at")) return entry;
    const std::string_view pointer = change.at(removes ? "remove" : "at").as_string();
    if (pointer.empty()) return change.at("value");
    const std::size_t slash = pointer.rfind('/');
    const std::string last(pointer.substr(slash + 1));
    json::value& parent = entry.at_pointer(pointer.substr(0, slash));
    if (removes) {
        parent.as_object().erase(last);
    } else if (parent.is_array()) {
        parent.as_array().at(std::stoul(last)) = change.at("value");
    } else {
        parent.as_object().insert_or_assign(last, change.at("value"));
    }
    return entry;
}

std::string about(const result::Result<Service>& read) {
    return read ? "nothing" : std::string(read.error().about.text());
}

void check_cases(const std::string& name) {
    const json::value told = told_cases(name);
    for (const json::value& item : told.at("cases").as_array()) {
        const json::object& change = item.as_object();
        BOOST_TEST_CONTEXT(change.at("case")) {
            const auto read = read_service(json::serialize(changed(told.at("base"), change)), "acme.json");
            if (change.at("refused_by") == "nobody") {
                BOOST_TEST(about(read) == "nothing");
                continue;
            }
            BOOST_REQUIRE(!read.has_value());
            BOOST_TEST((read.error().code == result::ErrorCode::configuration));
            const std::string member(change.at("member").as_string());
            BOOST_TEST(about(read) == (member.empty() ? "acme.json" : "acme.json: " + member));
            BOOST_TEST(!read.error().next_step.view().empty());
        }
    }
}

BOOST_AUTO_TEST_CASE(reader_and_schema_agree_and_the_reader_names_file_and_member) { check_cases("entry_cases.json"); }

BOOST_AUTO_TEST_CASE(what_an_oauth_must_not_be_is_refused_by_name) { check_cases("oauth_cases.json"); }

BOOST_AUTO_TEST_CASE(thirty_two_fields_are_read_and_one_more_is_refused) {
    json::value entry = told_cases().at("base");
    json::array& fields = entry.at_pointer("/auth/0/fields").as_array();
    while (fields.size() < 32) {
        fields.push_back({{"name", "f" + std::to_string(fields.size())}, {"type", "string"}, {"label", "F"}});
    }
    BOOST_TEST(about(read_service(json::serialize(entry), "acme.json")) == "nothing");
    fields.push_back({{"name", "one_more"}, {"type", "string"}, {"label", "F"}});
    BOOST_TEST(about(read_service(json::serialize(entry), "acme.json")) == "acme.json: auth[0].fields");
}

BOOST_AUTO_TEST_CASE(two_auth_types_of_one_name_are_refused) {
    json::value entry = told_cases().at("base");
    json::array& auth = entry.at("auth").as_array();
    auth.push_back(json::value(auth[0]));
    BOOST_TEST(about(read_service(json::serialize(entry), "acme.json")) == "acme.json: auth[1].name");
}

BOOST_AUTO_TEST_CASE(text_that_is_not_strict_json_is_refused) {
    for (const std::string_view text :
         {"", "{", "{\"id\":\"acme\",\"id\":\"acme\"}", "{} {}", "{\"id\":\"\xff\"}", "nul"}) {
        BOOST_TEST(about(read_service(text, "acme.json")) == "acme.json");
    }
}

BOOST_AUTO_TEST_CASE(every_shortened_entry_is_refused_and_none_crashes_the_reader) {
    const std::string text = json::serialize(told_cases().at("base"));
    for (std::size_t size = 0; size < text.size(); ++size) {
        BOOST_TEST_REQUIRE(!read_service(text.substr(0, size), "acme.json").has_value());
    }
}

BOOST_AUTO_TEST_CASE(the_parts_of_an_entry_are_read) {
    const auto service = read_service(json::serialize(told_cases().at("base")), "acme.json");
    BOOST_REQUIRE(service.has_value());
    BOOST_TEST(service->id.text() == "acme");
    BOOST_TEST(service->name == "Acme");
    BOOST_TEST(service->docs == "https://docs.acme.example/auth");
    BOOST_TEST(service->verified_on == "2026-11-22");
    const AuthType& auth = service->auth_types.front();
    BOOST_TEST(auth.label == "API key");
    BOOST_TEST(auth.fields.size() == 9u);
    BOOST_TEST((auth.fields[2].format == Format::url));
    BOOST_TEST((auth.fields[5].format == Format::port));
    BOOST_TEST(auth.fields[0].before_colon);
    BOOST_TEST(!auth.fields[0].in_header);
    BOOST_TEST(!auth.fields[1].before_colon);
    BOOST_TEST(auth.fields[4].help == "Sent with each call.");
    BOOST_TEST((auth.together == std::vector<std::vector<std::string>>{{"user", "api_key"}}));
    const HttpRules& http = *auth.http;
    BOOST_TEST(http.headers.size() == 2u);
    BOOST_TEST(http.headers[0].value.needs == 0b11u);
    BOOST_TEST(*http.headers[1].when_field == 3u);
    BOOST_TEST(http.headers[1].when_value == "us");
    BOOST_TEST(*http.headers_from == 4u);
    BOOST_TEST(http.allowed_hosts.size() == 2u);
}

} // namespace
} // namespace credlease::catalog
