#define BOOST_TEST_DYN_LINK
#include "catalog/catalog.hpp"
#include "catalog/embedded.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace credlease::catalog {
namespace {

std::shared_ptr<const Catalog> built_in() {
    auto loaded = Catalog::load({});
    BOOST_REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().detail()));
    return *loaded;
}

/// "*token!" is a required secret, ">base_url" a destination.
std::string shape_of(const AuthType& auth) {
    std::string shape;
    for (const Field& field : auth.fields) {
        if (!shape.empty()) shape += ' ';
        if (field.secret) shape += '*';
        if (field.destination) shape += '>';
        shape += field.name;
        if (field.type != vocabulary::FieldType::string) shape += ":" + std::string(name_of(field.type));
        if (field.required) shape += '!';
    }
    return shape;
}

const AuthType& only_auth_of(const Catalog& catalog, std::string_view id) {
    const Service* service = catalog.find(id);
    BOOST_REQUIRE(service);
    BOOST_REQUIRE_EQUAL(service->auth_types.size(), 1u);
    return service->auth_types.front();
}

BOOST_AUTO_TEST_CASE(every_promised_service_is_there_with_the_promised_fields) {
    const auto catalog = built_in();
    const std::map<std::string, std::string> promised{
        {"http-bearer", "*token! >base_url"},
        {"http-basic", "username! *password! >base_url"},
        {"http-api-key", "*key! name in prefix >base_url"},
        {"custom-headers", "*headers:map! >base_url"},
        {"openai", "*api_key! organization"},
        {"github", "*token!"},
        {"aws", "access_key_id! *secret_access_key! *session_token region"},
        {"postgres", ">host! >port:integer database user! *password! >sslmode"},
        {"oauth2", ">authorize_url >token_url >revoke_url >device_url >issuer client_id *client_secret scopes:list "
                   "flow client_auth refresh_class *access_token *token_type"},
    };
    for (const auto& [id, shape] : promised) {
        const Service* service = catalog->find(id);
        BOOST_REQUIRE(service);
        BOOST_TEST(shape_of(service->auth_types.front()) == shape, id);
    }
}

BOOST_AUTO_TEST_CASE(defaults_are_those_that_were_promised) {
    const auto catalog = built_in();
    const AuthType& key = only_auth_of(*catalog, "http-api-key");
    BOOST_TEST(std::get<std::string>(*key.fields[*key.find_field("name")].default_value) == "X-API-Key");
    const Field& in = key.fields[*key.find_field("in")];
    BOOST_TEST(in.choices == (std::vector<std::string>{"header", "query"}), boost::test_tools::per_element());
    BOOST_TEST(std::get<std::string>(*in.default_value) == "header");
    const AuthType& postgres = only_auth_of(*catalog, "postgres");
    BOOST_TEST(std::get<std::int64_t>(*postgres.fields[1].default_value) == 5432);
    BOOST_TEST(!postgres.http.has_value());
    BOOST_TEST(!only_auth_of(*catalog, "aws").http.has_value());
}

BOOST_AUTO_TEST_CASE(an_entry_is_shown_as_it_was_written_on_one_line) {
    const auto catalog = built_in();
    for (const auto& [id, service] : catalog->all()) {
        const auto shown = boost::json::parse(service.json);
        BOOST_TEST(std::string(shown.at("id").as_string()) == id);
        BOOST_TEST(!shown.as_object().contains("$schema"));
        BOOST_TEST(!service.json.contains('\n'));
        BOOST_TEST(shown.at("auth").as_array().size() == service.auth_types.size());
    }
}

BOOST_AUTO_TEST_CASE(what_is_compiled_in_is_what_lies_in_the_source_tree) {
    const std::filesystem::path room = std::filesystem::path(CATALOG_TEST_FOLDER) / "../../daemon/catalog";
    std::set<std::string, std::less<>> on_disk{"service.schema.json"};
    for (const auto& at : std::filesystem::directory_iterator(room / "services")) on_disk.insert(at.path().filename());
    BOOST_TEST(embedded_files().size() == on_disk.size());
    for (const EmbeddedFile& embedded : embedded_files()) {
        BOOST_TEST(on_disk.contains(embedded.name));
        const bool is_schema = embedded.name == "service.schema.json";
        std::ifstream file((is_schema ? room : room / "services") / std::string(embedded.name), std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        BOOST_TEST((text == embedded.text), embedded.name);
    }
    BOOST_TEST(boost::json::parse(schema_json()).is_object());
}

BOOST_AUTO_TEST_CASE(a_service_or_auth_type_that_is_not_there_is_not_found) {
    const auto catalog = built_in();
    BOOST_TEST(catalog->find("nosuch") == nullptr);
    BOOST_TEST(catalog->find("") == nullptr);
    BOOST_TEST(catalog->find("openai")->find_auth("oauth2") == nullptr);
    BOOST_TEST(!only_auth_of(*catalog, "openai").find_field("nosuch").has_value());
}

} // namespace
} // namespace credlease::catalog
