#define BOOST_TEST_MODULE result
#define BOOST_TEST_DYN_LINK
#include "result/result.hpp"

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>

using namespace credlease::result;

namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return refuse({.code = ErrorCode::forbidden, .sentence = "The number is odd."});
    return number / 2;
}

Result<std::string> half_in_words(int number) {
    auto halved = half(number);
    if (!halved) return refuse(std::move(halved.error()));
    return std::to_string(*halved);
}

} // namespace

BOOST_AUTO_TEST_CASE(a_result_is_a_value_or_why_there_is_none) {
    BOOST_TEST(half(8).value() == 4);
    BOOST_TEST(half_in_words(8).value() == "4");
    const auto refused = half_in_words(7);
    BOOST_TEST(!refused.has_value());
    BOOST_TEST(refused.error().sentence.view() == "The number is odd.");
    BOOST_CHECK(refused.error().code == ErrorCode::forbidden);
}

BOOST_AUTO_TEST_CASE(a_result_carries_move_only_values_and_copies_as_what_it_holds) {
    Result<std::unique_ptr<int>> first = std::make_unique<int>(5);
    auto second = std::move(first);
    BOOST_TEST(**second == 5);

    Result<bool> no = false;
    Result<bool> copied(no); // must copy `false`, not convert "has a value" to true
    BOOST_TEST(copied.has_value());
    BOOST_TEST(!*copied);
    Result<> done;
    BOOST_TEST(done.has_value());
    done = refuse({.code = ErrorCode::sealed});
    BOOST_TEST(!done.has_value());
}

BOOST_AUTO_TEST_CASE(every_error_code_has_a_name_of_its_own_that_reads_back) {
    for (int i = 0; i <= static_cast<int>(ErrorCode::damaged); ++i) {
        const auto code = static_cast<ErrorCode>(i);
        BOOST_TEST(!name_of(code).empty());
        BOOST_REQUIRE(find_error_code(name_of(code)).has_value());
        BOOST_TEST((*find_error_code(name_of(code)) == code), "the name of code " << i << " is taken");
    }
    BOOST_TEST(name_of(ErrorCode::invalid_request) == "invalid_request");
    BOOST_TEST(name_of(ErrorCode::internal) == "internal");
    BOOST_TEST(name_of(ErrorCode::damaged) == "damaged");
    BOOST_TEST(!find_error_code("").has_value());
    BOOST_TEST(!find_error_code("no_such_code").has_value());
}

BOOST_AUTO_TEST_CASE(the_detail_says_what_is_wrong_and_what_to_do_next) {
    Error error{.code = ErrorCode::name_taken,
                .sentence = "The name is taken.",
                .next_step = "Choose another one.",
                .about = PublicText::of("acme slack")};
    BOOST_TEST(error.detail() == "The name is taken (acme slack). Choose another one.");
    error.about = {};
    BOOST_TEST(error.detail() == "The name is taken. Choose another one.");
    error.next_step = "";
    BOOST_TEST(error.detail() == "The name is taken.");
    error.sentence = "credential revoked";
    error.about = PublicText::of("cred_1");
    BOOST_TEST(error.detail() == "credential revoked (cred_1)");
    error.next_step = "Ask its owner.";
    BOOST_TEST(error.detail() == "credential revoked (cred_1). Ask its owner.");
    error.about = {};
    BOOST_TEST(error.detail() == "credential revoked. Ask its owner.");
}

BOOST_AUTO_TEST_CASE(a_bad_member_is_named) {
    const Error error = invalid("ttl", "A duration looks like 15m.");
    BOOST_CHECK(error.code == ErrorCode::invalid_request);
    BOOST_TEST(error.field.text() == "ttl");
    BOOST_TEST(error.detail() == "A duration looks like 15m.");
}

BOOST_AUTO_TEST_CASE(public_text_stays_on_one_line_and_within_512_bytes) {
    BOOST_TEST(PublicText::of("line 1\nline 2\t\x7f\x1b[0m").text() == "line 1?line 2???[0m");
    BOOST_TEST(PublicText::of(std::string(10'000, 'a')).text().size() == 512u);
    BOOST_TEST(PublicText{}.empty());
}

BOOST_AUTO_TEST_CASE(public_text_is_never_cut_inside_a_character) {
    const std::string e_acute = "\xc3\xa9";
    std::string text = "x";
    while (text.size() < 600) text += e_acute;
    const std::string shown = PublicText::of(text).text();
    BOOST_TEST(shown.size() == 511u);
    BOOST_TEST(shown.ends_with(e_acute));
}
