#define BOOST_TEST_DYN_LINK
#include "refresh_house.hpp"
#include "support/daemon/slow_disk.hpp"
#include "support/event_reader.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <thread>

using namespace credlease::tests;
using namespace std::chrono_literals;
using credlease::test::EventReader;

namespace {

constexpr auto refreshed = "credential.refreshed";

bool hears(EventReader& reader, std::string_view type, std::chrono::milliseconds within) {
    const auto until = std::chrono::steady_clock::now() + within;
    while (std::chrono::steady_clock::now() < until) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        const auto event = reader.next(left);
        if (event && event->type == type) return true;
    }
    return false;
}

} // namespace

BOOST_AUTO_TEST_SUITE(durable_before_leased)

/// Of each class: which of them waits for others to share a sync with is nobody's business.
BOOST_AUTO_TEST_CASE(new_tokens_are_neither_leased_nor_told_of_before_the_disk_has_them) {
    for (const std::string refresh_class : refresh_classes) {
        BOOST_TEST_CONTEXT(refresh_class) {
            const SlowDisk disk;
            RefreshHouse house(3600, disk.setup());
            const auto one = house.connect("one", refresh_class);
            auto held = house.client.lease({.credential = "one"});
            BOOST_REQUIRE(held.ok());
            EventReader holder(house.daemon.admin_socket()); // where an operator's lease came from
            BOOST_REQUIRE(holder.is_listening());
            const auto before = house.token_of(one);
            house.misbehave(refresh_class, {{"do", "slow"}, {"after_ms", 500}});
            std::jthread asks([&] {
                auto client = client_of(house.daemon);
                BOOST_TEST(house.refresh(client, one).status == 200U);
            });
            BOOST_REQUIRE(house.wait_for_a_held_request()); // its intent is on the disk
            disk.hold_syncs();
            BOOST_TEST(!hears(holder, refreshed, 1500ms));
            BOOST_TEST(house.token_of(one) == before);
            disk.let_go();
            BOOST_TEST(hears(holder, refreshed, 10s));
            const auto after = house.token_of(one);
            BOOST_TEST((!after.empty() && after != before));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
