#define BOOST_TEST_DYN_LINK
#include "support/temporary_folder.hpp"
#include "vault/house.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

const Scope organization = Scope::organization();

/// A vault over the real store, on a real disk.
struct OverStore : House {
    OverStore() { restart(); }

    store::Store::Keys keys() const {
        return {.record = std::move(*mac::make_mac<mac::RecordPurpose>(*arena, record_key.buffer())),
                .set = std::move(*mac::make_mac<mac::SetPurpose>(*arena, record_key.buffer()))};
    }
    void restart() {
        disk.records.clear();
        open();
        store.reset();
        store = std::move(*store::Store::open(folder.path()));
        const auto loaded = store->load(
            keys(), [&](const store::Record& record) { BOOST_TEST_REQUIRE(vault->accept(record).has_value()); });
        BOOST_REQUIRE(loaded.has_value());
    }
    result::Result<> commit(store::Batch batch, Change change) {
        auto prepared = store->prepare(std::move(batch));
        if (!prepared) return result::refuse(std::move(prepared.error()));
        BOOST_TEST_REQUIRE(store->write({&*prepared}).has_value());
        BOOST_TEST_REQUIRE(store->sync().has_value());
        vault->apply(std::move(change));
        return {};
    }
    void add(std::string_view name, const Scope& scope) {
        store::Batch batch;
        auto change = vault->stage_create(made("github", name, scope, R"({"token":"t"})"), batch);
        BOOST_TEST_REQUIRE(commit(std::move(batch), std::move(*change)).has_value());
    }
    const Entry& named(std::string_view name) const {
        return *vault->find_named(vault->all_scopes(), name_of(name)).front();
    }

    test::TemporaryFolder folder;
    crypto::RecordKey record_key = std::move(*crypto::make_key<crypto::RecordKeyKind>(*arena));
    std::unique_ptr<store::Store> store;
};

BOOST_FIXTURE_TEST_SUITE(over_the_store, OverStore)

BOOST_AUTO_TEST_CASE(what_was_created_edited_and_erased_is_so_after_a_restart) {
    add("one", organization);
    add("two", organization);
    add("three", workspace("acme"));
    store::Batch edited;
    Edit move;
    move.name = name_of("moved");
    move.scope = workspace("acme");
    auto change = stage(named("one"), std::move(move), edited);
    BOOST_TEST_REQUIRE(commit(std::move(edited), std::move(*change)).has_value());
    store::Batch erased;
    Change gone = vault->stage_erase(named("two"), erased);
    BOOST_TEST_REQUIRE(commit(std::move(erased), std::move(gone)).has_value());
    restart();
    BOOST_TEST(vault->size() == 2u);
    BOOST_TEST((named("moved").credential.scope == workspace("acme")));
    BOOST_TEST(lease_of(named("moved")).contains("Bearer t"));
    BOOST_TEST(lease_of(named("three")).contains("Bearer t"));
    add("two", organization);
    BOOST_TEST(store->records() == 8u); // three credentials, their versions, two scopes' keys
}

BOOST_AUTO_TEST_CASE(of_two_changes_made_from_one_state_the_store_takes_the_first) {
    add("one", organization);
    store::Batch first;
    store::Batch second;
    auto rename = stage(named("one"), Edit{}, first);
    Change gone = vault->stage_erase(named("one"), second);
    BOOST_TEST_REQUIRE(commit(std::move(first), std::move(*rename)).has_value());
    BOOST_TEST(refusal_of(commit(std::move(second), std::move(gone))) == "version_conflict");
    BOOST_TEST(named("one").credential.revision == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
