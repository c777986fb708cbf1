#include "supervisor/supervisor.hpp"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>

namespace credlease::supervisor {

Supervisor Supervisor::from_environment() {
    Supervisor made;
    made.present_ = std::getenv("NOTIFY_SOCKET") != nullptr;
    std::uint64_t watchdog = 0;
    if (::sd_watchdog_enabled(0, &watchdog) > 0) made.watchdog_ = std::chrono::microseconds(watchdog / 2);
    return made;
}

void Supervisor::ready() const { tell("READY=1"); }

void Supervisor::reloading() const {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto microseconds = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
    tell(("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds)).c_str());
}

void Supervisor::stopping() const { tell("STOPPING=1"); }

void Supervisor::status(std::string_view text) const {
    std::string line = "STATUS=";
    for (const char character : text) line += character == '\n' ? ' ' : character;
    tell(line.c_str());
}

void Supervisor::alive() const { tell("WATCHDOG=1"); }

void Supervisor::tell(const char* lines) const {
    if (present_) ::sd_notify(0, lines);
}

} // namespace credlease::supervisor
