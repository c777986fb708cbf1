#define BOOST_TEST_DYN_LINK
#include "sample_store.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>

namespace credlease::store::test {
namespace {

/// A store with the records a and b.
struct TwoRecords {
    TwoRecords() {
        auto opened = open_and_load(folder.path(), keys);
        BOOST_REQUIRE(apply(*opened.store, put("a", 1, "value of a")).has_value());
        BOOST_REQUIRE(apply(*opened.store, put("b", 1, "value of b")).has_value());
        set = opened.store->set_hash();
    }

    credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    mac::SetHash set;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(damage, TwoRecords)

BOOST_AUTO_TEST_CASE(a_flipped_record_is_named_and_the_others_serve_on) {
    {
        Tampering disk(folder.path());
        auto value = disk.get(credential_key("a"));
        value[12] = static_cast<char>(value[12] ^ 1);
        disk.put(credential_key("a"), value);
    }
    const auto opened = open_and_load(folder.path(), keys);
    BOOST_TEST((opened.damaged() == std::vector<std::string>{"credentials/a"}));
    BOOST_TEST((opened.shown == Shown{{"credentials/b", "value of b"}}));
    BOOST_TEST(!(opened.store->set_hash() == set));
}

BOOST_AUTO_TEST_CASE(a_damaged_record_is_never_overwritten_nor_erased) {
    std::string flipped;
    {
        Tampering disk(folder.path());
        flipped = disk.get(credential_key("a"));
        flipped.back() = static_cast<char>(flipped.back() ^ 1);
        disk.put(credential_key("a"), flipped);
    }
    {
        auto opened = open_and_load(folder.path(), keys);
        const auto over = opened.store->prepare(put("a", 2, "new"));
        BOOST_REQUIRE(!over.has_value());
        BOOST_TEST((over.error().code == result::ErrorCode::damaged));
        Batch erase;
        erase.erase(Table::credentials, "a", 1);
        BOOST_TEST(!opened.store->prepare(std::move(erase)).has_value());
        BOOST_TEST(apply(*opened.store, put("b", 2, "others change")).has_value());
    }
    BOOST_TEST(Tampering(folder.path()).get(credential_key("a")) == flipped);
}

BOOST_AUTO_TEST_CASE(a_copied_and_a_swapped_record_are_named) {
    {
        Tampering disk(folder.path());
        const auto a = disk.get(credential_key("a"));
        const auto b = disk.get(credential_key("b"));
        disk.put(credential_key("a"), b);
        disk.put(credential_key("b"), a);
        disk.put(credential_key("c"), a);
        disk.put(raw_key(Table::grants, "a"), a);
        disk.put(raw_key(Table::tokens, "a"), a);
        disk.put(raw_key(Table::intents, "a"), a);
        disk.put(raw_key(Table::clients, "a"), a);
    }
    const auto opened = open_and_load(folder.path(), keys);
    const std::vector<std::string> all{"credentials/a", "credentials/b", "credentials/c", "grants/a",
                                       "tokens/a",      "intents/a",     "clients/a"};
    BOOST_TEST((opened.damaged() == all));
    BOOST_TEST(opened.shown.empty());
}

BOOST_AUTO_TEST_CASE(a_record_that_was_made_without_the_key_is_named) {
    {
        Tampering disk(folder.path());
        disk.put(credential_key("short"), "x");
        disk.put(credential_key("long"), "\1" + std::string(60, 'x'));
        disk.put("\x63"
                 "table",
                 disk.get(credential_key("a")));
    }
    const auto opened = open_and_load(folder.path(), keys);
    const std::vector<std::string> all{"credentials/long", "credentials/short", "unknown/table"};
    BOOST_TEST((opened.damaged() == all));
    BOOST_TEST(opened.shown.size() == 2U);
    BOOST_TEST((opened.store->set_hash() == set));
}

BOOST_AUTO_TEST_CASE(a_replayed_a_dropped_and_an_old_record_put_back_move_the_set_hash) {
    std::string old;
    {
        old = Tampering(folder.path()).get(credential_key("a"));
        auto opened = open_and_load(folder.path(), keys);
        BOOST_REQUIRE(apply(*opened.store, put("a", 2, "newer")).has_value());
        set = opened.store->set_hash();
    }
    Tampering(folder.path()).put(credential_key("a"), old);
    {
        const auto opened = open_and_load(folder.path(), keys);
        BOOST_TEST(opened.damaged().empty()); // authentic: only the set hash tells, and the journal which it is
        BOOST_TEST(!(opened.store->set_hash() == set));
    }
    Tampering(folder.path()).erase(credential_key("a"));
    BOOST_TEST(!(open_and_load(folder.path(), keys).store->set_hash() == set));
}

BOOST_AUTO_TEST_CASE(a_record_that_is_set_aside_counts_as_what_should_be_there) {
    auto opened = open_and_load(folder.path(), keys);
    const auto is = opened.store->find(Table::credentials, "a");
    opened.store->set_aside(Table::credentials, "a", is);
    BOOST_TEST((opened.store->set_hash() == set));
    BOOST_TEST(!opened.store->find(Table::credentials, "a").has_value());
    BOOST_TEST(!opened.store->prepare(put("a", 9, "new")).has_value());
    opened.store->set_aside(Table::credentials, "b", std::nullopt);
    BOOST_TEST(!(opened.store->set_hash() == set));
}

BOOST_AUTO_TEST_CASE(another_key_authenticates_nothing) {
    auto store = Store::open(folder.path());
    const auto arena = *secret::Arena::make({.size = std::size_t{256} << 10, .allow_unlocked = true});
    auto other =
        secret::SecretBuffer::copy(*arena, std::string_view("another key, of thirty-two bytes"), secret::Share::keys);
    Store::Keys wrong{*mac::make_mac<mac::RecordPurpose>(*arena, *other),
                      *mac::make_mac<mac::SetPurpose>(*arena, *other)};
    BOOST_REQUIRE((*store)->load(std::move(wrong), [](const Record&) { BOOST_ERROR("shown"); }).has_value());
    BOOST_TEST((*store)->damaged().size() == 2U);
    (*store)->unload();
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::store::test
