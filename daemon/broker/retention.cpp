#include "broker/retention.hpp"

#include "broker/log_memory.hpp"

namespace credlease::broker {
namespace {

using namespace std::chrono_literals;

constexpr auto first_pruning = 1min;
constexpr auto prune_every = 1h;

runtime::Task<> prune(Unsealed& house) {
    co_await make_checkpoint(house); // tells on what goes
    const auto& audit = house.settings().audit;
    auto pruned = co_await house.journal->prune(audit.keep, audit.max_size, house.parts.bulk);
    if (!pruned) house.parts.tell_problem(pruned.error());
}

void prune_in(Unsealed& house, std::chrono::milliseconds wait) {
    house.prune_call = house.parts.clock.call_at(house.parts.clock.boot() + wait, [&house] {
        house.tasks.start(prune(house));
        prune_in(house, prune_every);
    });
}

} // namespace

void schedule_pruning(Unsealed& house) { prune_in(house, first_pruning); }

} // namespace credlease::broker
