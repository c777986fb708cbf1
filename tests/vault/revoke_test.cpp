#define BOOST_TEST_DYN_LINK
#include "vault/house.hpp"
#include "vault/records.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

using vocabulary::CredentialStatus;

const Scope organization = Scope::organization();

struct Revocable : House {
    void make_durable(Change change, const store::Batch& batch) {
        disk.write(batch);
        vault->apply(std::move(change));
    }
    void revoke(const Entry& entry) {
        store::Batch batch;
        auto change = vault->stage_revoke(entry, "revoked by operator:root", now, batch);
        make_durable(std::move(change), batch);
    }
    void restore(const Entry& entry) {
        store::Batch batch;
        auto change = vault->stage_restore(entry, now, batch);
        make_durable(std::move(change), batch);
    }
    /// As a test or a refresh would leave it.
    void store_as(const Entry& entry, CredentialStatus status, const std::string& reason) {
        auto credential = entry.credential;
        credential.status = status;
        credential.status_reason = reason;
        disk.records.at({store::Table::credentials, credential_key(credential.id)}).value =
            write_credential(credential);
        open();
    }
    const Entry& named(std::string_view name) {
        const auto found = vault->find_named({&organization, 1}, name_of(name));
        BOOST_REQUIRE_EQUAL(found.size(), 1u);
        return *found.front();
    }
};

BOOST_FIXTURE_TEST_SUITE(revoking, Revocable)

BOOST_AUTO_TEST_CASE(a_revoked_credential_is_so_after_a_restart_and_says_why) {
    const Entry& entry = create("github", "a", organization, R"({"token":"t"})");
    now += std::chrono::hours(1);
    store::Batch batch;
    auto change = vault->stage_revoke(entry, "revoked by operator:root", now, batch);
    BOOST_TEST((change.after().status == CredentialStatus::revoked));
    BOOST_TEST((entry.credential.status == CredentialStatus::active)); // nothing is so before it is durable
    BOOST_TEST(batch.changes().size() == 1u);
    make_durable(std::move(change), batch);
    BOOST_TEST(&named("A") == &entry); // the same address
    for (int starts = 0; starts < 2; ++starts) {
        const auto& revoked = named("a").credential;
        BOOST_TEST((revoked.status == CredentialStatus::revoked));
        BOOST_TEST(revoked.status_reason == "revoked by operator:root");
        BOOST_TEST(revoked.revision == 2u);
        BOOST_TEST(revoked.version == 1u);
        BOOST_TEST((revoked.updated_at == now));
        BOOST_TEST(lease_of(named("a")).contains("Bearer t")); // what is sealed opens as before
        open();
    }
}

BOOST_AUTO_TEST_CASE(what_is_restored_has_the_status_that_it_had) {
    create("github", "a", organization, R"({"token":"t"})");
    for (const auto& [status, reason] :
         {std::pair(CredentialStatus::active, ""), std::pair(CredentialStatus::failing, "the last test failed"),
          std::pair(CredentialStatus::expired, "re-authenticate"), std::pair(CredentialStatus::pending, "")}) {
        store_as(named("a"), status, reason);
        const auto revision = named("a").credential.revision;
        revoke(named("a"));
        open();
        restore(named("a"));
        for (int starts = 0; starts < 2; ++starts) {
            BOOST_TEST((named("a").credential.status == status));
            BOOST_TEST(named("a").credential.status_reason == reason);
            BOOST_TEST(named("a").credential.revision == revision + 2);
            BOOST_TEST(write_credential(named("a").credential).front() == '\1');
            open();
        }
    }
    BOOST_TEST(lease_of(named("a")).contains("Bearer t"));
}

BOOST_AUTO_TEST_CASE(a_revoked_credential_keeps_its_name_and_is_edited_and_erased) {
    revoke(create("github", "a", organization, R"({"token":"t"})"));
    store::Batch batch;
    BOOST_TEST(refusal_of(vault->stage_create(made("github", "A", organization, R"({"token":"t"})"), batch)) ==
               "name_taken");
    Edit move;
    move.notes = "leaked in July";
    move.scope = workspace("acme");
    BOOST_TEST(refusal_of(edit(named("a"), std::move(move))) == "none");
    open();
    const std::array acme{workspace("acme")};
    const Entry& moved = **vault->find_named(acme, name_of("a")).begin();
    BOOST_TEST((moved.credential.status == CredentialStatus::revoked));
    restore(moved);
    BOOST_TEST((moved.credential.status == CredentialStatus::active));
    BOOST_TEST(lease_of(moved).contains("Bearer t"));
    revoke(moved);
    store::Batch erased;
    auto change = vault->stage_erase(moved, erased);
    make_durable(std::move(change), erased);
    BOOST_TEST(vault->size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_credential_whose_secret_is_damaged_is_revoked_all_the_same) {
    const auto id = create("github", "a", organization, R"({"token":"t"})").credential.id;
    vault->forget(store::Table::versions, version_key(id, 1));
    revoke(named("a"));
    open();
    BOOST_TEST((named("a").credential.status == CredentialStatus::revoked));
}

BOOST_AUTO_TEST_CASE(the_end_of_a_revoked_credential_is_not_told) {
    const Entry& entry = create("github", "a", organization, R"({"token":"t"})");
    Edit ends;
    ends.expires_at.emplace(now + std::chrono::hours(1));
    BOOST_TEST(refusal_of(edit(entry, std::move(ends))) == "none");
    revoke(entry);
    now += std::chrono::hours(2);
    BOOST_TEST((effective_status(entry.credential, now) == CredentialStatus::revoked));
    BOOST_TEST(vault->take_ended(now) == nullptr);
    Edit sooner;
    sooner.expires_at.emplace(now - std::chrono::hours(3));
    BOOST_TEST(refusal_of(edit(entry, std::move(sooner))) == "none");
    BOOST_TEST(vault->take_ended(now) == nullptr);
    restore(entry);
    BOOST_TEST((effective_status(entry.credential, now) == CredentialStatus::expired));
}

BOOST_AUTO_TEST_CASE(a_list_of_revoked_ones_holds_them_alone) {
    revoke(create("github", "gone", organization, R"({"token":"t"})"));
    create("github", "here", organization, R"({"token":"t"})");
    const auto listed = [&](CredentialStatus status) {
        const Filter filter{.status = status, .now = now};
        std::string names;
        for (const auto* entry : list(*vault, {&organization, 1}, filter, Sort::name, std::nullopt, 9).entries)
            names += entry->credential.name.text();
        return names;
    };
    BOOST_TEST(listed(CredentialStatus::revoked) == "gone");
    BOOST_TEST(listed(CredentialStatus::active) == "here");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault
