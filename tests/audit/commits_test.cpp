#define BOOST_TEST_DYN_LINK
#include "failing_disk.hpp"
#include "sample_journal.hpp"
#include "wire/limits.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::audit::test {

using credlease::test::TemporaryFolder;

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

BOOST_AUTO_TEST_CASE(changes_that_wait_together_share_a_sync) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    const auto before = syncs_of("audit.head");
    std::size_t made = 0;
    runtime::TaskGroup group(sample.loop);
    for (int i = 0; i < 50; ++i) {
        group.start([](SampleJournal& with, int number, std::size_t& count) -> runtime::Task<> {
            const auto done = co_await with.put("key-" + std::to_string(number), "value");
            count += done.has_value() ? 1 : 0;
        }(sample, i, made));
    }
    sample.run_until([&] { return made == 50 && group.size() == 0; });
    BOOST_TEST(syncs_of("audit.head") - before <= 3U);
    sample.close();
    sample.open();
    BOOST_TEST(sample.shown.size() == 50U);
}

/// A change that may share its sync.
runtime::Task<> put_shared(SampleJournal& sample, std::string key, std::size_t& made) {
    store::Batch batch;
    batch.put(store::Table::credentials, std::move(key), 1, "value");
    const auto done =
        co_await sample.journal->commit({.action = Action::oauth_refreshing}, std::move(batch), Sync::shared);
    made += done.has_value() ? 1 : 0;
}

BOOST_AUTO_TEST_CASE(what_may_share_a_sync_waits_for_others_but_not_for_long) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    const auto before = syncs_of("audit.head");
    std::size_t made = 0;
    runtime::TaskGroup group(sample.loop);
    for (const auto* key : {"a", "b", "c"}) { // each is written before the next comes
        group.start(put_shared(sample, key, made));
        BOOST_REQUIRE(sample.issue_now(key));
    }
    BOOST_TEST(syncs_of("audit.head") == before);
    BOOST_TEST(made == 0U);
    sample.clock.advance(wire::limits::sync_shared);
    sample.run_until([&] { return made == 3 && group.size() == 0; });
    BOOST_TEST(syncs_of("audit.head") == before + 1);
    sample.close();
    sample.open();
    BOOST_TEST(sample.shown.size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_change_that_is_awaited_takes_those_along_that_may_wait) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    const auto before = syncs_of("audit.head");
    std::size_t made = 0;
    runtime::TaskGroup group(sample.loop);
    group.start(put_shared(sample, "a", made));
    BOOST_REQUIRE(sample.issue_now("a"));
    BOOST_REQUIRE(sample.put_now("b", "value").has_value());
    sample.run_until([&] { return made == 1 && group.size() == 0; });
    BOOST_TEST(syncs_of("audit.head") == before + 1);
}

BOOST_AUTO_TEST_CASE(a_stop_waits_for_no_company) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    std::size_t made = 0;
    runtime::TaskGroup group(sample.loop);
    group.start(put_shared(sample, "a", made));
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
