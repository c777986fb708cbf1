#define BOOST_TEST_DYN_LINK
#include "vault/house.hpp"
#include "vault/records.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

const Scope organization = Scope::organization();

struct Sealed : House {
    Sealed() {
        create("http-bearer", "one", organization, R"({"token":"secret-one","base_url":"https://h.example"})");
        create("http-bearer", "two", organization, R"({"token":"secret-two","base_url":"https://h.example"})");
        create("http-bearer", "elsewhere", workspace("acme"),
               R"({"token":"secret-three","base_url":"https://h.example"})");
    }

    const Entry& named(std::string_view name) {
        const auto found = vault->find_named(vault->all_scopes(), name_of(name));
        BOOST_REQUIRE_EQUAL(found.size(), 1u);
        return *found.front();
    }
    std::string& version_of(std::string_view name) {
        return disk.records.at({store::Table::versions, version_key(named(name).credential.id, 1)}).value;
    }
    result::Result<FieldSet> open_named(std::string_view name) {
        const Entry& entry = named(name);
        return vault->open(entry, auth(entry.credential.service.text()));
    }
    std::string opened(std::string_view name) { return refusal_of(open_named(name)); }
    /// Stores the credential's metadata with a change that no edit made.
    void tamper(std::string_view name, const std::function<void(vocabulary::Credential&)>& change) {
        vocabulary::Credential credential = named(name).credential;
        change(credential);
        disk.records.at({store::Table::credentials, credential_key(credential.id)}).value =
            write_credential(credential);
        open();
    }
};

BOOST_FIXTURE_TEST_SUITE(sealing, Sealed)

BOOST_AUTO_TEST_CASE(untouched_records_open) {
    open();
    for (const char* name : {"one", "two", "elsewhere"}) BOOST_TEST(opened(name) == "none");
}

BOOST_AUTO_TEST_CASE(a_copied_or_swapped_secret_does_not_open) {
    std::swap(version_of("one"), version_of("two"));
    open();
    BOOST_TEST(opened("one") == "damaged");
    BOOST_TEST(opened("two") == "damaged");
    BOOST_TEST(opened("elsewhere") == "none");
    const auto refused = open_named("one");
    BOOST_TEST(refused.error().about.text() == named("one").credential.id.text());
}

BOOST_AUTO_TEST_CASE(a_secret_moved_from_another_scope_does_not_open) {
    auto moved = *read_version(version_key(named("elsewhere").credential.id, 1), version_of("elsewhere"));
    moved.scope = organization;
    version_of("one") = write_version(moved);
    open();
    BOOST_TEST(opened("one") == "damaged");
}

BOOST_AUTO_TEST_CASE(an_earlier_secret_of_the_same_credential_does_not_come_back_with_other_fields) {
    const std::string before = version_of("one");
    BOOST_REQUIRE_EQUAL(refusal_of(edit_fields(named("one"), R"({"base_url":"https://new.example","token":"new"})")),
                        "none");
    version_of("one") = before;
    open();
    BOOST_TEST(opened("one") == "damaged");
}

BOOST_AUTO_TEST_CASE(edited_metadata_that_a_secret_is_bound_to_does_not_open_it) {
    tamper("one", [](auto& credential) { credential.notes = "names and notes are not bound"; });
    BOOST_TEST(opened("one") == "none");
    const std::vector<std::function<void(vocabulary::Credential&)>> changes{
        [](auto& credential) { credential.fields.at("base_url") = std::string("https://evil.example"); },
        [](auto& credential) { credential.fields.erase("base_url"); },
        [](auto& credential) { credential.fields.emplace("more", true); },
        [](auto& credential) { credential.fields.at("base_url") = std::vector<std::string>{"https://h.example"}; },
        [](auto& credential) { credential.secret_fields.push_back("another"); },
        [](auto& credential) { credential.secret_fields = {"tokem"}; },
        [](auto& credential) { credential.auth = "basic"; },
        [](auto& credential) { credential.service = *vocabulary::ServiceId::read("github"); },
    };
    const std::string honest =
        disk.records.at({store::Table::credentials, credential_key(named("two").credential.id)}).value;
    for (const auto& change : changes) {
        tamper("two", change);
        BOOST_TEST(opened("two") == "damaged");
        disk.records.at({store::Table::credentials, credential_key(named("two").credential.id)}).value = honest;
        open();
        BOOST_TEST(opened("two") == "none");
    }
}

BOOST_AUTO_TEST_CASE(another_version_number_does_not_open_it) {
    const auto id = named("one").credential.id;
    const std::string value = version_of("one");
    disk.records.erase({store::Table::versions, version_key(id, 1)});
    disk.records[{store::Table::versions, version_key(id, 2)}] = {.revision = 1, .value = value};
    tamper("one", [](auto& credential) { credential.version = 2; });
    BOOST_TEST(opened("one") == "damaged");
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_of_a_sealed_record_is_found) {
    std::string& value = version_of("one");
    const std::string fingerprint_skipped = write_version({.scope = organization}); // format, scope and fingerprint
    for (std::size_t bit = fingerprint_skipped.size() * 8; bit < value.size() * 8; ++bit) {
        const auto flip = [&] { value[bit / 8] = static_cast<char>(value[bit / 8] ^ (1 << bit % 8)); };
        flip();
        open();
        BOOST_TEST_REQUIRE(opened("one") == "damaged");
        flip();
    }
}

BOOST_AUTO_TEST_CASE(the_wrong_root_key_or_a_flipped_scope_key_is_named) {
    auto& key = disk.records.at({store::Table::keys, "workspace:acme"});
    key.value.back() = static_cast<char>(key.value.back() ^ 1);
    const auto refused =
        vault->accept({.table = store::Table::keys, .key = "workspace:acme", .revision = 1, .value = key.value});
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().code == result::ErrorCode::damaged));
    BOOST_TEST(refused.error().about.text() == "workspace:acme");
}

BOOST_AUTO_TEST_CASE(a_scope_key_does_not_open_another_scope) {
    const std::string key = disk.records.at({store::Table::keys, "organization"}).value;
    const auto refused =
        vault->accept({.table = store::Table::keys, .key = "workspace:other", .revision = 1, .value = key});
    BOOST_TEST(refusal_of(refused) == "damaged");
}

BOOST_AUTO_TEST_CASE(what_is_damaged_is_refused_and_never_overwritten_and_the_others_serve_on) {
    const auto one = named("one").credential.id;
    vault->forget(store::Table::versions, version_key(one, 1));
    BOOST_TEST(opened("one") == "damaged");
    BOOST_TEST(opened("two") == "none");
    Edit rename;
    rename.name = name_of("renamed");
    BOOST_TEST(refusal_of(edit(named("one"), std::move(rename))) == "damaged");

    vault->forget(store::Table::credentials, credential_key(one));
    BOOST_TEST(vault->find({&organization, 1}, one) == nullptr);
    vault->forget(store::Table::keys, "workspace:acme");
    BOOST_TEST(opened("elsewhere") == "damaged");
    BOOST_TEST(opened("two") == "none");
    store::Batch batch;
    BOOST_TEST(refusal_of(vault->stage_create(made("github", "new", workspace("acme"), R"({"token":"t"})"), batch)) ==
               "damaged");
    BOOST_TEST(batch.empty());
}

BOOST_AUTO_TEST_CASE(a_version_without_its_credential_is_passed_over) {
    const auto one = named("one").credential.id;
    disk.records.erase({store::Table::credentials, credential_key(one)});
    open();
    BOOST_TEST(vault->find({&organization, 1}, one) == nullptr);
    BOOST_TEST(opened("two") == "none");
}

BOOST_AUTO_TEST_CASE(equal_secrets_have_one_fingerprint_and_different_ones_another) {
    const Entry& again = create("http-bearer", "again", workspace("other"), R"({"token":"secret-one"})");
    BOOST_TEST((again.fingerprint == named("one").fingerprint));
    BOOST_TEST((named("two").fingerprint != named("one").fingerprint));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
