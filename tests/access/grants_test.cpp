#define BOOST_TEST_DYN_LINK
#include "access/grant_record.hpp"
#include "access/sample_house.hpp"
#include "support/allocations.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::access {
namespace {

using result::ErrorCode;
using vocabulary::Grant;

constexpr std::string_view first_token = "clg_0123456789012345678901234567890123456789012";
constexpr std::string_view second_token = "clg_abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq";

/// A grant with every member set.
Grant full_grant() {
    Grant grant = sample_grant(1);
    grant.on_behalf_of = alice.text();
    grant.user = alice;
    grant.run = "42";
    grant.reach = {.all = false, .credentials = {credential(1), credential(2)}, .services = {service("openai")}};
    grant.fields = {"api_key", "organization"};
    grant.max_ttl = 5min;
    grant.max_leases = 7;
    grant.leases_taken = 3;
    grant.uid = 998;
    return grant;
}

bool same(const Grant& left, const Grant& right) {
    return left.id == right.id && left.minted_by == right.minted_by && left.on_behalf_of == right.on_behalf_of &&
           left.workspace == right.workspace && left.user == right.user && left.workflow == right.workflow &&
           left.run == right.run && left.reach.all == right.reach.all &&
           left.reach.credentials == right.reach.credentials && left.reach.services == right.reach.services &&
           left.fields == right.fields && left.created_at == right.created_at && left.expires_at == right.expires_at &&
           left.max_ttl == right.max_ttl && left.max_leases == right.max_leases &&
           left.leases_taken == right.leases_taken && left.uid == right.uid;
}

store::Batch::Change minted(Grants& grants, const Grant& grant, std::string_view text) {
    store::Batch batch;
    grants.stage_mint(grant, token(text), batch);
    BOOST_REQUIRE(batch.changes().size() == 1U);
    return batch.changes().front();
}

store::Record record_of(const store::Batch::Change& change) {
    return {.table = change.table, .key = change.key, .revision = change.revision, .value = *change.value};
}

BOOST_AUTO_TEST_CASE(a_grant_is_found_by_its_token_and_by_no_other) {
    Grants grants(grant_mac());
    grants.apply_mint(sample_grant(1), token(first_token));
    grants.apply_mint(sample_grant(2), token(second_token));
    BOOST_REQUIRE(grants.find_by_token(first_token) != nullptr);
    BOOST_TEST((grants.find_by_token(first_token)->id == grant_id(1)));
    BOOST_TEST((grants.find_by_token(second_token)->id == grant_id(2)));
    std::string other(first_token);
    for (std::size_t i = 0; i < other.size(); ++i) {
        other[i] ^= 1;
        BOOST_TEST(grants.find_by_token(other) == nullptr);
        other[i] ^= 1;
    }
    BOOST_TEST(grants.find_by_token("") == nullptr);
    BOOST_TEST(grants.find_by_token(first_token.substr(0, 20)) == nullptr);
    BOOST_TEST(grants.find_by_token(std::string(10'000, 'x')) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_minted_grant_is_read_back_with_all_it_says_and_by_the_same_token) {
    for (const Grant& grant : {full_grant(), sample_grant(1)}) {
        Grants grants(grant_mac());
        const auto change = minted(grants, grant, first_token);
        BOOST_TEST(change.revision == 1U);
        Grants again(grant_mac());
        BOOST_REQUIRE(again.accept(record_of(change)));
        BOOST_REQUIRE(again.find_by_token(first_token) != nullptr);
        BOOST_TEST(same(*again.find_by_token(first_token), grant));
    }
}

BOOST_AUTO_TEST_CASE(no_part_of_a_token_is_stored) {
    Grants grants(grant_mac());
    const auto change = minted(grants, full_grant(), first_token);
    for (std::size_t at = 4; at + 8 <= first_token.size(); ++at) {
        BOOST_TEST(!change.value->contains(first_token.substr(at, 8)));
        BOOST_TEST(!change.key.contains(first_token.substr(at, 8)));
    }
}

BOOST_AUTO_TEST_CASE(staging_changes_nothing_before_it_is_applied) {
    Grants grants(grant_mac());
    (void)minted(grants, sample_grant(1), first_token);
    BOOST_TEST(grants.size() == 0U);
    BOOST_TEST(grants.find_by_token(first_token) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_grant_minted_again_takes_the_new_token_and_forgets_the_old_one) {
    Grants grants(grant_mac());
    grants.apply_mint(sample_grant(1), token(first_token));
    Grant later = sample_grant(1);
    later.expires_at = noon + 2h;
    BOOST_TEST(minted(grants, later, second_token).revision == 2U);
    grants.apply_mint(later, token(second_token));
    BOOST_TEST(grants.find_by_token(first_token) == nullptr);
    BOOST_TEST((grants.find_by_token(second_token)->id == grant_id(1)));
    BOOST_TEST(grants.size() == 1U);
    BOOST_TEST(grants.minted_by("engine:flows").size() == 1U);
    BOOST_TEST((grants.next_expiry() == noon + 2h));
    store::Batch withdrawn;
    grants.stage_withdraw(*grants.find(grant_id(1)), withdrawn);
    BOOST_TEST(withdrawn.changes().front().revision == 2U);
}

BOOST_AUTO_TEST_CASE(counting_and_withdrawing_follow_the_records_revision) {
    Grants grants(grant_mac());
    grants.apply_mint(full_grant(), token(first_token));
    store::Batch batch;
    grants.stage_count(*grants.find(grant_id(1)), batch);
    grants.apply_count(grant_id(1), 4);
    grants.stage_count(*grants.find(grant_id(1)), batch);
    grants.apply_count(grant_id(1), 5);
    grants.stage_withdraw(*grants.find(grant_id(1)), batch);
    BOOST_REQUIRE(batch.changes().size() == 3U);
    BOOST_TEST(batch.changes()[0].revision == 2U);
    BOOST_TEST(batch.changes()[1].revision == 3U);
    BOOST_TEST(batch.changes()[2].revision == 3U);
    BOOST_TEST(!batch.changes()[2].value);
    BOOST_TEST(grants.find(grant_id(1))->leases_taken == 5U);

    Grants again(grant_mac());
    BOOST_REQUIRE(again.accept(record_of(batch.changes()[1])));
    BOOST_TEST(again.find_by_token(first_token)->leases_taken == 5U);
    store::Batch withdrawn;
    again.stage_withdraw(*again.find(grant_id(1)), withdrawn);
    BOOST_TEST(withdrawn.changes().front().revision == 3U);
}

BOOST_AUTO_TEST_CASE(a_withdrawn_grant_is_gone_everywhere) {
    Grants grants(grant_mac());
    grants.apply_mint(sample_grant(1), token(first_token));
    grants.apply_withdraw(grant_id(1));
    grants.apply_withdraw(grant_id(1));
    grants.apply_count(grant_id(1), 1);
    BOOST_TEST(grants.find(grant_id(1)) == nullptr);
    BOOST_TEST(grants.find_by_token(first_token) == nullptr);
    BOOST_TEST(grants.minted_by("").empty());
    BOOST_TEST(grants.minted_by("engine:flows").empty());
    BOOST_TEST(grants.expired(noon + 24h, 10).empty());
    BOOST_TEST(!grants.next_expiry());
}

BOOST_AUTO_TEST_CASE(grants_are_listed_by_who_minted_them_in_the_order_of_ids) {
    Grants grants(grant_mac());
    for (const std::uint64_t number : {3U, 1U, 4U, 2U}) {
        Grant grant = sample_grant(number);
        if (number == 4) grant.minted_by = "operator:root";
        grants.apply_mint(grant, token("clg_" + std::to_string(number)));
    }
    const auto numbers = [&](std::string_view principal) {
        std::vector<std::uint64_t> found;
        for (const auto* grant : grants.minted_by(principal)) found.push_back(grant->id.value().low);
        return found;
    };
    BOOST_TEST((numbers("engine:flows") == std::vector<std::uint64_t>{1, 2, 3}));
    BOOST_TEST((numbers("operator:root") == std::vector<std::uint64_t>{4}));
    BOOST_TEST((numbers("engine:flow").empty()));
    BOOST_TEST((numbers("") == std::vector<std::uint64_t>{1, 2, 3, 4}));
}

BOOST_AUTO_TEST_CASE(grants_whose_time_is_over_are_told_the_oldest_first) {
    Grants grants(grant_mac());
    for (std::uint64_t number = 1; number <= 5; ++number) {
        Grant grant = sample_grant(number);
        grant.expires_at = noon + number * 1min;
        grants.apply_mint(grant, token("clg_" + std::to_string(number)));
    }
    BOOST_TEST((grants.next_expiry() == noon + 1min));
    BOOST_TEST(grants.expired(noon + 1min - 1ms, 10).empty());
    BOOST_TEST((grants.expired(noon + 3min, 10) == std::vector{grant_id(1), grant_id(2), grant_id(3)}));
    BOOST_TEST((grants.expired(noon + 3min, 2) == std::vector{grant_id(1), grant_id(2)}));
    BOOST_TEST(grants.find_by_token("clg_1") != nullptr); // expired or not
}

BOOST_AUTO_TEST_CASE(without_a_key_there_is_no_grant) {
    const Grants grants{mac::GrantMac()};
    BOOST_TEST(grants.find_by_token(first_token) == nullptr);
}

BOOST_AUTO_TEST_CASE(another_key_finds_no_grant) {
    Grants grants(grant_mac());
    const auto change = minted(grants, sample_grant(1), first_token);
    const auto key =
        secret::SecretBuffer::copy(arena(), "another.key.another.key.another.", secret::Share::keys).value();
    Grants other(mac::make_mac<mac::GrantPurpose>(arena(), key).value());
    BOOST_REQUIRE(other.accept(record_of(change)));
    BOOST_TEST(other.find_by_token(first_token) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_record_that_is_cut_grown_or_not_ours_is_named_and_refused) {
    Grants grants(grant_mac());
    const auto change = minted(grants, full_grant(), first_token);
    const auto accept = [&](std::string_view key, std::string_view value) {
        Grants reading(grant_mac());
        const auto accepted =
            reading.accept({.table = store::Table::grants, .key = key, .revision = 1, .value = value});
        if (!accepted) BOOST_TEST(accepted.error().about.text() == key);
        return code_of(accepted);
    };
    const std::string& value = *change.value;
    BOOST_TEST(!accept(change.key, value));
    for (std::size_t size = 0; size < value.size(); ++size) {
        BOOST_REQUIRE((accept(change.key, std::string_view(value).substr(0, size)) == ErrorCode::damaged));
    }
    BOOST_TEST((accept(change.key, value + '\0') == ErrorCode::damaged));
    BOOST_TEST((accept("grant_1", value) == ErrorCode::damaged));
    BOOST_TEST((accept(change.key, '\2' + value.substr(1)) == ErrorCode::damaged));
}

BOOST_AUTO_TEST_CASE(a_flipped_record_is_refused_or_read_as_just_what_it_says) {
    Grants grants(grant_mac());
    const auto change = minted(grants, full_grant(), first_token);
    for (std::size_t at = 0; at < change.value->size(); ++at) {
        for (const int flip : {0x01, 0x80, 0xff}) {
            std::string value = *change.value;
            value[at] = static_cast<char>(value[at] ^ flip);
            const auto read =
                read_grant_record({.table = store::Table::grants, .key = change.key, .revision = 1, .value = value});
            BOOST_REQUIRE((read ? write_record(*read) == value : read.error().code == ErrorCode::damaged));
        }
    }
}

BOOST_AUTO_TEST_CASE(looking_for_a_token_allocates_nothing) {
    Grants grants(grant_mac());
    grants.apply_mint(sample_grant(1), token(first_token));
    const auto before = test::allocations();
    bool right = true;
    for (int i = 0; i < 100; ++i) {
        right = right && grants.find_by_token(first_token) != nullptr && grants.find_by_token(second_token) == nullptr;
    }
    BOOST_TEST(test::allocations() == before);
    BOOST_TEST(right);
}

} // namespace
} // namespace credlease::access
