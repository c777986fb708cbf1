#define BOOST_TEST_DYN_LINK
#include "support/allocations.hpp"
#include "vault/house.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

const Scope organization = Scope::organization();

BOOST_FIXTURE_TEST_SUITE(finding, House)

BOOST_AUTO_TEST_CASE(an_id_outside_the_scopes_is_not_found) {
    const std::array acme{workspace("acme")};
    const std::array alice{personal("user:flows/alice"), workspace("acme"), organization};
    const auto id = create("github", "a", personal("user:flows/alice"), R"({"token":"t"})").credential.id;
    BOOST_TEST(vault->find(acme, id) == nullptr);
    BOOST_TEST(vault->find({}, id) == nullptr);
    const std::array bob{personal("user:flows/bob"), organization};
    BOOST_TEST(vault->find(bob, id) == nullptr);
    const std::array another_engine{personal("user:other/alice")};
    BOOST_TEST(vault->find(another_engine, id) == nullptr);
    BOOST_REQUIRE(vault->find(alice, id));
    BOOST_TEST((vault->find(alice, id)->credential.id == id));
}

BOOST_AUTO_TEST_CASE(a_name_is_found_in_each_scope_that_has_it_and_in_their_order) {
    create("github", "Prod", organization, R"({"token":"o"})");
    create("github", "PROD", workspace("acme"), R"({"token":"w"})");
    create("github", "prod", workspace("other"), R"({"token":"x"})");
    const std::array scopes{workspace("acme"), organization};
    const auto found = vault->find_named(scopes, name_of("pROD"));
    BOOST_REQUIRE_EQUAL(found.size(), 2u);
    BOOST_TEST((found[0]->credential.scope == workspace("acme")));
    BOOST_TEST((found[1]->credential.scope == organization));
    BOOST_TEST(vault->find_named(scopes, name_of("prod2")).empty());
}

BOOST_AUTO_TEST_CASE(use_is_noted_within_the_scope_alone) {
    const Entry& entry = create("github", "a", workspace("acme"), R"({"token":"t"})");
    vault->note_use(entry.credential.id, organization, now);
    BOOST_TEST(!entry.last_used_at.has_value());
    vault->note_use(entry.credential.id, workspace("acme"), now);
    BOOST_TEST((entry.last_used_at == now));
    vault->note_use({}, workspace("acme"), now);
}

BOOST_AUTO_TEST_CASE(a_lease_finds_opens_and_writes_without_touching_the_heap) {
    const std::array scopes{personal("user:flows/a-user-with-a-long-name"), workspace("a-workspace-with-a-long-name"),
                            organization};
    const auto id =
        create("http-basic", "a", scopes[1], R"({"username":"u","password":"p","base_url":"https://h.example"})")
            .credential.id;
    auto reply = secret::SecretBuffer::make(*arena, 1024, secret::Share::leases);
    const auto& kind = auth("http-basic");
    const auto before = test::allocations();
    const Entry* entry = vault->find(scopes, id);
    const auto after_find = test::allocations();
    auto opened = vault->open(*entry, kind);
    const auto after_open = test::allocations();
    const bool written = reply->expose_to_write([&](std::span<std::byte> out) {
        wire::SecretJsonWriter writer(reinterpret_cast<char*>(out.data()), out.size());
        return opened->encoded().expose([&](std::span<const std::byte> plaintext) {
            return write_lease_members(writer, kind, *entry, plaintext, ~std::uint32_t{0});
        });
    });
    vault->note_use(id, scopes[1], now);
    const auto after = test::allocations();
    BOOST_TEST(written);
    BOOST_TEST(after_find - before == 0u);
    BOOST_TEST(after_open - after_find == 0u);
    BOOST_TEST(after - after_open == 0u);
}

BOOST_AUTO_TEST_CASE(a_look_outside_the_scopes_does_not_reach_foreign_records) {
    // A look at a record by name would fold that name, and so allocate.
    const std::array acme{workspace("acme")};
    const std::string foreign_name = "a name that is longer than a short string";
    const Entry& foreign = create("github", foreign_name, organization, R"({"token":"t"})");
    create("github", "mine", acme[0], R"({"token":"t"})");
    const auto look = [&](const vocabulary::CredentialId& id) {
        const auto before = test::allocations();
        BOOST_TEST(vault->find(acme, id) == nullptr);
        return test::allocations() - before;
    };
    const auto absent = vocabulary::CredentialId(ids.next(1));
    BOOST_TEST(look(foreign.credential.id) == look(absent));
    const auto look_named = [&](const std::string& name) {
        const auto wanted = name_of(name);
        const auto before = test::allocations();
        BOOST_TEST(vault->find_named(acme, wanted).empty());
        return test::allocations() - before;
    };
    BOOST_TEST(look_named(foreign_name) == look_named("a name that is longer than a short strinh"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
