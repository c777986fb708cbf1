#include "runtime/sleep.hpp"

#include "runtime/suspend.hpp"

namespace credlease::runtime {

Task<> sleep_on(Clock& clock, Loop& loop, BootTime when) {
    std::uint64_t call = 0;
    auto start = [&](Resume resume) { call = clock.call_at(when, std::move(resume)); };
    auto on_cancel = [&](const Resume& resume) {
        clock.cancel(call);
        resume();
    };
    co_await suspend(loop, start, on_cancel);
}

} // namespace credlease::runtime
