#include "support/daemon/slow_disk.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <unistd.h>

namespace credlease::tests {

SlowDisk::SlowDisk() {
    std::string pattern = std::filesystem::temp_directory_path() / "credlease-disk-XXXXXX";
    const int file = ::mkstemp(pattern.data());
    if (file < 0) throw std::runtime_error("mkstemp failed");
    ::close(file);
    file_ = pattern;
}

SlowDisk::~SlowDisk() {
    let_go();
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
}

Daemon::Setup SlowDisk::setup(std::string config) const {
    return {.config = std::move(config), .environment = {{"LD_PRELOAD", HELD_CALLS_BUILT}, {"HELD_CALLS", file_}}};
}

/// Whole at once: the daemon never reads half an order.
void SlowDisk::say(const std::string& order) const {
    const auto next = file_.native() + ".next";
    std::ofstream(next) << order;
    std::filesystem::rename(next, file_);
}

} // namespace credlease::tests
