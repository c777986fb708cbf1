#define BOOST_TEST_DYN_LINK
#include "sample_journal.hpp"

#include <boost/test/unit_test.hpp>
#include <rocksdb/db.h>

#include <map>

namespace credlease::audit::test {
namespace {

using credlease::test::copy_over;
using credlease::test::TemporaryFolder;

std::string raw(std::string_view key) { return "\1" + std::string(key); }

/// Credentials a, b and c; c was there once and is erased.
struct Records {
    Records() : sample(folder.path(), {.segment_size = 1000}) {
        sample.open();
        for (const char* key : {"a", "b", "c"}) BOOST_REQUIRE(sample.put_now(key, "first").has_value());
        sample.close();
        old_a = get(raw("a"));
        old_c = get(raw("c"));
        sample.open();
        BOOST_REQUIRE(sample.put_now("a", "second").has_value());
        BOOST_REQUIRE(sample.wait(sample.erase("c")).has_value());
        BOOST_REQUIRE(sample.put_now("b", "second").has_value());
        sample.close();
    }

    template <class Use> void with_disk(Use use) const {
        rocksdb::DB* opened = nullptr;
        BOOST_REQUIRE(rocksdb::DB::Open({}, (folder.path() / "store").string(), &opened).ok());
        const std::unique_ptr<rocksdb::DB> db(opened);
        use(*db);
    }
    std::string get(const std::string& key) const {
        std::string value;
        with_disk([&](rocksdb::DB& db) { BOOST_REQUIRE(db.Get({}, key, &value).ok()); });
        return value;
    }
    void put(const std::string& key, const std::string& value) const {
        with_disk([&](rocksdb::DB& db) { BOOST_REQUIRE(db.Put({}, key, value).ok()); });
    }
    void erase(const std::string& key) const {
        with_disk([&](rocksdb::DB& db) { BOOST_REQUIRE(db.Delete({}, key).ok()); });
    }

    /// Puts a record `gone` into a table, or erases it.
    runtime::Task<result::Result<std::uint64_t>> change(store::Table table, bool puts) {
        AuditRecord record{.action = Action::credential_edited};
        store::Batch batch;
        puts ? batch.put(table, "gone", 1, "value") : batch.erase(table, "gone", 1);
        auto committed = co_await sample.journal->commit(record, std::move(batch));
        co_return committed;
    }

    /// Opens; these records are named, refused and not overwritten, the others change; and so again at the next start.
    void check_named(const std::vector<std::string>& damaged) {
        for (int start = 0; start < 2; ++start) {
            sample.open();
            BOOST_TEST((sample.damaged() == damaged));
            for (const auto& key : damaged) {
                store::Batch batch;
                batch.put(store::Table::credentials, key, 100, "over it");
                const auto over = sample.store->prepare(std::move(batch));
                BOOST_REQUIRE(!over.has_value());
                BOOST_TEST((over.error().code == result::ErrorCode::damaged));
            }
            BOOST_TEST(sample.put_now("other", "changes").has_value());
            sample.close();
        }
    }

    TemporaryFolder folder;
    SampleJournal sample;
    std::string old_a, old_c;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(store_damage, Records)

BOOST_AUTO_TEST_CASE(an_older_value_with_its_own_mac_is_named) {
    put(raw("a"), old_a);
    check_named({"a"});
}

BOOST_AUTO_TEST_CASE(the_latest_change_s_record_put_back_is_named_too) {
    sample.open();
    BOOST_REQUIRE(sample.put_now("a", "third").has_value());
    sample.close();
    put(raw("a"), old_a);
    check_named({"a"});
}

BOOST_AUTO_TEST_CASE(a_dropped_record_is_named) {
    erase(raw("b"));
    check_named({"b"});
}

BOOST_AUTO_TEST_CASE(an_erased_record_that_is_put_back_is_named) {
    put(raw("c"), old_c);
    check_named({"c"});
}

BOOST_AUTO_TEST_CASE(records_of_every_table_that_are_put_back_are_named) {
    std::map<std::string, std::string> old;
    for (const auto table : store::set_tables) {
        sample.open();
        BOOST_REQUIRE(sample.wait(change(table, true)).has_value());
        sample.close();
        const std::string key = static_cast<char>(table) + std::string("gone");
        old[key] = get(key);
        sample.open();
        BOOST_REQUIRE(sample.wait(change(table, false)).has_value());
        sample.close();
    }
    for (const auto& [key, value] : old) put(key, value);
    sample.open();
    BOOST_TEST(sample.damaged() == std::vector<std::string>(store::set_tables.size(), "gone"),
               boost::test_tools::per_element());
    BOOST_TEST((sample.store->damaged().back().table == store::Table::clients));
}

BOOST_AUTO_TEST_CASE(a_flipped_record_hides_no_other_damage) {
    auto flipped = get(raw("b"));
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    put(raw("b"), flipped);
    put(raw("a"), old_a);
    put(raw("c"), old_c);
    check_named({"a", "b", "c"});
}

BOOST_AUTO_TEST_CASE(damage_is_located_from_a_log_that_was_pruned) {
    sample.open();
    for (int i = 0; i < 40; ++i) BOOST_REQUIRE(sample.issue_now(std::to_string(i)));
    sample.clock.advance(std::chrono::hours(1));
    BOOST_REQUIRE(sample.put_now("late", "value").has_value());
    BOOST_REQUIRE(sample.journal->checkpoint({.take = [](const auto&) {}, .give = [](const auto&) {}}));
    const auto pruned = sample.wait(sample.journal->prune(std::chrono::minutes(30), 0, *sample.bulk));
    BOOST_REQUIRE(pruned.has_value());
    BOOST_TEST(sample.log_file(0).filename() != "00000000000000000001.log");
    sample.close();
    put(raw("a"), old_a);
    put(raw("c"), old_c);
    check_named({"a", "c"});
}

BOOST_AUTO_TEST_CASE(a_state_that_the_log_does_not_explain_is_refused) {
    put(raw("a"), old_a);
    // The head says something else than the log's last change: as if a change had been made that no record tells of.
    const auto copy = std::string(1, '\10') + std::string(7, '\0');
    with_disk([&](rocksdb::DB& db) {
        std::string value;
        BOOST_REQUIRE(db.Get({}, copy + '\6', &value).ok());
        BOOST_REQUIRE(db.Put({}, copy + '\7', value).ok());
    });
    const auto error = sample.try_open();
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST((error->code == result::ErrorCode::damaged));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
