#define BOOST_TEST_DYN_LINK
#include "support/allocations.hpp"
#include "vault/house.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

namespace credlease::vault {
namespace {

using vocabulary::CredentialStatus;

const Scope organization = Scope::organization();

struct Listed : House {
    Listed() {
        add("github", "Zeta", organization, "about Bananas");
        add("openai", "alpha", organization, "");
        add("openai", "\xc3\x84pfel", workspace("acme"),
            "Stra\xc3\x9f"
            "e");
        add("http-bearer", "Beta", workspace("acme"), "");
        add("github", "foreign", workspace("other"), "bananas");
    }

    void add(std::string_view id, std::string_view name, const Scope& scope, std::string_view notes) {
        now += std::chrono::seconds(10);
        const Entry& entry = create(id, name, scope, id == "openai" ? R"({"api_key":"k"})" : R"({"token":"t"})");
        Edit edit_of_notes;
        edit_of_notes.notes = std::string(notes);
        BOOST_REQUIRE(edit(entry, std::move(edit_of_notes)).has_value());
    }

    std::string names(const Filter& filter, Sort sort = Sort::name, std::size_t limit = 100) const {
        std::string text;
        for (const Entry* entry : list(*vault, scopes, filter, sort, std::nullopt, limit).entries) {
            text += (text.empty() ? "" : " ") + entry->credential.name.text();
        }
        return text;
    }

    const std::array<Scope, 2> scopes{workspace("acme"), organization};
};

BOOST_FIXTURE_TEST_SUITE(listing, Listed)

BOOST_AUTO_TEST_CASE(a_list_holds_what_the_scopes_hold_in_the_order_asked_for) {
    BOOST_TEST(names({}) == "alpha Beta Zeta \xc3\x84pfel");
    BOOST_TEST(names({}, Sort::created_at) == "Zeta alpha \xc3\x84pfel Beta");
    BOOST_TEST(names({}, Sort::created_at, 2) == "Zeta alpha");
    BOOST_TEST(names({}, Sort::name, 0).empty());
    const Entry& alpha = **vault->find_named(scopes, name_of("alpha")).begin();
    now += std::chrono::seconds(10);
    BOOST_REQUIRE(edit_fields(alpha, "{}").has_value());
    BOOST_TEST(names({}, Sort::updated_at) == "Zeta \xc3\x84pfel Beta alpha");
    vault->note_use(alpha.credential.id, organization, now);
    BOOST_TEST(names({}, Sort::last_used_at, 3) == "Zeta \xc3\x84pfel Beta"); // never used: first, by id
    BOOST_TEST(names({}, Sort::last_used_at).ends_with("alpha"));
}

BOOST_AUTO_TEST_CASE(text_is_searched_in_name_service_and_notes_whatever_its_case) {
    BOOST_TEST(names({.text = "BANANA"}) == "Zeta");
    BOOST_TEST(names({.text = "\xc3\xa4"
                              "PFEL"}) == "\xc3\x84pfel");
    BOOST_TEST(names({.text = "strasse"}) == "\xc3\x84pfel");
    BOOST_TEST(names({.text = "HTTP-"}) == "Beta");
    BOOST_TEST(names({.text = "nothing"}).empty());
    BOOST_TEST(names({.text = "\xff"}).empty());
}

BOOST_AUTO_TEST_CASE(a_search_folds_what_is_asked_for_and_no_entry) {
    const auto allocated = [&] {
        const auto before = credlease::test::allocations();
        BOOST_TEST(names({.text = "z\xc3\xa4hes"}).empty());
        return credlease::test::allocations() - before;
    };
    const auto few = allocated();
    for (int i = 0; i < 20; ++i) add("github", "more " + std::to_string(i), organization, "Viel \xc3\x84pfel");
    BOOST_TEST(allocated() == few);
    add("github", "another", organization, "Z\xc3\x84HES");
    BOOST_TEST(names({.text = "z\xc3\xa4hes"}) == "another");
}

BOOST_AUTO_TEST_CASE(no_text_is_found_across_a_name_and_a_service) {
    BOOST_TEST(names({.text = "betahttp"}).empty());
    BOOST_TEST(names({.text = "zetagithub"}).empty());
}

BOOST_AUTO_TEST_CASE(filters_narrow_together) {
    BOOST_TEST(names({.services = {"openai"}}) == "alpha \xc3\x84pfel");
    BOOST_TEST(names({.services = {"openai", "github"}}) == "alpha Zeta \xc3\x84pfel");
    BOOST_TEST(names({.services = {"openai"}, .scope = organization}) == "alpha");
    BOOST_TEST(names({.scope = workspace("other")}).empty()); // outside the caller's scopes
    BOOST_TEST(names({.auth = "bearer"}) == "Beta");
    BOOST_TEST(names({.text = "a", .auth = "api_key"}) == "alpha \xc3\x84pfel");
}

BOOST_AUTO_TEST_CASE(status_is_the_one_that_is_shown) {
    const Entry& beta = **vault->find_named(scopes, name_of("beta")).begin();
    Edit end;
    end.expires_at.emplace(now + std::chrono::hours(1));
    BOOST_REQUIRE(edit(beta, std::move(end)).has_value());
    const auto later = now + std::chrono::hours(2);
    BOOST_TEST(names({.status = CredentialStatus::expired, .now = now}).empty());
    BOOST_TEST(names({.status = CredentialStatus::expired, .now = later}) == "Beta");
    BOOST_TEST(names({.status = CredentialStatus::active, .now = later}) == "alpha Zeta \xc3\x84pfel");
}

BOOST_AUTO_TEST_CASE(what_is_not_kept_is_left_out_in_one_pass_and_only_what_the_scopes_hold_is_asked_about) {
    std::multiset<std::string> asked;
    Filter filter;
    filter.keep = [&](const vocabulary::Credential& credential) {
        asked.insert(credential.name.text());
        return credential.service.text() == "github";
    };
    BOOST_TEST(names(filter, Sort::name, 1) == "Zeta");
    BOOST_TEST((asked == std::multiset<std::string>{"Zeta", "alpha", "\xc3\x84pfel", "Beta"}));
}

BOOST_AUTO_TEST_CASE(pages_repeat_and_skip_nothing_that_stayed) {
    for (int i = 0; i < 60; ++i) {
        if (i % 3 == 0) now += std::chrono::seconds(1); // some share their time
        create("github", "page " + std::to_string(i), scopes[static_cast<std::size_t>(i) % 2], R"({"token":"t"})");
    }
    for (const Sort sort : {Sort::name, Sort::created_at, Sort::updated_at, Sort::last_used_at}) {
        std::vector<std::string> whole;
        for (const Entry* entry : list(*vault, scopes, {}, sort, std::nullopt, 1000).entries)
            whole.push_back(entry->credential.name.text());
        std::vector<std::string> paged;
        std::optional<Position> after;
        int page = 0;
        do {
            const auto [entries, next] = list(*vault, scopes, {}, sort, after, 7);
            for (const Entry* entry : entries) paged.push_back(entry->credential.name.text());
            after = next;
            if (++page == 2 && sort == Sort::name) { // what comes and goes meanwhile moves nothing else
                create("github", "a newcomer at the front", organization, R"({"token":"t"})");
                store::Batch batch;
                Change gone = vault->stage_erase(*entries.back(), batch);
                vault->apply(std::move(gone));
            }
        } while (after);
        BOOST_TEST(paged == whole, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_list_made_in_slices_misses_nothing_that_stayed_and_holds_nothing_that_went) {
    std::vector<vocabulary::CredentialId> ids;
    for (int i = 0; i < 1200; ++i) {
        ids.push_back(create("github", "n" + std::to_string(i), organization, R"({"token":"t"})").credential.id);
    }
    const auto erase = [&](std::size_t which) {
        const Entry* entry = vault->find(scopes, ids[which]);
        store::Batch batch;
        Change gone = vault->stage_erase(*entry, batch);
        disk.write(batch);
        vault->apply(std::move(gone));
    };
    Listing listing({scopes.begin(), scopes.end()}, Filter{.services = {"github"}}, Sort::created_at, {}, 5000);
    std::size_t slices = 0;
    for (; vault->list_on(listing); ++slices) {
        if (slices >= 8) continue;
        for (std::size_t i = 0; i < 8; ++i) erase(slices * 100 + i * 7); // … of those that were seen, and that were not
        BOOST_REQUIRE(edit_fields(*vault->find(scopes, ids[900 + slices]), "{}").has_value());
        create("github", "new " + std::to_string(slices), organization, R"({"token":"t"})");
    }
    BOOST_TEST(slices >= 8U);
    std::multiset<std::string> found;
    for (const Entry* entry : shown(*vault, listing).entries) found.insert(entry->credential.id.text());
    for (const auto& id : ids) BOOST_TEST(found.count(id.text()) == (vault->find(scopes, id) ? 1U : 0U));
}

BOOST_AUTO_TEST_CASE(a_slice_ends_with_so_much_text) {
    for (int i = 0; i < 40; ++i) {
        const Entry& entry = create("github", "t" + std::to_string(i), organization, R"({"token":"t"})");
        Edit long_notes;
        long_notes.notes = std::string(4000, 'x');
        BOOST_REQUIRE(edit(entry, std::move(long_notes)).has_value());
    }
    Listing listing({organization}, Filter{.text = "nowhere"}, Sort::name, {}, 9);
    BOOST_TEST(vault->list_on(listing));
    while (vault->list_on(listing)) {
    }
    BOOST_TEST(shown(*vault, listing).entries.empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
