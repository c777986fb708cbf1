#include "support/daemon/forgetful_disk.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace credlease::tests {
namespace {

constexpr std::array kept = {"config", "state"}; ///< of a daemon's folders; run is memory

} // namespace

ForgetfulDisk::ForgetfulDisk() : memory_(file("memory")) {
    forget();
    boot();
}

Daemon::Setup ForgetfulDisk::setup(std::string config) const {
    return {.config = std::move(config),
            .environment = {{"LD_PRELOAD", FORGETFUL_CALLS_BUILT},
                            {"FORGETFUL_MEMORY", file("memory")},
                            {"FORGETFUL_BOOT", file("boot_id")}}};
}

void ForgetfulDisk::begin(const Daemon& daemon) {
    forget();
    for (const auto* name : kept) {
        if (!memory_.note_all(daemon.root() / name)) throw std::runtime_error("The disk can't be written down.");
    }
}

void ForgetfulDisk::lose_power(Daemon& daemon, DurableMemory::Rest rest, std::mt19937& random) {
    daemon.kill9();
    for (const auto* name : kept) memory_.lose_power(daemon.root() / name, rest, random);
    boot();
    begin(daemon);
}

/// Inodes are others after a power loss.
void ForgetfulDisk::forget() const {
    std::filesystem::remove_all(file("memory"));
    std::filesystem::create_directory(file("memory"));
}

void ForgetfulDisk::boot() {
    std::array<char, 64> id{};
    std::snprintf(id.data(), id.size(), "%08x-0000-4000-8000-000000000000\n", ++boots_);
    std::ofstream(file("boot_id")) << id.data();
}

} // namespace credlease::tests
