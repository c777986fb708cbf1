#define BOOST_TEST_MODULE secret
#define BOOST_TEST_DYN_LINK
#include "secret/arena.hpp"
#include "support/in_child.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <thread>
#include <vector>

using namespace credlease::secret;
using credlease::test::in_child;

namespace {

constexpr std::array all_shares = {Share::keys, Share::leases, Share::tokens, Share::bodies, Share::work};

std::unique_ptr<Arena> arena_of(std::size_t size) {
    auto made = Arena::make({.choice = ArenaOptions::Choice::mlock, .size = size});
    BOOST_REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().detail()));
    return std::move(*made);
}

bool is_zero(std::span<const std::byte> bytes) {
    return std::ranges::all_of(bytes, [](std::byte each) { return each == std::byte{0}; });
}

} // namespace

BOOST_AUTO_TEST_CASE(the_shares_fill_the_arena_and_bodies_get_exactly_a_quarter) {
    for (const std::size_t kib : {256u, 512u, 1024u, 4096u}) {
        const auto arena = arena_of(kib << 10);
        std::size_t sum = 0;
        for (const Share share : all_shares) sum += arena->share_size(share);
        BOOST_TEST(sum == arena->size());
        BOOST_TEST(arena->size() == kib << 10);
        BOOST_TEST(arena->share_size(Share::bodies) == arena->size() / 4);
        BOOST_TEST(arena->share_size(Share::keys) >= arena->size() / 16);
        BOOST_TEST(arena->share_size(Share::work) >= arena->share_size(Share::bodies));
    }
}

BOOST_AUTO_TEST_CASE(the_smallest_arena_holds_hundreds_of_keys) {
    const auto arena = arena_of(std::size_t{256} << 10);
    for (int i = 0; i < 400; ++i) BOOST_REQUIRE(!arena->allocate(32, Share::keys).empty());
}

BOOST_AUTO_TEST_CASE(a_full_share_takes_nothing_from_the_others) {
    for (const Share full : all_shares) {
        const auto arena = arena_of(std::size_t{256} << 10);
        while (!arena->allocate(64, full).empty()) {
        }
        BOOST_TEST(arena->used(full) == arena->share_size(full));
        for (const Share other : all_shares) {
            if (other == full) continue;
            BOOST_TEST(arena->used(other) == 0u);
            BOOST_TEST(arena->allocate(arena->share_size(other), other).size() == arena->share_size(other));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_slot_is_the_next_power_of_two_and_aligned_to_it) {
    const auto arena = arena_of(std::size_t{256} << 10);
    const std::map<std::size_t, std::size_t> sizes = {{0, 64},    {1, 64},      {64, 64},     {65, 128},   {128, 128},
                                                      {129, 256}, {4096, 4096}, {4097, 8192}, {8192, 8192}};
    for (const auto& [asked, given] : sizes) {
        const auto slot = arena->allocate(asked, Share::work);
        BOOST_TEST(slot.size() == given);
        BOOST_TEST(Arena::slot_size(asked) == given);
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(slot.data()) % std::min<std::size_t>(given, 4096) == 0u);
        BOOST_TEST(arena->contains(slot.data()));
        BOOST_TEST(arena->contains(slot.data() + slot.size() - 1));
    }
}

BOOST_AUTO_TEST_CASE(what_no_share_can_hold_is_not_given) {
    const auto arena = arena_of(std::size_t{256} << 10);
    BOOST_TEST(arena->allocate(arena->share_size(Share::work) + 1, Share::work).empty());
    BOOST_TEST(arena->allocate(std::numeric_limits<std::size_t>::max(), Share::work).empty());
    BOOST_TEST(Arena::slot_size(std::numeric_limits<std::size_t>::max()) == std::numeric_limits<std::size_t>::max());
    BOOST_TEST(!arena->contains(&arena));
}

BOOST_AUTO_TEST_CASE(what_is_free_is_zero) {
    const auto arena = arena_of(std::size_t{256} << 10);
    std::vector<std::span<std::byte>> slots;
    for (const Share share : all_shares) {
        for (const std::size_t size : {32u, 64u, 100u, 5000u}) slots.push_back(arena->allocate(size, share));
    }
    for (const auto slot : slots) {
        BOOST_REQUIRE(!slot.empty());
        BOOST_TEST(is_zero(slot));
        std::ranges::fill(slot, std::byte{0x5a});
    }
    BOOST_TEST(!is_zero(arena->all_for_test()));
    for (const auto slot : slots) arena->release(slot);
    BOOST_TEST(is_zero(arena->all_for_test()));
    for (const Share share : all_shares) BOOST_TEST(arena->used(share) == 0u);
}

BOOST_AUTO_TEST_CASE(slots_never_overlap_and_freed_ones_become_whole_again) {
    const auto arena = arena_of(std::size_t{256} << 10);
    std::mt19937 random(42);
    std::vector<std::span<std::byte>> held;
    std::size_t refused = 0;
    std::size_t used = 0;
    for (int round = 0; round < 20'000; ++round) {
        if (held.empty() || random() % 2 == 0) {
            const auto slot = arena->allocate(std::size_t{1} << (random() % 14), Share::work);
            if (slot.empty()) {
                ++refused;
            } else {
                BOOST_REQUIRE(is_zero(slot)); // an overlap would show what the other slot was filled with
                std::ranges::fill(slot, std::byte(1 + random() % 255));
                held.push_back(slot);
                used += slot.size();
            }
        } else {
            std::swap(held[random() % held.size()], held.back());
            const auto slot = held.back();
            BOOST_REQUIRE(std::ranges::all_of(slot, [&](std::byte each) { return each == slot.front(); }));
            arena->release(slot);
            held.pop_back();
            used -= slot.size();
        }
        BOOST_REQUIRE(arena->used(Share::work) == used);
    }
    BOOST_TEST(refused > 0u); // the share was full at times
    for (const auto slot : held) arena->release(slot);
    BOOST_TEST(is_zero(arena->all_for_test()));
    BOOST_TEST(!arena->allocate(arena->share_size(Share::work), Share::work).empty());
}

BOOST_AUTO_TEST_CASE(large_slots_stay_whole_while_small_ones_fit_elsewhere) {
    const auto arena = arena_of(std::size_t{256} << 10);
    const std::size_t half = arena->share_size(Share::work) / 2;
    const auto first = arena->allocate(64, Share::work);
    const auto second = arena->allocate(64, Share::work);
    BOOST_TEST(!arena->allocate(half, Share::work).empty());
    arena->release(first);
    BOOST_TEST(arena->allocate(64, Share::work).data() == first.data());
    arena->release(second);
}

BOOST_AUTO_TEST_CASE(what_was_not_given_cannot_be_given_back) {
    using Slot = std::span<std::byte>;
    const auto end_of = [](auto give_back) {
        return in_child([&] {
            const auto arena = arena_of(std::size_t{256} << 10);
            give_back(*arena, arena->allocate(1000, Share::leases));
            return 0;
        });
    };
    BOOST_TEST(end_of([](Arena& arena, Slot slot) { arena.release(slot); }) == 0);
    BOOST_TEST(end_of([](Arena& arena, Slot) { arena.release({}); }) == 0);
    BOOST_TEST(end_of([](Arena& arena, Slot slot) {
                   arena.release(slot);
                   arena.release(slot);
               }) == -SIGABRT);
    BOOST_TEST(end_of([](Arena& arena, Slot slot) { arena.release(slot.subspan(512)); }) == -SIGABRT);
    BOOST_TEST(end_of([](Arena& arena, Slot slot) { arena.release(slot.subspan(1)); }) == -SIGABRT);
    BOOST_TEST(end_of([](Arena& arena, Slot slot) { arena.release(slot.first(512)); }) == -SIGABRT);
    BOOST_TEST(end_of([](Arena& arena, Slot slot) { arena.release(slot.first(1000)); }) == -SIGABRT);
    BOOST_TEST(end_of([](Arena& arena, Slot) {
                   std::array<std::byte, 64> stranger{};
                   arena.release(stranger);
               }) == -SIGABRT);
}

BOOST_AUTO_TEST_CASE(threads_share_the_arena) {
    const auto arena = arena_of(std::size_t{256} << 10);
    const auto churn = [&](unsigned seed) {
        std::mt19937 random(seed);
        for (int i = 0; i < 5'000; ++i) {
            const auto slot = arena->allocate(random() % 2048, Share::leases);
            std::ranges::fill(slot, std::byte(seed));
            if (!std::ranges::all_of(slot, [&](std::byte each) { return each == std::byte(seed); })) std::abort();
            arena->release(slot);
        }
    };
    std::thread other(churn, 1);
    churn(2);
    other.join();
    BOOST_TEST(arena->used(Share::leases) == 0u);
    BOOST_TEST(is_zero(arena->all_for_test()));
}

BOOST_AUTO_TEST_CASE(a_size_that_is_no_power_of_two_or_too_small_is_refused) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{128} << 10, std::size_t{3} << 20}) {
        const auto refused = Arena::make({.size = size});
        BOOST_REQUIRE(!refused.has_value());
        BOOST_CHECK(refused.error().code == credlease::result::ErrorCode::configuration);
        BOOST_TEST(!refused.error().next_step.view().empty());
    }
}
