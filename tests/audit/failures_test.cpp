#define BOOST_TEST_DYN_LINK
#include "failing_disk.hpp"
#include "sample_journal.hpp"
#include "support/small_disk.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>

namespace credlease::audit::test {
namespace {

namespace fs = std::filesystem;
using credlease::test::TemporaryFolder;

struct OpenJournal {
    OpenJournal() : sample(folder.path()) {
        sample.open();
        BOOST_REQUIRE(sample.put_now("a", "old").has_value());
    }
    /// Moves time on until a lease's record is written again.
    void wait_until_well() {
        sample.run_until([&] {
            sample.clock.advance(std::chrono::milliseconds(200));
            return sample.issue_now("probe");
        });
        BOOST_TEST(sample.journal->is_healthy());
    }
    /// Closes, opens, and checks what log and store say of "a".
    void check_after_restart(const std::string& value) {
        sample.close();
        sample.open();
        BOOST_TEST(sample.shown["a"] == value);
        BOOST_TEST(sample.damaged().empty());
        BOOST_TEST(sample.journal->verify(std::nullopt).problem == "");
    }
    [[nodiscard]] std::size_t count(const std::string& text) const {
        const auto all = read_all(sample);
        return static_cast<std::size_t>(std::ranges::count(all, text));
    }

    TemporaryFolder folder;
    SampleJournal sample;
};

runtime::Task<> put_into(SampleJournal& sample, std::string key, std::string value,
                         std::optional<result::Result<std::uint64_t>>& outcome) {
    outcome.emplace(co_await sample.put(std::move(key), std::move(value)));
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(failures, OpenJournal)

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_written_refuses_leases_and_changes_and_resumes_by_itself) {
    for (const int error : {ENOSPC, EIO, EROFS}) {
        {
            const FailingDisk disk(Call::write, "/journal/", error);
            BOOST_TEST(!sample.issue_now("refused"));
            BOOST_TEST(!sample.journal->is_healthy());
            const auto changed = sample.put_now("a", "refused");
            BOOST_REQUIRE(!changed.has_value());
            BOOST_TEST((changed.error().code == result::ErrorCode::store_unavailable));
        }
        BOOST_TEST(sample.issue_now("written"));
        BOOST_TEST(sample.journal->is_healthy());
        BOOST_TEST(sample.put_now("a", std::to_string(error)).has_value());
    }
    BOOST_TEST(count("lease.issued refused") == 0U);
    BOOST_TEST(count("credential.edited a") == 3U);
    check_after_restart(std::to_string(EROFS));
}

BOOST_AUTO_TEST_CASE(everything_staged_behind_a_failed_write_fails_with_it_and_the_numbers_go_on) {
    const auto before = sample.journal->last_staged();
    {
        const FailingDisk disk(Call::write, "/journal/", EIO, 1);
        for (int i = 0; i < 10; ++i) static_cast<void>(sample.issue("first"));
        sample.journal->flush();
        for (int i = 0; i < 10; ++i) static_cast<void>(sample.issue("behind"));
        sample.run_until([&] { return sample.told.size() == 20; });
    }
    for (const auto& [ticket, written] : sample.told) BOOST_TEST(!written);
    BOOST_TEST(sample.issue("next").value() == before + 1);
    sample.close();
    sample.open();
    BOOST_TEST(sample.seen.back() == "lease.issued next");
}

BOOST_AUTO_TEST_CASE(notes_outlive_a_failed_write_in_their_order) {
    {
        const FailingDisk disk(Call::write, "/journal/", ENOSPC);
        sample.journal->note({.action = Action::lease_ended, .run = "one"});
        BOOST_TEST(!sample.issue_now("refused"));
        sample.journal->note({.action = Action::lease_ended, .run = "two"});
        BOOST_TEST(!sample.issue_now("refused"));
    }
    sample.clock.advance(std::chrono::seconds(1)); // it tries again by itself
    sample.run_until([&] { return count("lease.ended two") == 1; });
    BOOST_TEST(
        (read_all(sample) == std::vector<std::string>{"lease.ended two", "lease.ended one", "credential.created a"}));
}

BOOST_AUTO_TEST_CASE(a_change_whose_sync_fails_is_taken_back_in_log_store_and_index) {
    for (const char* file : {"/journal/", "/store/", "audit.head"}) {
        {
            const FailingDisk disk(Call::sync, file, EIO, 1);
            const auto changed = sample.put_now("a", "refused");
            BOOST_REQUIRE(!changed.has_value());
            BOOST_TEST((changed.error().code == result::ErrorCode::store_unavailable));
            BOOST_TEST(!sample.journal->is_healthy());
        }
        wait_until_well();
        BOOST_TEST(sample.put_now("a", file).has_value());
    }
    BOOST_TEST(count("credential.edited a") == 6U); // three of them are disowned
    check_after_restart("audit.head");
    std::size_t disowned = 0;
    for (const auto& text : read_all(sample)) disowned += text.starts_with("log.change_not_made") ? 1 : 0;
    BOOST_TEST(disowned == 3U);
}

BOOST_AUTO_TEST_CASE(a_head_that_cannot_be_written_refuses_changes_then_leases) {
    {
        const FailingDisk disk(Call::write, "audit.head", EROFS);
        BOOST_TEST(!sample.put_now("a", "refused").has_value());
        const auto staged = sample.issue("refused");
        BOOST_REQUIRE(!staged.has_value());
        BOOST_TEST((staged.error().code == result::ErrorCode::store_unavailable));
    }
    wait_until_well();
    check_after_restart("old");
}

BOOST_AUTO_TEST_CASE(changes_that_were_staged_upon_a_failed_one_fail_with_it) {
    std::vector<bool> made;
    {
        const FailingDisk disk(Call::sync, "/journal/", EIO, 1);
        runtime::TaskGroup group(sample.loop);
        for (int i = 0; i < 5; ++i) {
            group.start([](SampleJournal& with, std::vector<bool>& outcomes) -> runtime::Task<> {
                const auto done = co_await with.put("a", "refused");
                outcomes.push_back(done.has_value());
            }(sample, made));
        }
        sample.run_until([&] { return group.size() == 0; });
    }
    BOOST_TEST((made == std::vector<bool>(5, false)));
    wait_until_well();
    BOOST_TEST(sample.store->find(store::Table::credentials, "a")->revision == 1U);
    BOOST_TEST(sample.put_now("a", "new").has_value());
    check_after_restart("new");
}

BOOST_AUTO_TEST_CASE(a_durable_lease_whose_sync_fails_is_ended_in_the_log) {
    sample.close();
    sample.options.durable_leases = true;
    sample.open();
    {
        const FailingDisk disk(Call::sync, "/journal/", EIO, 1);
        BOOST_TEST(!sample.issue_now("failed"));
    }
    wait_until_well();
    BOOST_TEST(count("lease.issued failed") == 1U);
    BOOST_TEST(count("lease.ended failed") == 1U);
}

BOOST_AUTO_TEST_CASE(a_durable_record_that_is_under_way_when_a_sync_fails_is_told_at_once) {
    sample.close();
    sample.options.durable_leases = true;
    sample.open();
    std::optional<result::Result<std::uint64_t>> stopped;
    runtime::TaskGroup group(sample.loop);
    {
        const HangingDisk slow_sync(Call::sync, "/journal/");
        BOOST_REQUIRE(sample.issue("synced too late").has_value()); // ticket 1
        sample.run_until([&] { return slow_sync.is_reached(); });
        const HangingDisk slow_write(Call::write, "/journal/");
        BOOST_REQUIRE(sample.issue("under way").has_value());
        group.start([](SampleJournal& with, auto& outcome) -> runtime::Task<> {
            outcome.emplace(co_await with.journal->append_durably({.action = Action::broker_stopped}));
        }(sample, stopped));
        sample.run_until([&] { return sample.told.empty() && slow_write.is_reached(); });
        const FailingDisk broken(Call::sync, "audit.head", EIO);
        sample.run_until([&] { return sample.told.contains(1); });
        const FailingDisk another_file(Call::write, "nothing", EIO); // the write goes on
        sample.run_until([&] { return sample.told.contains(2) && stopped.has_value() && group.size() == 0; });
    }
    BOOST_TEST((sample.told == std::map<std::uint64_t, bool>{{1, false}, {2, false}}));
    BOOST_TEST(!stopped->has_value());
    wait_until_well();
    BOOST_TEST(count("lease.ended under way") == 1U);
}

BOOST_AUTO_TEST_CASE(a_write_that_hangs_fails_its_leases_which_are_ended_when_it_returns) {
    HangingDisk disk(Call::write, "/journal/");
    BOOST_REQUIRE(sample.issue("in flight").has_value());
    sample.run_until([&] { return disk.is_reached(); });
    BOOST_REQUIRE(sample.issue("behind").has_value());
    sample.clock.advance(std::chrono::milliseconds(999));
    BOOST_TEST(sample.told.empty());
    BOOST_TEST(sample.journal->is_healthy());
    sample.clock.advance(std::chrono::milliseconds(1));
    BOOST_TEST((sample.told == std::map<std::uint64_t, bool>{{1, false}, {2, false}}));
    BOOST_TEST(!sample.journal->is_healthy());
    BOOST_TEST(!sample.issue("refused at once").has_value());
    sample.journal->note({.action = Action::lease_ended, .run = "meanwhile"});
    disk.let_go();
    sample.run_until([&] { return count("lease.ended in flight") == 1; });
    BOOST_TEST(sample.issue_now("afterwards"));
    BOOST_TEST((read_all(sample) == std::vector<std::string>{"lease.issued afterwards", "lease.ended in flight",
                                                             "lease.ended meanwhile", "lease.issued in flight",
                                                             "credential.created a"}));
    check_after_restart("old");
}

BOOST_AUTO_TEST_CASE(an_undelivered_lease_s_end_names_lease_principal_and_reason) {
    HangingDisk disk(Call::write, "/journal/");
    BOOST_REQUIRE(sample.issue("in flight").has_value());
    sample.run_until([&] { return disk.is_reached(); });
    sample.clock.advance(std::chrono::seconds(1));
    disk.let_go();
    sample.run_until([&] { return count("lease.ended in flight") == 1; });
    Journal::Query query;
    query.action = "lease.ended";
    BOOST_REQUIRE(sample.journal->query(query, [&](const AuditRecord& record) {
        BOOST_TEST((record.lease == vocabulary::LeaseId({.high = 1, .low = 1})));
        BOOST_TEST(record.principal == "worker:etl");
        BOOST_REQUIRE(record.lease_view != nullptr);
        BOOST_TEST((record.lease_view->reason == vocabulary::EndReason::undelivered));
        BOOST_TEST(record.lease_view->scope == "workspace:acme");
    }));
}

BOOST_AUTO_TEST_CASE(a_change_in_a_write_that_hangs_fails_and_is_taken_back_when_it_returns) {
    HangingDisk disk(Call::write, "/journal/");
    std::optional<result::Result<std::uint64_t>> changed;
    runtime::TaskGroup group(sample.loop);
    group.start(put_into(sample, "a", "refused", changed));
    sample.run_until([&] { return disk.is_reached(); });
    sample.clock.advance(std::chrono::seconds(1));
    sample.run_until([&] { return changed.has_value() && group.size() == 0; });
    BOOST_TEST(!changed->has_value());
    disk.let_go();
    sample.run_until([&] {
        sample.clock.advance(std::chrono::milliseconds(200));
        return sample.put_now("a", "new").has_value();
    });
    check_after_restart("new");
}

BOOST_AUTO_TEST_CASE(a_store_that_hangs_holds_up_no_lease) {
    HangingDisk disk(Call::append, "/store/");
    std::optional<result::Result<std::uint64_t>> changed;
    runtime::TaskGroup group(sample.loop);
    group.start(put_into(sample, "a", "new", changed));
    sample.run_until([&] { return disk.is_reached(); });
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(sample.issue_now("meanwhile"));
        sample.clock.advance(std::chrono::seconds(2));
    }
    BOOST_TEST(sample.journal->is_healthy());
    BOOST_TEST(!changed.has_value());
    disk.let_go();
    sample.run_until([&] { return changed.has_value() && group.size() == 0; });
    BOOST_TEST(changed->has_value());
    check_after_restart("new");
}

// Those of one sync go to the store together: what it does not take of them, it takes nothing of.
BOOST_AUTO_TEST_CASE(changes_that_were_staged_while_the_store_refuses_one_fail_with_it_and_leases_go_on) {
    HangingDisk syncing(Call::sync, "/journal/");
    std::array<std::optional<result::Result<std::uint64_t>>, 4> changed;
    runtime::TaskGroup group(sample.loop);
    group.start(put_into(sample, "a", "refused", changed[0]));
    sample.run_until([&] { return syncing.is_reached(); });
    group.start(put_into(sample, "a", "upon that", changed[1])); // written behind it
    sample.run_until([&] { return count("credential.edited a") == 2; });
    HangingDisk writing(Call::write, "/journal/");
    group.start(put_into(sample, "b", "being written", changed[2]));
    sample.run_until([&] { return writing.is_reached(); });
    group.start(put_into(sample, "a", "staged", changed[3]));
    sample.run_until([&] { return sample.journal->last_staged() == 5; });
    const FailingDisk refusing(Call::append, "/store/", EIO, 1);
    syncing.let_go();
    sample.run_until([&] { return changed[0].has_value(); });
    writing.let_go();
    sample.run_until([&] { return group.size() == 0; });
    for (const auto& outcome : changed) {
        BOOST_REQUIRE(outcome.has_value());
        BOOST_REQUIRE(!outcome->has_value());
        BOOST_TEST((outcome->error().code == result::ErrorCode::store_unavailable));
    }
    BOOST_TEST(sample.issue_now("leases go on"));
    BOOST_TEST(sample.journal->is_healthy());
    const auto all = read_all(sample);
    const auto is_disowned = [](const std::string& text) { return text.starts_with("log.change_not_made"); };
    BOOST_TEST(std::ranges::count_if(all, is_disowned) == 4);
    BOOST_TEST(sample.store->find(store::Table::credentials, "a")->revision == 1U);
    BOOST_TEST(sample.put_now("b", "made").has_value());
    check_after_restart("old");
    BOOST_TEST(sample.shown["b"] == "made");
}

BOOST_AUTO_TEST_CASE(a_store_that_refuses_a_change_is_followed_by_a_record_that_says_so) {
    const credlease::test::SmallDisk disk(std::size_t{8} << 20);
    if (!disk.mounted()) {
        BOOST_TEST_MESSAGE("skipped: mounting needs root");
        return;
    }
    // The store alone lies on the small disk.
    const TemporaryFolder data;
    fs::create_directory_symlink(disk.path(), data.path() / "store");
    SampleJournal small(data.path());
    small.open();
    BOOST_REQUIRE(small.put_now("a", "old").has_value());
    {
        std::ofstream ballast(disk.path() / "ballast");
        ballast << std::string(std::size_t{8} << 20, 'x');
    }
    std::optional<result::Result<std::uint64_t>> refused;
    for (int i = 0; i < 200 && (!refused || refused->has_value()); ++i) {
        refused.emplace(small.put_now("a", std::string(20'000, 'x')));
    }
    BOOST_REQUIRE(!refused->has_value());
    BOOST_TEST((refused->error().code == result::ErrorCode::store_unavailable));
    BOOST_TEST(small.issue_now("leases go on"));
    fs::remove(disk.path() / "ballast");
    small.run_until([&] {
        small.clock.advance(std::chrono::milliseconds(200));
        return small.put_now("a", "new").has_value();
    });
    small.close();
    small.open();
    BOOST_TEST(small.shown["a"] == "new");
    BOOST_TEST(small.damaged().empty());
    const auto said = std::ranges::count_if(
        small.seen, [](const std::string& text) { return text.starts_with("log.change_not_made"); });
    BOOST_TEST(said >= 1);
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_leases_only_when_the_reserve_is_used_up_and_refusals_leave_it_alone) {
    const credlease::test::SmallDisk disk(std::size_t{12} << 20);
    if (!disk.mounted()) {
        BOOST_TEST_MESSAGE("skipped: mounting needs root");
        return;
    }
    SampleJournal small(disk.path());
    small.open();
    BOOST_REQUIRE(small.issue_now("first"));
    {
        std::ofstream ballast(disk.path() / "ballast");
        ballast << std::string(std::size_t{12} << 20, 'x');
    }
    std::uint64_t written = 0;
    while (small.issue_now("more")) {
        ++written;
        for (int i = 0; i < 10; ++i) small.journal->note({.action = Action::access_refused, .ok = false});
    }
    BOOST_TEST(written >= 1000U);
    BOOST_TEST(!small.journal->is_healthy());
    fs::remove(disk.path() / "ballast");
    BOOST_TEST(small.issue_now("after"));
    small.close();
    small.open();
    BOOST_TEST(std::ranges::count(small.seen, "lease.issued more") == static_cast<std::ptrdiff_t>(written));
    BOOST_TEST(std::ranges::count(small.seen, "lease.issued after") == 1);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
