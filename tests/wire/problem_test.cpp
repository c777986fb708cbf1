#define BOOST_TEST_DYN_LINK
#include "wire/problem.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

namespace {

using namespace credlease::result;
using credlease::wire::problem_json;
using credlease::wire::read_problem;
using credlease::wire::reason_phrase;
using credlease::wire::status_of;

boost::json::value written(const Error& error) { return boost::json::parse(problem_json(error, "req_1")); }

BOOST_AUTO_TEST_SUITE(problem)

BOOST_AUTO_TEST_CASE(a_problem_has_the_members_of_rfc_9457_and_ours) {
    const auto text = problem_json({.code = ErrorCode::credential_revoked,
                                    .sentence = "Credential revoked.",
                                    .next_step = "Ask for a new one.",
                                    .about = PublicText::of("Acme")},
                                   "req_01j");
    BOOST_TEST(text == R"({"type":"urn:credlease:error:credential_revoked","title":"Credential revoked","status":409,)"
                       R"("detail":"Credential revoked (Acme). Ask for a new one.","code":"credential_revoked",)"
                       R"("request_id":"req_01j"})");
}

BOOST_AUTO_TEST_CASE(each_code_adds_what_belongs_to_it) {
    BOOST_TEST((written(invalid("scope.kind", "Wrong.")).at("field").as_string() == "scope.kind"));
    BOOST_TEST(
        (written({.code = ErrorCode::lease_ended, .reason = "released"}).at("reason").as_string() == "released"));
    BOOST_TEST((written({.code = ErrorCode::version_conflict, .current_revision = 7}).at("current_etag").as_string() ==
                "\"7\""));
    BOOST_TEST(written({.code = ErrorCode::overloaded, .retry_after_seconds = 3}).at("retry_after").as_int64() == 3);
    Error error{.code = ErrorCode::name_ambiguous, .candidates = {PublicText::of("a"), PublicText::of("b")}};
    BOOST_TEST(written(error).at("candidates").as_array().size() == 2U);
    error.code = ErrorCode::credential_in_use;
    BOOST_TEST((written(error).at("references").at(1).as_string() == "b"));
}

BOOST_AUTO_TEST_CASE(what_a_program_says_of_its_surroundings_is_internal_on_the_wire) {
    for (const auto code : {ErrorCode::configuration, ErrorCode::unreachable, ErrorCode::damaged}) {
        BOOST_TEST((written({.code = code}).at("code").as_string() == "internal"));
        BOOST_TEST(written({.code = code}).at("status").as_int64() == 500);
    }
}

BOOST_AUTO_TEST_CASE(every_code_has_a_status_with_a_phrase) {
    for (auto code = ErrorCode::invalid_request; code <= ErrorCode::damaged;
         code = static_cast<ErrorCode>(static_cast<int>(code) + 1)) {
        BOOST_TEST(status_of(code) >= 400U);
        BOOST_TEST(reason_phrase(status_of(code)) != "Unknown");
    }
    BOOST_TEST(status_of(ErrorCode::unauthenticated) == 401U);
    BOOST_TEST(status_of(ErrorCode::lease_ended) == 410U);
    BOOST_TEST(status_of(ErrorCode::precondition_required) == 428U);
    BOOST_TEST(status_of(ErrorCode::sealed) == 503U);
    BOOST_TEST(reason_phrase(201) == "Created");
}

BOOST_AUTO_TEST_CASE(a_client_reads_a_problem_back) {
    Error sent{.code = ErrorCode::version_conflict,
               .sentence = "It was changed by someone else.",
               .next_step = "Read it again.",
               .current_revision = 7,
               .retry_after_seconds = 3};
    sent.candidates = {PublicText::of("a")};
    sent.field = PublicText::of("x.y");
    const Error read = read_problem(412, problem_json(sent, "req_1"));
    BOOST_TEST((read.code == ErrorCode::version_conflict));
    BOOST_TEST(read.about.text() == "It was changed by someone else. Read it again.");
    BOOST_TEST(read.field.text() == "x.y");
    BOOST_TEST((read.current_revision == 7U));
    BOOST_TEST((read.retry_after_seconds == 3U));
    BOOST_TEST((read.candidates == sent.candidates));
}

BOOST_AUTO_TEST_CASE(a_lease_s_end_is_read_back_with_its_reason) {
    const Error read =
        read_problem(410, problem_json({.code = ErrorCode::lease_ended, .reason = "holder_exited"}, "r"));
    BOOST_TEST(read.reason.view() == "holder_exited");
}

BOOST_AUTO_TEST_CASE(a_code_of_a_newer_broker_keeps_its_detail) {
    const Error read = read_problem(418, R"({"code":"teapot","detail":"I am short and stout."})");
    BOOST_TEST((read.code == ErrorCode::internal));
    BOOST_TEST(read.about.text() == "I am short and stout.");
}

BOOST_AUTO_TEST_CASE(a_body_that_is_no_problem_is_internal_with_its_status) {
    for (const auto* body : {"", "<html>", "[]", "{}", R"({"code":7})"}) {
        const Error read = read_problem(502, body);
        BOOST_TEST((read.code == ErrorCode::internal));
        BOOST_TEST(read.about.text() == "HTTP status 502");
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
