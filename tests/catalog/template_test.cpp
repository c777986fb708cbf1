#define BOOST_TEST_DYN_LINK
#include "catalog/read_template.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace credlease::catalog {
namespace {

std::vector<Field> some_fields() {
    std::vector<Field> fields(4);
    fields[0].name = "user";
    fields[1].name = "password";
    fields[1].secret = true;
    fields[2].name = "base_url";
    fields[2].format = Format::url;
    fields[3].name = "headers";
    fields[3].type = vocabulary::FieldType::map;
    return fields;
}

/// "Bearer |<0,1 base64>": what a template was taken apart into.
std::string parts_of(std::string_view text) {
    const auto fields = some_fields();
    const auto made = read_template(text, fields);
    if (!made) return "refused: " + std::string(made.error().view());
    static constexpr std::string_view encoders[] = {"", " base64", " urlencode", " host"};
    std::string shown;
    for (const Template::Part& part : made->parts) {
        if (part.fields.empty()) {
            shown += '[' + part.literal + ']';
            continue;
        }
        shown += '<';
        for (const std::size_t field : part.fields) shown += std::to_string(field) + ' ';
        shown.pop_back();
        shown += std::string(encoders[static_cast<std::size_t>(part.encoder)]) + '>';
    }
    return shown + " needs " + std::to_string(made->needs);
}

BOOST_AUTO_TEST_CASE(literals_fields_and_encoders_are_told_apart) {
    BOOST_TEST(parts_of("Bearer {password}") == "[Bearer ]<1> needs 2");
    BOOST_TEST(parts_of("{user:password|base64}") == "<0 1 base64> needs 3");
    BOOST_TEST(parts_of("{user}{password|urlencode}!") == "<0><1 urlencode>[!] needs 3");
    BOOST_TEST(parts_of("{base_url|host}") == "<2 host> needs 4");
    BOOST_TEST(parts_of("plain") == "[plain] needs 0");
}

BOOST_AUTO_TEST_CASE(a_doubled_brace_is_a_brace) {
    BOOST_TEST(parts_of("{{user}}") == "[{user}] needs 0");
    BOOST_TEST(parts_of("a{{{user}}}b") == "[a{]<0>[}b] needs 1");
    BOOST_TEST(parts_of("}}{{") == "[}{] needs 0");
}

BOOST_AUTO_TEST_CASE(what_is_no_template_is_refused) {
    for (const std::string_view text :
         {"{", "}", "{user", "user}", "{}", "{nosuch}", "{user:}", "{:user}", "{user|}", "{user|hex}", "{user||base64}",
          "{headers}", "{user|host}", "{ user }", "{user{"}) {
        BOOST_TEST(parts_of(text).starts_with("refused: "), text << " gave " << parts_of(text));
    }
}

} // namespace
} // namespace credlease::catalog
