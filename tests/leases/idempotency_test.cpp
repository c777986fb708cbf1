#define BOOST_TEST_DYN_LINK
#include "leases/idempotency.hpp"
#include "leases/sample_leases.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::leases {
namespace {

Idempotency::Seen seen(std::uint64_t number, bool renewal = false) {
    return {.lease = lease_id(number), .body_digest = {static_cast<std::uint8_t>(number)}, .renewal = renewal};
}

BOOST_AUTO_TEST_CASE(a_key_gives_the_lease_that_it_gave_before) {
    Idempotency idempotency;
    idempotency.note({"worker:etl"}, "k1", seen(1), noon);
    idempotency.note({"worker:etl"}, "k2", seen(2, true), noon);
    const auto first = idempotency.find({"worker:etl"}, "k1", noon);
    BOOST_REQUIRE(first);
    BOOST_TEST((first->lease == lease_id(1) && first->body_digest == seen(1).body_digest && !first->renewal));
    BOOST_TEST(idempotency.find({"worker:etl"}, "k2", noon)->renewal);
    BOOST_TEST(!idempotency.find({"worker:etl"}, "k3", noon));
}

BOOST_AUTO_TEST_CASE(a_key_is_its_callers_own) {
    Idempotency idempotency;
    idempotency.note({"worker:etl"}, "k", seen(1), noon);
    idempotency.note({"worker:web"}, "k", seen(2), noon);
    BOOST_TEST((idempotency.find({"worker:etl"}, "k", noon)->lease == lease_id(1)));
    BOOST_TEST((idempotency.find({"worker:web"}, "k", noon)->lease == lease_id(2)));
    BOOST_TEST(!idempotency.find({"worker:other"}, "k", noon));
}

BOOST_AUTO_TEST_CASE(a_key_is_of_the_user_that_an_engine_acts_for) {
    Idempotency idempotency;
    const Idempotency::Whose alice{"engine:flows", "user:flows/alice"}, bob{"engine:flows", "user:flows/bob"};
    idempotency.note(alice, "k", seen(1), noon);
    BOOST_TEST(!idempotency.find(bob, "k", noon));
    BOOST_TEST(!idempotency.find({"engine:flows"}, "k", noon));
    idempotency.note(bob, "k", seen(2), noon);
    BOOST_TEST((idempotency.find(alice, "k", noon)->lease == lease_id(1)));
    idempotency.forget(bob, "k");
    BOOST_TEST(!idempotency.find(bob, "k", noon));
    BOOST_TEST(idempotency.find(alice, "k", noon).has_value());
}

BOOST_AUTO_TEST_CASE(a_key_is_kept_for_ten_minutes) {
    Idempotency idempotency;
    idempotency.note({"worker:etl"}, "k", seen(1), noon);
    BOOST_TEST(idempotency.find({"worker:etl"}, "k", noon + 10min).has_value());
    BOOST_TEST(!idempotency.find({"worker:etl"}, "k", noon + 10min + 1ms));
    idempotency.note({"worker:etl"}, "k", seen(2), noon + 11min);
    BOOST_TEST((idempotency.find({"worker:etl"}, "k", noon + 11min)->lease == lease_id(2)));
}

BOOST_AUTO_TEST_CASE(the_last_4096_keys_of_a_caller_are_kept_and_no_other_callers_are_pushed_out) {
    Idempotency idempotency;
    idempotency.note({"worker:web"}, "quiet", seen(7), noon);
    for (std::uint64_t i = 0; i <= 4096; ++i) idempotency.note({"worker:etl"}, std::to_string(i), seen(i), noon);
    BOOST_TEST(!idempotency.find({"worker:etl"}, "0", noon));
    BOOST_TEST(idempotency.find({"worker:etl"}, "1", noon).has_value());
    BOOST_TEST(idempotency.find({"worker:etl"}, "4096", noon).has_value());
    BOOST_TEST(idempotency.find({"worker:web"}, "quiet", noon).has_value());
}

BOOST_AUTO_TEST_CASE(a_request_without_a_key_is_not_noted) {
    Idempotency idempotency;
    idempotency.note({"worker:etl"}, "", seen(1), noon);
    BOOST_TEST(!idempotency.find({"worker:etl"}, "", noon));
}

BOOST_AUTO_TEST_CASE(the_journal_brings_keys_back) {
    vocabulary::LeaseView view;
    view.idempotency_key = "k";
    view.body_digest = {9};
    vocabulary::AuditRecord record;
    record.at = noon;
    record.principal = "worker:etl";
    record.lease = lease_id(1);
    record.lease_view = &view;

    using vocabulary::Action;
    for (const auto& [action, comes_back] :
         {std::pair{Action::lease_issued, true}, std::pair{Action::lease_renewed, true},
          std::pair{Action::lease_redelivered, false}, std::pair{Action::lease_ended, false}}) {
        Idempotency idempotency;
        record.action = action;
        idempotency.replay(record);
        const auto found = idempotency.find({"worker:etl"}, "k", noon + 1min);
        BOOST_TEST(found.has_value() == comes_back);
        if (found) {
            BOOST_TEST((found->lease == lease_id(1) && found->body_digest == view.body_digest));
            BOOST_TEST(found->renewal == (action == Action::lease_renewed));
        }
        idempotency.clear();
        BOOST_TEST(!idempotency.find({"worker:etl"}, "k", noon + 1min));
    }
}

} // namespace
} // namespace credlease::leases
