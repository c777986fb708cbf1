#define BOOST_TEST_DYN_LINK
#include "catalog/check_value.hpp"
#include "catalog/url.hpp"
#include "wire/limits.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::catalog {
namespace {

using namespace std::string_view_literals;

std::string host_of(std::string_view url) { return std::string(find_host(url).value_or("none")); }

BOOST_AUTO_TEST_CASE(the_host_of_a_url_is_found) {
    BOOST_TEST(host_of("https://api.example.com/v1") == "api.example.com");
    BOOST_TEST(host_of("HTTP://Example.com") == "Example.com");
    BOOST_TEST(host_of("http://127.0.0.1:8080/a/b") == "127.0.0.1");
    BOOST_TEST(host_of("https://[::1]:8443/") == "[::1]");
    BOOST_TEST(host_of("https://localhost") == "localhost");
}

BOOST_AUTO_TEST_CASE(what_is_no_place_to_send_a_secret_to_is_no_url) {
    for (const auto url : {""sv,
                           "api.example.com"sv,
                           "ftp://example.com"sv,
                           "https://"sv,
                           "https:///path"sv,
                           "https://user@example.com"sv,
                           "https://user:pw@example.com"sv,
                           "https://example.com?a=b"sv,
                           "https://example.com/#x"sv,
                           "https://exa mple.com"sv,
                           "https://example.com/\n"sv,
                           "https://example.com\0"sv,
                           "https://ex\xc3\xa4mple.com"sv,
                           "https://example.com:"sv,
                           "https://example.com:0"sv,
                           "https://example.com:65536"sv,
                           "https://example.com:80a"sv,
                           "https://[::1"sv,
                           "https://[]"sv,
                           "https://[g::1]"sv,
                           "https://::1/"sv,
                           "https://a]b/"sv,
                           "https://evil.com\\@example.com"sv,
                           " https://example.com"sv,
                           "https://exam%70le.com"sv}) {
        BOOST_TEST(host_of(url) == "none", url);
    }
}

BOOST_AUTO_TEST_CASE(a_host_is_a_name_or_a_part_of_one_and_nothing_that_ends_a_host) {
    const std::string label(63, 'a');
    for (const std::string& good : {std::string("acme"), std::string("acme--test.my"), std::string("X1"), label,
                                    std::string("8f1b0c1e-0000-4000-8000-000000000000")}) {
        BOOST_TEST(is_host_name(good), good);
    }
    for (const std::string& bad :
         {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"), std::string("-a"),
          std::string("a-"), std::string("a/b"), std::string("a#"), std::string("a?"), std::string("a@b"),
          std::string("a:1"), std::string("a\\b"), std::string("a b"), std::string("a%2f"), std::string("\xc3\xa4"),
          label + "a", label + "." + label + "." + label + "." + label}) {
        BOOST_TEST(!is_host_name(bad), bad);
    }
    Field field;
    field.format = Format::host;
    BOOST_TEST(!problem_with_text(field, "acme"));
    BOOST_TEST(problem_with_text(field, "evil.example/").has_value());
}

BOOST_AUTO_TEST_CASE(a_header_value_holds_no_control_character) {
    Field field;
    field.type = vocabulary::FieldType::text;
    BOOST_TEST(!problem_with_text(field, "a\nb"));
    field.in_header = true;
    BOOST_TEST(!problem_with_text(field, "a\tb \xc3\xa4"));
    for (const auto text : {"a\n"sv, "a\rb"sv, "a\0b"sv, "\x1b"sv, "\x7f"sv, "a\r\nX-Evil: 1"sv}) {
        BOOST_TEST(problem_with_text(field, text).has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_string_is_one_line_and_a_required_one_not_empty) {
    Field field;
    BOOST_TEST(!problem_with_text(field, ""));
    BOOST_TEST(problem_with_text(field, "sk-abc\n").has_value());
    BOOST_TEST(problem_with_text(field, "sk\rabc").has_value());
    field.required = true;
    BOOST_TEST(problem_with_text(field, "").has_value());
    field.type = vocabulary::FieldType::text;
    BOOST_TEST(!problem_with_text(field, "-----BEGIN KEY-----\nabc\n"));
}

BOOST_AUTO_TEST_CASE(a_value_is_at_most_64_kib) {
    const Field field;
    BOOST_TEST(!problem_with_text(field, std::string(wire::limits::field_value, 'x')));
    BOOST_TEST(problem_with_text(field, std::string(wire::limits::field_value + 1, 'x')).has_value());
}

BOOST_AUTO_TEST_CASE(choices_formats_and_places_are_kept_to) {
    Field choice;
    choice.choices = {"header", "query"};
    BOOST_TEST(!problem_with_text(choice, "query"));
    BOOST_TEST(problem_with_text(choice, "Query").has_value());
    Field url;
    url.format = Format::url;
    BOOST_TEST(!problem_with_text(url, "https://api.example.com"));
    BOOST_TEST(problem_with_text(url, "api.example.com").has_value());
    Field name;
    name.is_header_name = true;
    BOOST_TEST(!problem_with_text(name, "X-API-Key"));
    for (const auto text : {""sv, "X Key"sv, "X:"sv, "X\n"sv, "\xc3\xa4"sv}) {
        BOOST_TEST(problem_with_text(name, text).has_value());
    }
    Field user;
    user.before_colon = true;
    BOOST_TEST(!problem_with_text(user, "alice"));
    BOOST_TEST(problem_with_text(user, "a:b").has_value());
}

BOOST_AUTO_TEST_CASE(a_port_is_1_to_65535) {
    Field field;
    field.type = vocabulary::FieldType::integer;
    BOOST_TEST(!problem_with_number(field, -5));
    field.format = Format::port;
    BOOST_TEST(!problem_with_number(field, 1));
    BOOST_TEST(!problem_with_number(field, 65535));
    BOOST_TEST(problem_with_number(field, 0).has_value());
    BOOST_TEST(problem_with_number(field, 65536).has_value());
}

BOOST_AUTO_TEST_CASE(a_header_is_a_token_and_a_clean_value) {
    BOOST_TEST(!problem_with_header("X-Key", "abc"));
    BOOST_TEST(problem_with_header("X Key", "abc").has_value());
    BOOST_TEST(problem_with_header("", "abc").has_value());
    BOOST_TEST(problem_with_header("X-Key", "a\r\nb").has_value());
}

} // namespace
} // namespace credlease::catalog
