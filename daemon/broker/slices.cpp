#include "broker/slices.hpp"

#include "broker/change.hpp"
#include "runtime/suspend.hpp"

namespace credlease::broker {

runtime::Task<result::Result<>> wait_for_slice(Unsealed& house, Asker& asker) {
    std::vector<std::string> keys{"slice:" + std::to_string(asker.peer->uid)};
    auto pass = co_await house.gate.enter(std::move(keys));
    auto next_turn = [](const runtime::Resume& resume) { resume(); };
    co_await runtime::suspend(house.parts.loop, next_turn);
    co_return look_again(house, asker);
}

} // namespace credlease::broker
