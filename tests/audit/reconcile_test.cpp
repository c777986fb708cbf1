#define BOOST_TEST_DYN_LINK
#include "sample_journal.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace credlease::audit::test {
namespace {

using credlease::test::copy_over;
using credlease::test::TemporaryFolder;

/// Two durable records, then a lease and a change that the disk may or may not have kept: each test puts together what
/// a power loss can leave.
struct AfterPowerLoss {
    AfterPowerLoss() : sample(folder.path()) {
        sample.open();
        BOOST_REQUIRE(sample.put_now("a", "old").has_value());
        BOOST_REQUIRE(sample.issue_now("durable"));
        sample.close();
        for (const char* part : {"audit.head", "journal", "store"})
            copy_over(at(part), at("before." + std::string(part)));
        sample.open();
        BOOST_REQUIRE(sample.issue_now("lost"));
        BOOST_REQUIRE(sample.put_now("a", "new").has_value()); // record 4
        sample.close();
    }
    [[nodiscard]] std::filesystem::path at(const std::string& part) const { return folder.path() / part; }
    void put_back(const std::string& part) { copy_over(at("before." + part), at(part)); }

    TemporaryFolder folder;
    SampleJournal sample;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(reconciling, AfterPowerLoss)

BOOST_AUTO_TEST_CASE(a_change_that_log_and_store_have_stands_although_the_head_was_lost) {
    put_back("audit.head");
    sample.open();
    BOOST_TEST(sample.seen.back() == "credential.edited a");
    BOOST_TEST(sample.shown["a"] == "new");
    BOOST_TEST(sample.damaged().empty());
    BOOST_TEST(sample.journal->head_text().starts_with("4:"));
    BOOST_TEST(sample.put_now("a", "newest").has_value());
}

BOOST_AUTO_TEST_CASE(a_record_that_the_store_has_and_the_log_lacks_is_appended) {
    put_back("audit.head");
    put_back("journal");
    for (int start = 0; start < 2; ++start) {
        sample.open();
        BOOST_TEST(sample.shown["a"] == "new");
        const std::vector<std::string> expected{"credential.created a", "lease.issued durable", "credential.edited a"};
        BOOST_TEST((sample.seen == expected)); // once, at every start
        sample.close();
    }
}

BOOST_AUTO_TEST_CASE(a_record_above_the_head_whose_change_is_missing_is_followed_by_one_that_says_so) {
    put_back("audit.head");
    put_back("store");
    sample.open();
    BOOST_TEST(sample.shown["a"] == "old");
    BOOST_TEST(sample.seen.back() == "log.change_not_made 4");
    BOOST_TEST(sample.damaged().empty());
    BOOST_TEST(sample.put_now("a", "another").has_value());
    sample.close();
    sample.open();
    BOOST_TEST(sample.shown["a"] == "another");
    BOOST_TEST(sample.seen.back() == "credential.edited a");
    BOOST_TEST(std::ranges::count(sample.seen, "log.change_not_made 4") == 1);
}

BOOST_AUTO_TEST_CASE(with_neither_change_nor_record_there_is_nothing_to_say) {
    for (const char* part : {"audit.head", "journal", "store"}) put_back(part);
    sample.open();
    BOOST_TEST(sample.shown["a"] == "old");
    BOOST_TEST(sample.seen.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_missing_change_at_the_head_refuses_the_start_and_is_named) {
    put_back("store");
    const auto error = sample.try_open();
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST((error->code == result::ErrorCode::damaged));
    BOOST_TEST(error->detail().contains("the change of record 4"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
