#define BOOST_TEST_DYN_LINK
#include "audit/checkpoint.hpp"
#include "failing_disk.hpp"
#include "sample_journal.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace credlease::audit::test {
namespace {

namespace fs = std::filesystem;
using credlease::test::TemporaryFolder;
using vocabulary::AuditRecord;

/// Remembers how many leases were issued, and tells that in one record.
struct Counting {
    std::size_t issued = 0;
    std::size_t taken = 0;

    [[nodiscard]] Journal::Shortener shortener() {
        return {.take =
                    [this](const AuditRecord& record) {
                        ++taken;
                        if (record.action == Action::lease_issued) ++issued;
                        if (record.action == Action::log_gap) issued += std::stoul(std::string(record.detail));
                    },
                .give =
                    [this](const auto& put) {
                        const auto detail = std::to_string(issued);
                        put({.action = Action::log_gap, .detail = detail});
                    }};
    }
};

/// A log of many small segments.
struct Segments {
    Segments() : sample(folder.path(), {.segment_size = 2000}) { sample.open(); }
    void issue(int count) {
        for (int i = 0; i < count; ++i) BOOST_REQUIRE(sample.issue_now("run"));
    }
    /// Leases that the replay tells of, by itself or through the checkpoint.
    [[nodiscard]] std::size_t replayed() {
        sample.close();
        sample.open();
        std::size_t count = 0;
        for (const auto& text : sample.seen) {
            if (text.starts_with("log.pruned")) continue;
            count += text == "lease.issued run" ? 1 : std::stoul(text.substr(text.rfind(' ') + 1));
        }
        return count;
    }
    void prune_all_but_the_last() {
        sample.let_head_follow();
        BOOST_REQUIRE(sample.wait(sample.journal->prune(std::chrono::hours(24), 1, *sample.bulk)).has_value());
    }
    [[nodiscard]] fs::path newest() const {
        fs::path found;
        for (const auto& entry : fs::directory_iterator(folder.path() / "journal")) {
            if (entry.path().extension() == ".start" && entry.path() > found) found = entry.path();
        }
        return found;
    }

    TemporaryFolder folder;
    SampleJournal sample;
    Counting counting;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(checkpoints, Segments)

BOOST_AUTO_TEST_CASE(a_checkpoint_stands_for_all_that_lies_before_its_segment) {
    issue(60);
    BOOST_REQUIRE(sample.journal->checkpoint(counting.shortener()));
    BOOST_TEST(counting.issued > 40U);
    BOOST_TEST(replayed() == 60U);
    BOOST_TEST(sample.seen.size() == 1 + 60 - counting.issued);
    BOOST_TEST(sample.journal->verify(std::nullopt).records == 60U);
}

BOOST_AUTO_TEST_CASE(the_next_one_is_made_from_the_last_and_the_log_behind_it) {
    issue(60);
    BOOST_REQUIRE(sample.journal->checkpoint(counting.shortener()));
    const auto first = counting.issued;
    issue(40);
    Counting again;
    BOOST_REQUIRE(sample.journal->checkpoint(again.shortener()));
    BOOST_TEST(again.issued > first);
    BOOST_TEST(again.taken == 1 + again.issued - first);
    BOOST_TEST(replayed() == 100U);
}

BOOST_AUTO_TEST_CASE(one_that_is_changed_cut_or_anothers_is_not_believed_and_the_log_is_read_instead) {
    issue(60);
    BOOST_REQUIRE(sample.journal->checkpoint(counting.shortener()));
    const auto file = newest();
    const auto older = folder.path() / "older";
    fs::copy_file(file, older);
    for (std::uintmax_t at = 0; at < fs::file_size(file); at += 7) {
        std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
        bytes.seekg(static_cast<std::streamoff>(at));
        const auto byte = static_cast<char>(bytes.get() ^ 1);
        bytes.seekp(static_cast<std::streamoff>(at));
        bytes.put(byte);
        bytes.close();
        BOOST_TEST(replayed() == 60U);
        BOOST_TEST(sample.seen.size() == 60U);
        fs::copy_file(older, file, fs::copy_options::overwrite_existing);
    }
    fs::resize_file(file, fs::file_size(file) - 1);
    BOOST_TEST(replayed() == 60U);
    fs::resize_file(file, 0);
    BOOST_TEST(replayed() == 60U);

    issue(40);
    Counting again;
    BOOST_REQUIRE(sample.journal->checkpoint(again.shortener()));
    fs::copy_file(older, newest(), fs::copy_options::overwrite_existing);
    BOOST_TEST(replayed() == 100U);
    BOOST_TEST(sample.seen.size() == 100U);
}

BOOST_AUTO_TEST_CASE(none_is_made_of_a_log_that_does_not_verify) {
    issue(60);
    std::fstream bytes(sample.log_file(1), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(500);
    bytes.put('!');
    bytes.close();
    BOOST_TEST(!sample.journal->checkpoint(counting.shortener()));
    BOOST_TEST(newest().empty());
}

BOOST_AUTO_TEST_CASE(what_was_pruned_is_told_by_the_checkpoint_behind_it_for_ever) {
    issue(60);
    BOOST_REQUIRE(sample.journal->checkpoint(counting.shortener()));
    prune_all_but_the_last();
    BOOST_TEST(sample.journal->verify(std::nullopt).first > 40U);
    BOOST_TEST(replayed() == 60U);
    issue(40);
    Counting again;
    BOOST_REQUIRE(sample.journal->checkpoint(again.shortener()));
    prune_all_but_the_last();
    BOOST_TEST(replayed() == 100U);
    BOOST_TEST(sample.journal->verify(std::nullopt).problem == "");
    sample.close();
    std::ofstream(folder.path() / "audit.head").flush(); // the operator gives the head up
    BOOST_TEST(replayed() == 100U);
}

BOOST_AUTO_TEST_CASE(nothing_is_pruned_without_a_checkpoint_that_is_on_the_disk) {
    issue(60);
    prune_all_but_the_last();
    BOOST_TEST(sample.journal->verify(std::nullopt).first == 1U);
    BOOST_REQUIRE(sample.journal->checkpoint(counting.shortener()));
    {
        const FailingDisk disk(Call::sync, ".start", EIO);
        prune_all_but_the_last();
    }
    BOOST_TEST(sample.journal->verify(std::nullopt).first == 1U);
    prune_all_but_the_last();
    BOOST_TEST(sample.journal->verify(std::nullopt).first > 40U);
}

BOOST_AUTO_TEST_CASE(no_head_says_that_records_were_pruned_before_the_log_does) {
    issue(60);
    BOOST_REQUIRE(sample.journal->checkpoint(counting.shortener()));
    sample.let_head_follow();
    issue(1); // above the head
    runtime::TaskGroup group(sample.loop);
    {
        const HangingDisk slow(Call::write, "/journal/");
        group.start([](SampleJournal& with) -> runtime::Task<> {
            const auto done = co_await with.journal->prune(std::chrono::hours(24), 1, *with.bulk);
            BOOST_TEST(done.has_value());
        }(sample));
        sample.run_until([&] { return slow.is_reached(); });
        sample.clock.advance(std::chrono::milliseconds(60));
        sample.run_until([&] { return sample.journal->head_text().starts_with("61:"); });
        fs::copy_file(folder.path() / "audit.head", folder.path() / "old.head");
    }
    sample.run_until([&] { return group.size() == 0; });
    sample.close();
    fs::copy_file(folder.path() / "old.head", folder.path() / "audit.head", fs::copy_options::overwrite_existing);
    const auto error = sample.try_open();
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST(error->detail().contains("never pruned"), error->detail());
}

BOOST_AUTO_TEST_CASE(a_pruned_log_without_its_checkpoint_is_refused) {
    issue(60);
    BOOST_REQUIRE(sample.journal->checkpoint(counting.shortener()));
    prune_all_but_the_last();
    const auto file = newest();
    fs::resize_file(file, fs::file_size(file) - 1);
    BOOST_TEST(sample.journal->verify(std::nullopt).problem.contains("checkpoint"));
    sample.close();
    const auto error = sample.try_open();
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST((error->code == result::ErrorCode::damaged));
    BOOST_TEST(error->detail().contains(file.filename().string()));
}

BOOST_AUTO_TEST_CASE(whoever_makes_them_is_told_when_a_segment_begins) {
    std::size_t begun = 0;
    sample.close();
    sample.options.segment_begun = [&begun] { ++begun; };
    sample.open();
    BOOST_TEST(begun == 0U);
    issue(60);
    BOOST_TEST(begun > 2U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
