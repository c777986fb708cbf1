#define BOOST_TEST_DYN_LINK
#include "sample_journal.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>

namespace credlease::audit::test {
namespace {

namespace fs = std::filesystem;
using credlease::test::copy_over;
using credlease::test::TemporaryFolder;

std::map<std::string, std::string> files_of(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file() || entry.path().string().contains("/store/")) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        files[entry.path()] = {std::istreambuf_iterator<char>(in), {}};
    }
    return files;
}

/// A log of 30 records in several segments, closed: the head names the last.
struct ThirtyRecords {
    ThirtyRecords() : sample(folder.path(), {.segment_size = 1000}) {
        sample.open();
        for (int i = 1; i <= 30; ++i) {
            const auto run = std::to_string(i);
            BOOST_REQUIRE(i % 10 == 0 ? sample.put_now(run, run).has_value() : sample.issue_now(run));
        }
        sample.close();
    }

    /// Refused with `damaged`, in words that name `what`, and nothing was written.
    void check_refused(const std::string& what) {
        const auto before = files_of(folder.path());
        const auto error = sample.try_open();
        BOOST_REQUIRE(error.has_value());
        BOOST_TEST((error->code == result::ErrorCode::damaged));
        BOOST_TEST(error->detail().contains(what), error->detail());
        BOOST_TEST((files_of(folder.path()) == before));
    }

    /// Puts the head of another log of one record in the place of this one's.
    void put_stranger_s_head_here(std::string_view key) {
        const TemporaryFolder other;
        SampleJournal stranger(other.path());
        stranger.audit_key = key;
        stranger.open();
        BOOST_REQUIRE(stranger.issue_now("stranger"));
        stranger.close();
        copy_over(other.path() / "audit.head", folder.path() / "audit.head");
    }

    TemporaryFolder folder;
    SampleJournal sample;
};

/// What was written of a segment: behind it lie the zeros that were allocated ahead.
std::uintmax_t written_size(const fs::path& segment) {
    std::ifstream in(segment, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    return bytes.find_last_not_of('\0') + 1;
}

/// Offset of the record's frame in its segment: frames are found by their lengths.
std::int64_t frame_offset(const fs::path& segment, std::uint64_t index) {
    std::ifstream in(segment, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    std::size_t at = 128;
    for (; index > 0; --index) {
        std::uint32_t length = 0;
        std::memcpy(&length, bytes.data() + at, sizeof length);
        at += 4 + length + 16;
    }
    return static_cast<std::int64_t>(at);
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(log_damage, ThirtyRecords)

BOOST_AUTO_TEST_CASE(a_flipped_record_below_the_head_is_named_with_its_file) {
    flip(sample.log_file(0), frame_offset(sample.log_file(0), 2) + 20);
    check_refused("record 3 in 00000000000000000001.log");
}

BOOST_AUTO_TEST_CASE(a_log_that_is_cut_below_its_head_is_refused) {
    fs::resize_file(sample.last_log_file(), static_cast<std::uintmax_t>(frame_offset(sample.last_log_file(), 1)));
    check_refused("record 30 is missing");
}

BOOST_AUTO_TEST_CASE(a_segment_that_is_gone_is_refused) {
    fs::remove(sample.log_file(1));
    check_refused("damaged");
    fs::remove(sample.log_file(0));
    check_refused("lacks records that were never pruned");
}

BOOST_AUTO_TEST_CASE(a_log_that_is_gone_is_refused) {
    fs::remove_all(folder.path() / "journal");
    check_refused("The audit log is gone");
}

BOOST_AUTO_TEST_CASE(swapped_segments_are_refused) {
    const auto first = sample.log_file(0);
    const auto second = sample.log_file(1);
    fs::rename(first, folder.path() / "aside");
    fs::rename(second, first);
    fs::rename(folder.path() / "aside", second);
    check_refused("The audit log is damaged (record 1 in 00000000000000000001.log)");
}

BOOST_AUTO_TEST_CASE(later_segments_that_are_swapped_are_refused_at_the_first_record_that_is_not_there) {
    const auto second = sample.log_file(1);
    const auto third = sample.log_file(2);
    fs::rename(second, folder.path() / "aside");
    fs::rename(third, second);
    fs::rename(folder.path() / "aside", third);
    const auto first_bad = std::to_string(std::stoull(second.stem().string()));
    check_refused("The audit log is damaged (record " + first_bad + " in " + second.filename().string() + ")");
}

BOOST_AUTO_TEST_CASE(a_flipped_header_is_refused_even_where_nothing_is_replayed) {
    sample.open();
    BOOST_REQUIRE(sample.journal->checkpoint({.take = [](const auto&) {}, .give = [](const auto&) {}}));
    sample.close();
    flip(sample.log_file(0), 40);
    const auto error = sample.try_open();
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST(error->detail().contains("does not begin as it was written"));
}

BOOST_AUTO_TEST_CASE(a_segment_of_a_newer_format_is_refused_by_name) {
    flip(sample.log_file(0), 8);
    const auto error = sample.try_open();
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST((error->code == result::ErrorCode::configuration));
    BOOST_TEST(error->detail().contains("written by a newer version of Credlease"));
}

BOOST_AUTO_TEST_CASE(a_damaged_head_is_refused_but_one_torn_slot_is_not) {
    flip(folder.path() / "audit.head", 30);
    sample.open();
    sample.close();
    flip(folder.path() / "audit.head", 30);
    flip(folder.path() / "audit.head", 4096 + 30);
    check_refused("The audit head is damaged");
}

BOOST_AUTO_TEST_CASE(a_missing_head_is_refused_and_an_empty_one_is_the_operators_word) {
    fs::remove(folder.path() / "audit.head");
    check_refused("The audit head is missing");
    std::ofstream(folder.path() / "audit.head").flush();
    sample.open();
    BOOST_TEST(sample.replayed.head_lost);
    BOOST_TEST(sample.seen.size() == 30U);
    BOOST_TEST(sample.put_now("40", "after").has_value());
    sample.close();
    sample.open();
    BOOST_TEST(!sample.replayed.head_lost);
    BOOST_TEST(sample.shown.size() == 4U);
}

BOOST_AUTO_TEST_CASE(another_root_key_s_head_is_refused_as_such) {
    put_stranger_s_head_here("fedcba9876543210fedcba9876543210");
    check_refused("The audit head is damaged, or belongs to another root key");
}

BOOST_AUTO_TEST_CASE(another_store_s_head_is_refused_as_such) {
    put_stranger_s_head_here(sample_key);
    check_refused("The audit head belongs to another store, or the audit log was replaced (record 1)");
}

BOOST_AUTO_TEST_CASE(a_head_that_is_put_back_alone_is_found_as_soon_as_changes_lie_between) {
    copy_over(folder.path() / "audit.head", folder.path() / "old.head");
    sample.open();
    BOOST_REQUIRE(sample.put_now("x", "1").has_value());
    BOOST_REQUIRE(sample.put_now("y", "1").has_value());
    sample.close();
    copy_over(folder.path() / "old.head", folder.path() / "audit.head");
    check_refused("older than the store");
}

BOOST_AUTO_TEST_CASE(a_head_that_is_put_back_with_the_log_is_found_by_the_store) {
    copy_over(folder.path() / "audit.head", folder.path() / "old.head");
    copy_over(folder.path() / "journal", folder.path() / "old.journal");
    sample.open();
    BOOST_REQUIRE(sample.put_now("x", "1").has_value());
    BOOST_REQUIRE(sample.put_now("y", "1").has_value());
    sample.close();
    copy_over(folder.path() / "old.head", folder.path() / "audit.head");
    copy_over(folder.path() / "old.journal", folder.path() / "journal");
    check_refused("older than the store");
}

BOOST_AUTO_TEST_CASE(a_store_that_is_put_back_is_refused_and_the_missing_change_named) {
    copy_over(folder.path() / "store", folder.path() / "old.store");
    sample.open();
    BOOST_REQUIRE(sample.put_now("x", "1").has_value()); // record 31
    BOOST_REQUIRE(sample.put_now("y", "1").has_value());
    sample.close();
    copy_over(folder.path() / "old.store", folder.path() / "store");
    check_refused("the change of record 31");
}

BOOST_AUTO_TEST_CASE(a_torn_tail_above_the_head_is_cut) {
    copy_over(folder.path() / "audit.head", folder.path() / "old.head");
    sample.open();
    for (int i = 31; i <= 33; ++i) BOOST_REQUIRE(sample.issue_now(std::to_string(i)));
    sample.close();
    copy_over(folder.path() / "old.head", folder.path() / "audit.head");
    const auto last = sample.last_log_file();
    fs::resize_file(last, written_size(last) - 7);
    sample.open();
    BOOST_TEST(sample.seen.back() == "lease.issued 32");
    BOOST_TEST(sample.issue("again").value() == 33U);
    sample.close();
    sample.open();
    BOOST_TEST(sample.seen.back() == "lease.issued again");
    BOOST_TEST(sample.journal->verify(std::nullopt).problem == "");
}

BOOST_AUTO_TEST_CASE(segments_behind_a_torn_tail_go_with_it) {
    copy_over(folder.path() / "audit.head", folder.path() / "old.head");
    sample.open();
    for (int i = 31; i <= 60; ++i) BOOST_REQUIRE(sample.issue_now(std::to_string(i)));
    sample.close();
    copy_over(folder.path() / "old.head", folder.path() / "audit.head");
    fs::path torn;
    for (std::size_t i = 0; torn.empty(); ++i) {
        if (sample.log_file(i).filename() > "00000000000000000032") torn = sample.log_file(i);
    }
    flip(torn, frame_offset(torn, 1) + 9);
    const auto lost = std::stoull(torn.stem().string()) + 1;
    sample.open();
    BOOST_TEST(sample.seen.size() == lost - 1);
    BOOST_TEST(sample.last_log_file() == torn);
    BOOST_TEST(sample.issue_now("again"));
    BOOST_TEST(sample.journal->verify(std::nullopt).problem == "");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
