#define BOOST_TEST_DYN_LINK
#include "sample_store.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::store::test {

BOOST_AUTO_TEST_SUITE(changes)

BOOST_AUTO_TEST_CASE(a_store_is_empty_until_a_record_is_in_it_and_keys_that_nothing_is_stored_under_are_none) {
    const credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    {
        auto opened = open_and_load(folder.path(), keys);
        BOOST_TEST(opened.store->is_empty());
        BOOST_TEST(opened.store->records() == 0U);
        BOOST_REQUIRE(opened.store->write_headers({{"workspace-key", "wrapped"}}).has_value());
        BOOST_TEST(opened.store->is_empty());
        BOOST_REQUIRE(apply(*opened.store, put("a", 1, "first")).has_value());
        BOOST_TEST(!opened.store->is_empty());
    }
    const auto again = open_and_load(folder.path(), keys);
    BOOST_TEST(!again.store->is_empty());
    BOOST_TEST(again.store->read_header("workspace-key")->value() == "wrapped");
    BOOST_TEST(!again.store->read_header("another")->has_value());
}

BOOST_AUTO_TEST_CASE(what_was_written_is_shown_at_the_next_start_table_by_table) {
    const credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    mac::SetHash set;
    {
        auto opened = open_and_load(folder.path(), keys);
        Batch batch;
        batch.put(Table::members, "acme/alice", 1, "admin");
        batch.put(Table::credentials, "cred_2", 1, "two");
        batch.put(Table::credentials, "cred_1", 1, "one");
        BOOST_REQUIRE(apply(*opened.store, std::move(batch)).has_value());
        set = opened.store->set_hash();
        BOOST_TEST(!opened.store->is_empty());
    }
    const auto again = open_and_load(folder.path(), keys);
    const Shown expected{{"credentials/cred_1", "one"}, {"credentials/cred_2", "two"}, {"members/acme/alice", "admin"}};
    BOOST_TEST((again.shown == expected));
    BOOST_TEST((again.store->set_hash() == set));
    BOOST_TEST(again.store->records() == 3U);
}

BOOST_AUTO_TEST_CASE(tokens_and_intents_are_shown_behind_what_they_belong_to_and_count_in_the_set_hash) {
    const credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    mac::SetHash set;
    {
        auto opened = open_and_load(folder.path(), keys);
        Batch batch;
        batch.put(Table::intents, "cred_1", 1, "begun");
        batch.put(Table::tokens, "cred_1", 1, "sealed");
        batch.put(Table::credentials, "cred_1", 1, "one");
        batch.put(Table::keys, "organization", 1, "wrapped");
        BOOST_REQUIRE(apply(*opened.store, std::move(batch)).has_value());
        set = opened.store->set_hash();
    }
    std::vector<Table> order;
    auto store = Store::open(folder.path());
    BOOST_REQUIRE((*store)->load(keys.store(), [&](const Record& record) { order.push_back(record.table); }));
    BOOST_TEST((order == std::vector{Table::credentials, Table::keys, Table::tokens, Table::intents}));
    BOOST_TEST(((*store)->set_hash() == set));
    Batch over; // a refresh: tokens replaced and the intent gone, or neither
    over.put(Table::tokens, "cred_1", 2, "sealed anew");
    over.erase(Table::intents, "cred_1", 1);
    BOOST_REQUIRE(apply(**store, std::move(over)).has_value());
    BOOST_TEST(!((*store)->set_hash() == set));
    BOOST_TEST((*store)->find(Table::tokens, "cred_1")->revision == 2U);
    BOOST_TEST(!(*store)->find(Table::intents, "cred_1").has_value());
    Batch late;
    late.erase(Table::intents, "cred_1", 1);
    BOOST_TEST(!apply(**store, std::move(late)).has_value());
}

BOOST_AUTO_TEST_CASE(a_change_upon_an_old_revision_is_refused_with_the_revision_that_is_live) {
    const credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    auto opened = open_and_load(folder.path(), keys);
    auto& store = *opened.store;
    BOOST_REQUIRE(apply(store, put("a", 1, "first")).has_value());
    BOOST_REQUIRE(apply(store, put("a", 2, "second")).has_value());
    const auto set = store.set_hash();

    const auto stale = store.prepare(put("a", 2, "other"));
    BOOST_REQUIRE(!stale.has_value());
    BOOST_TEST((stale.error().code == result::ErrorCode::version_conflict));
    BOOST_TEST(stale.error().current_revision.value() == 2U);

    Batch erase;
    erase.put(Table::credentials, "b", 1, "made first, and taken back");
    erase.erase(Table::credentials, "a", 1);
    BOOST_TEST(!store.prepare(std::move(erase)).has_value());
    Batch absent;
    absent.erase(Table::credentials, "nothing", 0);
    BOOST_TEST(!store.prepare(std::move(absent)).has_value());

    BOOST_TEST((store.set_hash() == set));
    BOOST_TEST(!store.find(Table::credentials, "b").has_value());
    BOOST_TEST(store.find(Table::credentials, "a")->revision == 2U);
}

BOOST_AUTO_TEST_CASE(a_batch_that_is_taken_back_leaves_no_trace) {
    const credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    auto opened = open_and_load(folder.path(), keys);
    auto& store = *opened.store;
    BOOST_REQUIRE(apply(store, put("kept", 1, "value")).has_value());
    const auto set = store.set_hash();
    Batch batch;
    batch.put(Table::credentials, "kept", 2, "changed");
    batch.put(Table::credentials, "kept", 3, "changed again");
    batch.put(Table::credentials, "new", 1, "value");
    const auto first = store.prepare(std::move(batch));
    BOOST_REQUIRE(first.has_value());
    Batch erasing;
    erasing.erase(Table::credentials, "kept", 3);
    const auto second = store.prepare(std::move(erasing));
    BOOST_REQUIRE(second.has_value());
    store.revert(*second);
    store.revert(*first);
    BOOST_TEST((store.set_hash() == set));
    BOOST_TEST(store.find(Table::credentials, "kept")->revision == 1U);
    BOOST_TEST(!store.find(Table::credentials, "new").has_value());
}

BOOST_AUTO_TEST_CASE(a_written_batch_can_be_undone_and_what_was_there_comes_back) {
    const credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    {
        auto opened = open_and_load(folder.path(), keys);
        auto& store = *opened.store;
        BOOST_REQUIRE(apply(store, put("kept", 1, "value")).has_value());
        Batch batch;
        batch.put(Table::credentials, "kept", 2, "changed");
        batch.put(Table::credentials, "new", 1, "value");
        auto prepared = store.prepare(std::move(batch));
        store.add_copy(*prepared, 7, "the record");
        BOOST_REQUIRE(store.write({&*prepared}).has_value());
        store.revert(*prepared);
        BOOST_REQUIRE(store.undo({&*prepared}).has_value());
    }
    const auto again = open_and_load(folder.path(), keys);
    BOOST_TEST((again.shown == Shown{{"credentials/kept", "value"}}));
    BOOST_REQUIRE(again.store->scan(Table::copies, "", [](const Record&) {
        BOOST_ERROR("a copy is left");
        return true;
    }));
}

BOOST_AUTO_TEST_CASE(copies_are_authenticated_in_order_and_outside_the_set_hash) {
    const credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    auto opened = open_and_load(folder.path(), keys);
    auto& store = *opened.store;
    for (const std::uint64_t number : {300ULL, 2ULL, 1ULL}) {
        auto prepared = store.prepare(put("a" + std::to_string(number), 1, "value"));
        const auto set = store.set_hash();
        store.add_copy(*prepared, number, "copy " + std::to_string(number));
        if (number == 1) store.drop_copy(*prepared, 2);
        BOOST_REQUIRE(store.write({&*prepared}).has_value());
        BOOST_TEST((store.set_hash() == set));
    }
    std::string seen;
    BOOST_REQUIRE(store.scan(Table::copies, "", [&](const Record& record) {
        seen += std::to_string(read_copy_key(record.key)) + "=" + std::string(record.value) + ";";
        return true;
    }));
    BOOST_TEST(seen == "1=copy 1;300=copy 300;");
}

BOOST_AUTO_TEST_CASE(a_scan_begins_where_it_is_told_and_stays_in_its_table) {
    const credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    auto opened = open_and_load(folder.path(), keys);
    Batch batch;
    for (const char* key : {"a", "b", "c"}) batch.put(Table::credentials, key, 1, "value");
    batch.put(Table::versions, "z", 1, "value");
    BOOST_REQUIRE(apply(*opened.store, std::move(batch)).has_value());
    std::string seen;
    BOOST_REQUIRE(opened.store->scan(Table::credentials, "b", [&](const Record& record) {
        seen += record.key;
        return true;
    }));
    BOOST_TEST(seen == "bc");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::store::test
