#define BOOST_TEST_DYN_LINK
#include "failing_disk.hpp"
#include "sample_journal.hpp"
#include "wire/limits.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::audit::test {

using credlease::test::TemporaryFolder;

namespace {

/// A journal, and changes that are made side by side.
struct SideBySide {
    const TemporaryFolder folder;
    SampleJournal sample{folder.path()};
    runtime::TaskGroup group{sample.loop};
    std::size_t before = 0; ///< syncs of the head
    std::size_t made = 0;

    SideBySide() {
        sample.open();
        before = syncs_of("audit.head");
    }
    void put(std::string key, Sync sync) {
        group.start([](SideBySide& all, std::string own, Sync when) -> runtime::Task<> {
            store::Batch batch;
            batch.put(store::Table::credentials, std::move(own), 1, "value");
            const auto done =
                co_await all.sample.journal->commit({.action = Action::oauth_refreshing}, std::move(batch), when);
            all.made += done.has_value() ? 1 : 0;
        }(*this, std::move(key), sync));
    }
    void wait_for(std::size_t count) {
        sample.run_until([&] { return made == count && group.size() == 0; });
    }
    [[nodiscard]] std::size_t kept() {
        sample.close();
        sample.open();
        return sample.shown.size();
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(commits)

BOOST_AUTO_TEST_CASE(a_change_is_synced_and_named_by_the_head_before_it_is_answered) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    const auto logs = syncs_of(".log");
    const auto heads = syncs_of("audit.head");
    BOOST_TEST(sample.put_now("a", "value").value() == 1U);
    BOOST_TEST(syncs_of(".log") >= logs + 2); // the journal's and RocksDB's
    BOOST_TEST(syncs_of("audit.head") == heads + 1);
    BOOST_TEST(sample.journal->head_text().starts_with("1:"));
    sample.close();
    sample.open();
    BOOST_TEST(sample.shown["a"] == "value");
    BOOST_TEST((sample.seen == std::vector<std::string>{"credential.created a"}));
}

BOOST_FIXTURE_TEST_CASE(changes_that_wait_together_share_a_sync, SideBySide) {
    for (int i = 0; i < 50; ++i) put("key-" + std::to_string(i), Sync::at_once);
    wait_for(50);
    BOOST_TEST(syncs_of("audit.head") - before <= 3U);
    BOOST_TEST(kept() == 50U);
}

BOOST_FIXTURE_TEST_CASE(what_may_share_a_sync_waits_for_others_but_not_for_long, SideBySide) {
    for (const auto* key : {"a", "b", "c"}) { // each is written before the next comes
        put(key, Sync::shared);
        BOOST_REQUIRE(sample.issue_now(key));
    }
    BOOST_TEST(syncs_of("audit.head") == before);
    BOOST_TEST(made == 0U);
    sample.clock.advance(wire::limits::sync_shared);
    wait_for(3);
    BOOST_TEST(syncs_of("audit.head") == before + 1);
    BOOST_TEST(kept() == 3U);
}

BOOST_FIXTURE_TEST_CASE(a_change_that_is_awaited_takes_those_along_that_may_wait, SideBySide) {
    put("a", Sync::shared);
    BOOST_REQUIRE(sample.issue_now("a"));
    BOOST_REQUIRE(sample.put_now("b", "value").has_value());
    wait_for(1);
    BOOST_TEST(syncs_of("audit.head") == before + 1);
}

BOOST_FIXTURE_TEST_CASE(a_stop_waits_for_no_company, SideBySide) {
    put("a", Sync::shared);
    BOOST_REQUIRE(sample.issue_now("a"));
    sample.close();
    BOOST_TEST(made == 1U);
}

BOOST_AUTO_TEST_CASE(a_conflicting_change_is_refused_and_leaves_no_record) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    BOOST_REQUIRE(sample.put_now("a", "value").has_value());
    store::Batch batch;
    batch.put(store::Table::credentials, "a", 1, "again");
    const auto refused = sample.wait(sample.journal->commit({.action = Action::credential_edited}, std::move(batch)));
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().code == result::ErrorCode::version_conflict));
    BOOST_TEST(sample.journal->last_staged() == 1U);
    BOOST_TEST(sample.put_now("a", "newer").value() == 2U);
}

BOOST_AUTO_TEST_CASE(old_copies_go_with_later_changes_and_the_last_one_stays) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    for (int i = 0; i < 10; ++i) BOOST_REQUIRE(sample.put_now("a", std::to_string(i)).has_value());
    std::vector<std::uint64_t> copies;
    BOOST_REQUIRE(sample.store->scan(store::Table::copies, "", [&](const store::Record& record) {
        copies.push_back(store::read_copy_key(record.key));
        return true;
    }));
    BOOST_TEST((copies == std::vector<std::uint64_t>{10}));
}

BOOST_AUTO_TEST_CASE(a_slow_sync_delays_no_lease) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    HangingDisk disk(Call::sync, folder.path().string());
    std::optional<result::Result<std::uint64_t>> changed;
    runtime::TaskGroup group(sample.loop);
    group.start([](SampleJournal& with, auto& outcome) -> runtime::Task<> {
        outcome.emplace(co_await with.put("a", "value"));
    }(sample, changed));
    sample.run_until([&] { return disk.is_reached(); });
    for (int i = 0; i < 20; ++i) BOOST_REQUIRE(sample.issue_now(std::to_string(i)));
    BOOST_TEST(!changed.has_value());
    disk.let_go();
    sample.run_until([&] { return changed.has_value() && group.size() == 0; });
    BOOST_TEST(changed->has_value());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
