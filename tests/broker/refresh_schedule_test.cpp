#define BOOST_TEST_DYN_LINK
#include "broker/refresh_schedule.hpp"
#include "support/allocations.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace credlease::broker {
namespace {

using namespace std::chrono_literals;
using runtime::BootTime;
using vocabulary::CredentialId;

CredentialId id_of(std::uint64_t number) { return CredentialId(vocabulary::Ulid{.high = 7, .low = number}); }

/// Credentials by number, of one client or of several.
struct Scheduled {
    vocabulary::Scope scope = vocabulary::Scope::organization();
    vocabulary::Time wall = *vocabulary::read_time("2026-11-25T12:00:00Z");
    BootTime now{1h};
    ExchangeShares shares{100'000};
    RefreshSchedule schedule{shares};
    RefreshSchedule::Client client{.key = {.owner = "workspace:acme", .host = "auth.example.org", .client_id = "app"}};

    void plan(std::uint64_t number, vocabulary::Duration in, bool is_late = false) {
        schedule.plan(scope, id_of(number), client, {.at = wall + in, .period = 1h, .is_late = is_late});
    }
    bool ask(std::uint64_t number, vocabulary::Duration deadline = 20s) {
        return !schedule.ask(scope, id_of(number), client, now, now + deadline).has_value();
    }
    /// The number of the credential that begins now; 0: none.
    std::uint64_t take() {
        const auto turn = schedule.take(wall, now);
        return turn ? turn->id.value().low : 0;
    }
    void end(std::uint64_t number) { schedule.end(id_of(number), true, now); }
    void pass(vocabulary::Duration by) {
        wall += by;
        now += by;
    }
};

BOOST_FIXTURE_TEST_SUITE(refresh_schedule, Scheduled)

BOOST_AUTO_TEST_CASE(each_begins_when_it_is_due_and_once) {
    plan(1, 20s);
    plan(2, 10s);
    BOOST_TEST(take() == 0u);
    BOOST_TEST((schedule.wait(wall, now) == vocabulary::Duration(10s)));
    pass(10s);
    BOOST_TEST(take() == 2u);
    BOOST_TEST(take() == 0u);
    plan(2, 0s); // it is under way
    BOOST_TEST(take() == 0u);
    pass(10s);
    BOOST_TEST(take() == 1u);
    end(1);
    end(2);
    BOOST_TEST(!schedule.wait(wall, now).has_value());
}

BOOST_AUTO_TEST_CASE(one_client_has_no_more_under_way_than_its_budget_and_another_does_not_wait_for_it) {
    client.budget.at_once = 2;
    for (std::uint64_t i = 1; i <= 4; ++i) plan(i, 0s);
    BOOST_TEST(take() == 1u);
    pass(1s);
    BOOST_TEST(take() == 2u);
    pass(1s);
    BOOST_TEST(take() == 0u);
    BOOST_TEST(!schedule.wait(wall, now).has_value());
    client.key.client_id = "another";
    plan(9, 0s);
    BOOST_TEST(take() == 9u);
    end(1);
    BOOST_TEST(take() == 3u);
    BOOST_TEST(take() == 0u);
}

BOOST_AUTO_TEST_CASE(who_is_waited_for_goes_first_but_not_beyond_the_budget) {
    client.budget.at_once = 1;
    for (std::uint64_t i = 1; i <= 3; ++i) plan(i, 0s);
    BOOST_TEST(take() == 1u);
    BOOST_TEST(ask(3));
    BOOST_TEST(ask(7)); // that was in no plan
    BOOST_TEST(take() == 0u);
    end(1);
    BOOST_TEST(take() == 3u);
    end(3);
    BOOST_TEST(take() == 7u);
    end(7);
    pass(1s);
    BOOST_TEST(take() == 2u);
}

BOOST_AUTO_TEST_CASE(who_would_wait_beyond_its_deadline_is_told_when_its_turn_comes) {
    client.budget = {.requests = 1, .per = 1min};
    BOOST_TEST(ask(1));
    BOOST_TEST(take() == 1u);
    end(1);
    BOOST_TEST(ask(2, 60s));
    BOOST_TEST(!ask(3, 59s));
    BOOST_TEST((*schedule.ask(scope, id_of(3), client, now, now + 1s) == now + 1min));
    pass(1min);
    BOOST_TEST(take() == 2u);
}

BOOST_AUTO_TEST_CASE(a_retry_after_of_one_holds_back_all_of_its_client) {
    client.budget.at_once = 4;
    plan(1, 0s);
    plan(2, 1s);
    BOOST_TEST(take() == 1u);
    schedule.end(id_of(1), false, now, 30s);
    pass(10s);
    BOOST_TEST(take() == 0u);
    BOOST_TEST((schedule.wait(wall, now) == vocabulary::Duration(20s)));
    BOOST_TEST(!ask(3, 19s));
    pass(20s);
    BOOST_TEST(take() == 2u);
}

BOOST_AUTO_TEST_CASE(who_names_a_client_of_others_is_not_held_back_with_them_nor_they_with_it) {
    plan(1, 0s);
    BOOST_TEST(take() == 1u);
    schedule.end(id_of(1), false, now, 1h);
    client.key.owner = "workspace:other"; // the same client id at the same host
    BOOST_TEST(ask(2));
    BOOST_TEST(take() == 2u);
    schedule.end(id_of(2), false, now, 1h);
    client.key.owner = "drive of the organization";
    BOOST_TEST(ask(3));
    BOOST_TEST(take() == 3u);
}

BOOST_AUTO_TEST_CASE(an_owner_whose_requests_hang_waits_for_its_share_and_no_other_owner_waits_for_it) {
    client.room = 1000;
    std::uint64_t begun = 0;
    for (std::uint64_t i = 1; i <= 100; ++i) {
        client.key.client_id = client.key.host = std::to_string(i); // each with a lane of its own
        BOOST_TEST(ask(i));
        begun += take() != 0 ? 1U : 0U;
    }
    BOOST_TEST(begun == 33u);
    client.key.owner = "workspace:other";
    BOOST_TEST(ask(200));
    BOOST_TEST(take() == 200u);
    BOOST_TEST(take() == 0u);
    end(1); // what it gives back is taken at once
    BOOST_TEST((schedule.wait(wall, now) <= vocabulary::Duration()));
    const auto next = take();
    BOOST_TEST(next != 0u);
    BOOST_TEST(take() == 0u);
    BOOST_TEST((schedule.wait(wall, now) <= vocabulary::Duration(100ms))); // others may give back some, too
    schedule.forget(id_of(next));
}

BOOST_AUTO_TEST_CASE(room_that_an_owner_gives_back_is_for_its_own_first) {
    client.room = 1000;
    const auto ask_all = [&](std::uint64_t first, std::uint64_t last) {
        for (std::uint64_t i = first; i <= last; ++i) {
            client.key.client_id = client.key.host = std::to_string(i);
            BOOST_TEST(ask(i));
            static_cast<void>(take());
        }
    };
    ask_all(1, 100); // most of them wait for room
    client.key.owner = "workspace:other";
    ask_all(201, 240); // so do some of these
    BOOST_TEST(take() == 0u);
    end(201);
    BOOST_TEST(take() > 201u);
}

BOOST_AUTO_TEST_CASE(what_an_answer_took_of_the_room_is_for_others_once_it_has_been_read) {
    client.room = usual_exchange + 1000;
    const auto begin_all = [&](std::uint64_t first, std::uint64_t last) {
        std::uint64_t begun = 0;
        for (std::uint64_t i = first; i <= last; ++i) {
            client.key.client_id = client.key.host = std::to_string(i);
            BOOST_TEST(ask(i));
            begun += take() != 0 ? 1U : 0U;
        }
        return begun;
    };
    const auto most = begin_all(1, 20);
    BOOST_TEST(most == 3u);
    for (std::uint64_t i = 1; i <= most; ++i) schedule.has_read(id_of(i));
    BOOST_TEST((schedule.wait(wall, now) <= vocabulary::Duration()));
    std::uint64_t more = 0;
    while (take() != 0) ++more;
    BOOST_TEST(more >= 2u);
    for (std::uint64_t i = 1; i <= most + more; ++i) end(i);
    BOOST_TEST(shares.take({.owner = "another", .host = "another", .bytes = 100'000})); // all of it, and no more
    BOOST_TEST(!shares.take({.owner = "a third", .host = "a third", .bytes = 1}));
}

BOOST_AUTO_TEST_CASE(a_budget_that_is_narrowed_counts_what_was_asked_for_before) {
    client.budget = {.requests = 100, .per = 1min};
    for (std::uint64_t i = 1; i <= 10; ++i) {
        BOOST_TEST(ask(i));
        BOOST_TEST(take() == i);
        end(i);
    }
    pass(30s);
    client.budget = {.requests = 10, .per = 1h};
    plan(1, 2h);
    pass(31s);
    BOOST_TEST(take() == 0u);
    BOOST_TEST(!ask(11));
}

BOOST_AUTO_TEST_CASE(what_was_put_off_for_want_of_room_is_no_failure_more) {
    plan(1, 0s);
    BOOST_TEST(take() == 1u);
    schedule.put_off(id_of(1));
    BOOST_TEST(schedule.failures_of(id_of(1)) == 1u); // it rests a little
    pass(5s);
    plan(1, 0s);
    BOOST_TEST(take() == 1u);
    schedule.put_off(id_of(1));
    BOOST_TEST(schedule.failures_of(id_of(1)) == 1u);
}

BOOST_AUTO_TEST_CASE(a_lease_asks_anew_at_once_after_one_failure_and_after_more_ever_later_up_to_a_minute) {
    for (const auto& rest : {0s, 5s, 10s, 20s, 40s, 60s, 60s}) {
        BOOST_TEST(ask(1));
        BOOST_TEST(take() == 1u);
        schedule.end(id_of(1), false, now);
        BOOST_TEST((schedule.rests_until(id_of(1)) == now + rest));
        pass(1h);
    }
    BOOST_TEST(ask(1));
    BOOST_TEST(take() == 1u);
    end(1);
    BOOST_TEST((schedule.rests_until(id_of(1)) <= now));
}

BOOST_AUTO_TEST_CASE(a_grants_own_budget_holds_back_it_alone) {
    client.grant_budget = catalog::Budget{.requests = 1, .per = 1min, .at_once = 1};
    plan(1, 0s);
    plan(2, 10s);
    BOOST_TEST(take() == 1u);
    end(1);
    plan(1, 5s);
    pass(10s);
    BOOST_TEST(take() == 2u);
    BOOST_TEST(take() == 0u);
    BOOST_TEST(!ask(1, 60s));
    pass(50s);
    BOOST_TEST(take() == 1u);
}

BOOST_AUTO_TEST_CASE(what_lives_still_goes_before_what_has_ended) {
    client.budget.at_once = 1;
    plan(1, -50s, true);
    plan(2, -40s, true);
    plan(3, -10s);
    BOOST_TEST(take() == 3u);
    end(3);
    pass(1s);
    BOOST_TEST(take() == 1u);
}

BOOST_AUTO_TEST_CASE(what_is_forgotten_does_not_begin) {
    client.budget.at_once = 1;
    plan(1, 0s);
    plan(2, 0s);
    plan(3, 1h);
    BOOST_TEST(take() == 1u);
    schedule.forget(id_of(2));
    schedule.forget(id_of(3));
    schedule.forget(id_of(1)); // not while it is under way
    end(1);
    schedule.forget(id_of(1));
    pass(2h);
    BOOST_TEST(take() == 0u);
    BOOST_TEST(!schedule.wait(wall, now).has_value());
}

BOOST_AUTO_TEST_CASE(failures_are_counted_since_the_last_success) {
    plan(1, 0s);
    BOOST_TEST(take() == 1u);
    BOOST_TEST(schedule.end(id_of(1), false, now) == 1u);
    pass(1s);
    plan(1, 0s);
    BOOST_TEST(take() == 1u);
    BOOST_TEST(schedule.end(id_of(1), false, now) == 2u);
    BOOST_TEST(schedule.failures_of(id_of(1)) == 2u);
    pass(1s);
    plan(1, 0s);
    BOOST_TEST(take() == 1u);
    BOOST_TEST(schedule.end(id_of(1), true, now) == 0u);
}

BOOST_AUTO_TEST_CASE(the_narrower_of_two_budgets_holds_also_after_its_client_was_at_rest) {
    const catalog::Budget narrow{.requests = 1, .per = 1min};
    const catalog::Budget wide{.requests = 100, .per = 1min};
    for (const auto& budget : {wide, narrow, wide}) {
        client.budget = budget;
        plan(1, 1h);
    }
    pass(2h);
    BOOST_TEST(take() == 1u);
    end(1);
    pass(2h);
    BOOST_TEST(take() == 0u); // nothing is left to remember
    BOOST_TEST(ask(2));
    BOOST_TEST(take() == 2u);
    end(2);
    BOOST_TEST(!ask(3, 59s));
}

BOOST_AUTO_TEST_CASE(whose_client_is_another_one_now_waits_with_that_also_when_it_was_due) {
    client.budget.at_once = 1;
    plan(1, -1s);
    plan(2, 0s);
    BOOST_TEST(take() == 1u);
    client.key.client_id = "another";
    BOOST_TEST(ask(3));
    BOOST_TEST(take() == 3u);
    schedule.end(id_of(3), false, now, 30s);
    BOOST_TEST(!ask(2, 19s)); // who was due with the first one
    end(1);
    pass(29s);
    BOOST_TEST(take() == 0u);
    pass(1s);
    BOOST_TEST(take() == 2u);
}

#if !__has_feature(thread_sanitizer)
/// How much a schedule holds of each of ten thousand credentials.
struct Measured : Scheduled {
    static constexpr std::uint64_t count = 10'000;
    std::int64_t before = test::bytes_in_use();
    RefreshSchedule made{shares};

    void plan_all(std::uint64_t clients) {
        for (std::uint64_t i = 0; i < count; ++i) {
            client.key.client_id = std::to_string(i % clients);
            made.plan(scope, id_of(i), client, {.at = wall + 1h + std::chrono::seconds(i), .period = 1h});
        }
    }
    [[nodiscard]] double bytes_each() const { return static_cast<double>(test::bytes_in_use() - before) / count; }
};

BOOST_AUTO_TEST_CASE(a_credential_takes_two_hundred_bytes_of_the_schedule_at_most) {
    const auto measure = [](std::uint64_t clients) {
        Measured measured;
        measured.plan_all(clients);
        return measured.bytes_each();
    };
    const double shared = measure(20);
    const double own = measure(Measured::count);
    BOOST_TEST_MESSAGE("bytes a credential: " << shared << "; where each has a client of its own: " << own);
    BOOST_TEST(shared <= 200);
    BOOST_TEST(own <= 200);
}

BOOST_FIXTURE_TEST_CASE(it_takes_no_more_when_it_was_refreshed_and_nothing_when_it_is_forgotten, Measured) {
    client.budget = {.requests = 10, .per = 1min};
    plan_all(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        client.key.client_id = std::to_string(i);
        BOOST_TEST_REQUIRE(!made.ask(scope, id_of(i), client, now, now + 1s).has_value());
        BOOST_TEST_REQUIRE(made.take(wall, now).has_value());
        made.end(id_of(i), true, now);
    }
    plan_all(count);
    pass(1min);
    for (std::uint64_t i = 0; i < count; i += 100) BOOST_TEST_REQUIRE(!made.take(wall, now).has_value());
    BOOST_TEST(bytes_each() <= 200);
    for (std::uint64_t i = 0; i < count; ++i) made.forget(id_of(i));
    BOOST_TEST(bytes_each() <= 20); // of its tables
}
#endif

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::broker
