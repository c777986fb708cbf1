#define BOOST_TEST_DYN_LINK
#include "support/allocations.hpp"
#include "vocabulary/names.hpp"
#include "wire/mapping.hpp"
#include "wire/messages.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace {

using credlease::result::ErrorCode;
using credlease::vocabulary::Binding;
using credlease::wire::IssueLeaseView;
using credlease::wire::read_issue_lease;
using namespace std::chrono_literals;

void refuses(const std::string& body, std::string_view field) {
    IssueLeaseView view;
    const auto done = read_issue_lease(body, view);
    BOOST_TEST_CONTEXT("body: " << body) {
        BOOST_REQUIRE(!done.has_value());
        BOOST_TEST((done.error().code == ErrorCode::invalid_request));
        BOOST_TEST(done.error().field.text() == field);
    }
}

const std::string full =
    R"( {"credential":"workspace:Acme prod","workspace":"acme","ttl":"90s","fields":["token","team"],)"
    R"("purpose":{"workflow":"nightly","run":"42","node":"s3"},"bind":"none","min_valid":"5m"} )";

void check_full(const IssueLeaseView& view) {
    BOOST_TEST(view.credential == "workspace:Acme prod");
    BOOST_TEST(view.workspace == "acme");
    BOOST_TEST((view.ttl == 90s));
    BOOST_TEST((view.min_valid == 5min));
    BOOST_TEST((view.bind == Binding::none));
    BOOST_TEST(view.fields_given);
    BOOST_REQUIRE(view.field_count == 2U);
    BOOST_TEST(view.field_names[0] == "token");
    BOOST_TEST(view.field_names[1] == "team");
    BOOST_TEST(view.workflow == "nightly");
    BOOST_TEST(view.run == "42");
    BOOST_TEST(view.node == "s3");
}

BOOST_AUTO_TEST_SUITE(issue_lease_reader)

BOOST_AUTO_TEST_CASE(every_member_is_read_in_place) {
    IssueLeaseView view;
    BOOST_REQUIRE(read_issue_lease(full, view).has_value());
    check_full(view);
    BOOST_TEST((view.credential.data() > full.data() && view.node.data() < full.data() + full.size()));
}

BOOST_AUTO_TEST_CASE(a_client_s_message_reads_back) {
    credlease::wire::IssueLease message;
    message.credential = "Acme \"prod\"";
    message.ttl = 90s;
    message.purpose.emplace().run = "42";
    IssueLeaseView view;
    const std::string body = credlease::wire::write_message(message);
    BOOST_REQUIRE(read_issue_lease(body, view).has_value());
    BOOST_TEST(view.credential == "Acme \"prod\"");
    BOOST_TEST((view.ttl == 90s));
    BOOST_TEST(view.run == "42");
    BOOST_TEST(!view.fields_given);
}

BOOST_AUTO_TEST_CASE(no_heap_allocation_is_made) {
    const std::string escaped =
        R"({"cred\u0065ntial":"a\"b\u00e9","purpose":{"workflow":"\\w"},"fields":["to\u006ben"],"ttl":"1h"})";
    IssueLeaseView view;
    IssueLeaseView other;
    const auto before = credlease::test::allocations();
    const bool plain = read_issue_lease(full, view).has_value();
    const bool with_escapes = read_issue_lease(escaped, other).has_value();
    const auto after = credlease::test::allocations();
    BOOST_TEST(plain);
    BOOST_TEST(with_escapes);
    BOOST_TEST(after == before);
    BOOST_TEST(other.credential == "a\"b\xc3\xa9");
    BOOST_TEST(other.workflow == "\\w");
    BOOST_TEST(other.field_names[0] == "token");
}

BOOST_AUTO_TEST_CASE(a_bare_credential_is_enough_and_nothing_is_not) {
    IssueLeaseView view;
    BOOST_TEST(read_issue_lease(R"({"credential":"c"})", view).has_value());
    BOOST_TEST((!view.ttl && !view.bind && view.workspace.empty() && view.field_count == 0));
    refuses("{}", "credential");
    refuses(R"({"credential":""})", "credential");
}

BOOST_AUTO_TEST_CASE(unknown_and_repeated_members_are_refused) {
    refuses(R"({"credential":"c","color":"red"})", "color");
    refuses(R"({"credential":"c","purpose":{"credential":"x"}})", "credential");
    refuses(R"({"credential":"c","run":"1"})", "run");
    refuses(R"({"credential":"c","credential":"c"})", "credential");
    refuses(R"({"credential":"c","\u0063redential":"c"})", "credential");
    refuses(R"({"credential":"c","purpose":{},"purpose":{}})", "purpose");
    refuses(R"({"credential":"c","purpose":{"run":"1","run":"2"}})", "run");
    refuses(R"({"credential":"c",")" + std::string(100, 'k') + R"(":1})", "");
}

BOOST_AUTO_TEST_CASE(wrong_types_are_refused) {
    for (const auto* value : {"1", "-1", "1.5", "true", "null", "{}", "[]"}) {
        refuses(R"({"credential":)" + std::string(value) + "}", "credential");
        refuses(R"({"credential":"c","ttl":)" + std::string(value) + "}", "ttl");
    }
    for (const auto* value : {"1", "\"x\"", "[]", "null"}) {
        refuses(R"({"credential":"c","purpose":)" + std::string(value) + "}", "purpose");
    }
    for (const auto* value : {"\"token\"", "{}", "1", "[1]", "[[\"a\"]]", "[{}]", "[null]", "[\"\"]"}) {
        refuses(R"({"credential":"c","fields":)" + std::string(value) + "}", "fields");
    }
    refuses(R"({"credential":"c","purpose":{"run":{"run":"1"}}})", "purpose.run");
    refuses(R"({"credential":"c","purpose":{"run":7}})", "purpose.run");
    refuses(R"({"credential":"c","bind":"thread"})", "bind");
    refuses(R"({"credential":"c","ttl":"0s"})", "ttl");
    refuses(R"({"credential":"c","ttl":"11y"})", "ttl");
    refuses(R"({"credential":"c","min_valid":"soon"})", "min_valid");
}

BOOST_AUTO_TEST_CASE(what_is_not_one_json_object_is_refused) {
    for (const auto* body : {"", "[]", "\"c\"", "1", "null", "{", "{}x", R"({"credential":"c"}{})",
                             R"({"credential":"c",})", "{\"credential\":\"\xff\"}"}) {
        refuses(body, "");
    }
    refuses(R"({"credential":"a\u0000b"})", "credential");
}

BOOST_AUTO_TEST_CASE(texts_are_bounded) {
    const auto with = [](const char* name, std::size_t size) {
        return R"({"credential":"c",")" + std::string(name) + R"(":")" + std::string(size, 'x') + R"("})";
    };
    IssueLeaseView view;
    BOOST_TEST(read_issue_lease(with("workspace", 128), view).has_value());
    refuses(with("workspace", 129), "workspace");
}

BOOST_AUTO_TEST_CASE(a_purpose_is_as_long_as_a_grant_s_may_be) {
    const auto with = [](std::size_t size) {
        return R"({"credential":"c","purpose":{"run":")" + std::string(size, 'x') + R"("}})";
    };
    IssueLeaseView view;
    BOOST_TEST(read_issue_lease(with(credlease::vocabulary::label_bytes_most), view).has_value());
    refuses(with(credlease::vocabulary::label_bytes_most + 1), "purpose.run");
}

BOOST_AUTO_TEST_CASE(a_purpose_has_no_character_that_is_not_seen) {
    for (const std::string unseen : {"\\n", "\\u001b[2J", "\\u202e", "\xe2\x80\xae"}) {
        refuses(R"({"credential":"c","purpose":{"workflow":"a)" + unseen + R"("}})", "purpose.workflow");
        refuses(R"({"credential":"c","purpose":{"node":")" + unseen + R"("}})", "purpose.node");
    }
    IssueLeaseView view;
    BOOST_TEST(read_issue_lease("{\"credential\":\"c\",\"purpose\":{\"run\":\"na\xc3\xafve\"}}", view).has_value());
}

BOOST_AUTO_TEST_CASE(the_longest_name_can_be_asked_for_in_every_scope) {
    std::string name; // keys, four bytes each, plain and escaped
    std::string escaped;
    for (std::size_t i = 0; i < credlease::vocabulary::name_characters_most; ++i) {
        name += "\xf0\x9f\x94\x91";
        escaped += "\\ud83d\\udd11";
    }
    BOOST_REQUIRE(credlease::vocabulary::CredentialName::read(name).has_value());
    for (const std::string prefix : {"", "personal:", "workspace:", "organization:"}) {
        for (const auto& text : {name, escaped}) {
            IssueLeaseView view;
            const std::string body = R"({"credential":")" + prefix + text + R"("})";
            BOOST_TEST(read_issue_lease(body, view).has_value(), prefix);
            BOOST_TEST(view.credential == prefix + name);
        }
    }
    refuses(R"({"credential":"organization:)" + name + R"(x"})", "credential");
}

BOOST_AUTO_TEST_CASE(escaped_texts_share_a_bounded_memory) {
    const auto escaped = [](std::size_t size) { return "\\n" + std::string(size - 1, 'x'); };
    std::string body = R"({"credential":"c","fields":[)";
    for (int i = 0; i < 9; ++i) body += (i == 0 ? "\"" : ",\"") + escaped(120) + "\"";
    refuses(body + "]}", "fields");
}

BOOST_AUTO_TEST_CASE(more_than_32_fields_are_refused) {
    std::string body = R"({"credential":"c","fields":["f")";
    for (int i = 1; i < 32; ++i) body += ",\"f\"";
    IssueLeaseView view;
    BOOST_TEST(read_issue_lease(body + "]}", view).has_value());
    BOOST_TEST(view.field_count == 32U);
    refuses(body + ",\"f\"]}", "fields");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
