#define BOOST_TEST_DYN_LINK
#include "failing_disk.hpp"
#include "sample_journal.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace credlease::audit::test {
namespace {

using credlease::test::TemporaryFolder;

/// Lets everything that is due within some seconds happen.
void let_pass(SampleJournal& sample) {
    for (int i = 0; i < 20; ++i) {
        sample.clock.advance(std::chrono::milliseconds(200));
        sample.loop.context().restart();
        sample.loop.context().run_for(std::chrono::milliseconds(5));
    }
}

/// Moves time on until a lease's record is written again.
void wait_until_well(SampleJournal& sample) {
    sample.run_until([&] {
        sample.clock.advance(std::chrono::milliseconds(200));
        return sample.issue_now("probe");
    });
}

[[noreturn]] void die() {
    kill(getpid(), SIGKILL);
    _exit(4);
}

/// Runs `use` in a process of its own, which it ends by `die`.
template <class Use> void run_and_kill(Use use) {
    const pid_t child = fork();
    if (child == 0) {
        use();
        _exit(3);
    }
    int status = 0;
    waitpid(child, &status, 0);
    BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

/// What a start finds: sound, and "a" as log and store agree on.
void check_start(const std::filesystem::path& data, const std::string& value) {
    SampleJournal sample(data);
    sample.open();
    BOOST_TEST(sample.shown["a"] == value);
    BOOST_TEST(sample.damaged().empty());
    BOOST_TEST(sample.journal->verify(std::nullopt).problem == "");
    BOOST_TEST(sample.put_now("a", "afterwards").has_value());
}

} // namespace

BOOST_AUTO_TEST_SUITE(head_failures)

BOOST_AUTO_TEST_CASE(a_change_is_not_taken_back_while_a_head_that_may_name_it_cannot_be_taken_back) {
    const TemporaryFolder folder;
    {
        SampleJournal sample(folder.path());
        sample.open();
        BOOST_REQUIRE(sample.put_now("a", "old").has_value());
        const HangingDisk slow(Call::sync, "audit.head");
        std::optional<result::Result<std::uint64_t>> changed;
        runtime::TaskGroup group(sample.loop);
        group.start([](SampleJournal& with, auto& outcome) -> runtime::Task<> {
            outcome.emplace(co_await with.put("a", "refused"));
        }(sample, changed));
        sample.run_until([&] { return slow.is_reached(); });
        const FailingDisk read_only(Call::write, "audit.head", EROFS);
        const FailingDisk disk(Call::sync, "audit.head", EIO, 1);
        sample.run_until([&] { return changed.has_value() && group.size() == 0; });
        BOOST_TEST(!changed->has_value());
        let_pass(sample);
        BOOST_TEST(!sample.journal->is_healthy());
        sample.close();
    }
    check_start(folder.path(), "refused"); // head, log and store have it
}

BOOST_AUTO_TEST_CASE(a_kill_behind_the_undo_of_a_change_whose_head_failed_harms_no_start) {
    const TemporaryFolder folder;
    run_and_kill([&] {
        SampleJournal sample(folder.path());
        sample.open();
        if (!sample.put_now("a", "old").has_value()) _exit(1);
        const FailingDisk disk(Call::sync, "audit.head", EIO, 1);
        if (sample.put_now("a", "refused").has_value()) _exit(2);
        usleep(100'000); // the log thread takes the change back; the loop does not come round
        die();
    });
    check_start(folder.path(), "old");
}

BOOST_AUTO_TEST_CASE(a_head_that_is_taken_back_late_ends_with_all_well) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    BOOST_REQUIRE(sample.put_now("a", "old").has_value());
    {
        const FailingDisk disk(Call::sync, "audit.head", EIO, 3);
        BOOST_TEST(!sample.put_now("a", "refused").has_value());
        let_pass(sample);
    }
    wait_until_well(sample);
    sample.close();
    check_start(folder.path(), "old");
}

BOOST_AUTO_TEST_CASE(a_failed_change_is_told_when_the_store_has_taken_it_back_or_could_not) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    BOOST_REQUIRE(sample.put_now("a", "old").has_value());
    const auto stored = [&] {
        std::string value;
        const auto read = sample.store->scan(store::Table::credentials, "", [&](const store::Record& record) {
            value = std::string(record.value);
            return true;
        });
        BOOST_TEST(read.has_value());
        return value;
    };
    for (const int failures : {1, 2}) {
        const FailingDisk disk(Call::sync, "audit.head", EIO, failures);
        const auto refused = sample.put_now("a", "refused");
        BOOST_REQUIRE(!refused.has_value());
        const bool is_taken_back = failures == 1;
        BOOST_TEST(refused.error().detail().contains("it is taken back") == is_taken_back, refused.error().detail());
        BOOST_TEST(stored() == (is_taken_back ? "old" : "refused"));
        wait_until_well(sample);
        BOOST_TEST(stored() == "old");
    }
}

BOOST_AUTO_TEST_CASE(a_start_syncs_every_segment_that_its_head_is_the_first_to_name) {
    const TemporaryFolder folder;
    run_and_kill([&] {
        SampleJournal sample(folder.path(), {.segment_size = 2000});
        sample.open();
        for (int i = 0; i < 60; ++i) {
            if (!sample.issue_now("run")) _exit(1);
        }
        die();
    });
    SampleJournal sample(folder.path(), {.segment_size = 2000});
    sample.open();
    BOOST_TEST(sample.journal->head_text().starts_with("60:"));
    std::size_t segments = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "journal")) {
        BOOST_TEST(syncs_of(entry.path().string()) >= 1U, entry.path());
        ++segments;
    }
    BOOST_TEST(segments >= 4U);
}

BOOST_AUTO_TEST_CASE(a_head_is_made_only_when_the_log_that_it_names_is_synced) {
    const TemporaryFolder folder;
    const auto head = folder.path() / "audit.head";
    SampleJournal sample(folder.path());
    {
        const FailingDisk disk(Call::sync, "/journal/", EIO);
        BOOST_TEST(sample.try_open().has_value());
    }
    sample.open(); // a first start that failed harms no later one
    BOOST_REQUIRE(sample.issue_now("1"));
    sample.close();
    std::filesystem::resize_file(head, 0); // the operator gives it up
    {
        const FailingDisk disk(Call::sync, "/journal/", EIO);
        BOOST_TEST(sample.try_open().has_value());
    }
    BOOST_TEST(std::filesystem::file_size(head) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
