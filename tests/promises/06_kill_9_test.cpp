#define BOOST_TEST_DYN_LINK
#include "crash_life.hpp"
#include "rounds.hpp"
#include "support/daemon/forgetful_disk.hpp"

#include <boost/test/unit_test.hpp>

using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto config = "[leases]\nper_principal = 1000000\n";

/// Some moment after everybody has begun.
std::chrono::milliseconds some_time(std::mt19937& random) { return 100ms + std::chrono::milliseconds(random() % 250); }

void live_through_power_losses(DurableMemory::Rest rest) {
    const Rounds rounds;
    std::mt19937 random(rounds.seed());
    ForgetfulDisk disk;
    Daemon daemon(disk.setup(config));
    disk.begin(daemon);
    CrashLife life(daemon);
    life.begin();
    rounds.each([&] {
        life.use(some_time(random), [&] { disk.lose_power(daemon, rest, random); });
        life.look_again(true);
    });
    BOOST_TEST(life.changes() > std::size_t(rounds.count()));
    BOOST_TEST(life.leases() > std::size_t(rounds.count()));
    BOOST_TEST_MESSAGE(life.changes() << " changes, " << life.leases() << " leases, of which the log lost "
                                      << life.leases_lost());
}

} // namespace

BOOST_AUTO_TEST_SUITE(kill_9)

BOOST_AUTO_TEST_CASE(no_kill_9_loses_an_answered_change_or_an_answered_lease) {
    const Rounds rounds;
    std::mt19937 random(rounds.seed());
    Daemon daemon({.config = config});
    CrashLife life(daemon);
    life.begin();
    rounds.each([&] {
        life.use(some_time(random), [&] { daemon.kill9(); });
        life.look_again(false);
    });
    BOOST_TEST(life.changes() > std::size_t(rounds.count()));
    BOOST_TEST(life.leases() > std::size_t(rounds.count()));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(power_loss)

BOOST_AUTO_TEST_CASE(no_power_loss_loses_an_answered_change_where_nothing_is_kept_but_what_was_synced) {
    live_through_power_losses(DurableMemory::Rest::lost);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(power_loss_by_chance)

BOOST_AUTO_TEST_CASE(
    no_power_loss_loses_an_answered_change_where_pages_and_entries_that_were_not_synced_are_kept_by_chance) {
    live_through_power_losses(DurableMemory::Rest::by_chance);
}

BOOST_AUTO_TEST_SUITE_END()
