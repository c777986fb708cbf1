#define BOOST_TEST_DYN_LINK
#include "broker/change.hpp"

#include <boost/test/unit_test.hpp>

namespace {

using namespace credlease;
using broker::check_match;

BOOST_AUTO_TEST_SUITE(if_match)

BOOST_AUTO_TEST_CASE(any_tag_of_a_list_may_be_the_records) {
    for (const auto* list : {"", "*", R"("9")", R"("9", "4")", R"("4","9")", R"("4" , "9" )", R"("4",	"9",)"}) {
        BOOST_TEST(check_match(list, 9).has_value(), list);
    }
}

BOOST_AUTO_TEST_CASE(no_other_tag_is_and_no_weak_one) {
    for (const auto* list :
         {R"("8")", R"("8", "99")", R"(W/"9")", "9", R"(")", ",", R"("9)", R"("8" "9")", R"(*, "8")"}) {
        const auto match = check_match(list, 9);
        BOOST_REQUIRE_MESSAGE(!match.has_value(), list);
        BOOST_TEST((match.error().code == result::ErrorCode::version_conflict));
        BOOST_TEST((match.error().current_revision == 9U));
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
