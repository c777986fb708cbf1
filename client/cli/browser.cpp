#include "cli/browser.hpp"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace credlease::cli {
namespace {

bool is_set(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

/// A browser needs nothing of this program's own, least of all its grant.
std::vector<char*> surroundings() {
    std::vector<char*> kept;
    for (char** each = environ; *each != nullptr; ++each) {
        if (!std::string_view(*each).starts_with("CREDLEASE_")) kept.push_back(*each);
    }
    kept.push_back(nullptr);
    return kept;
}

} // namespace

bool has_browser() {
    if (is_set("SSH_CONNECTION") || is_set("SSH_TTY")) return false;
    return is_set("BROWSER") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
}

bool open_in_browser(const std::string& url) {
    std::string program = is_set("BROWSER") ? std::getenv("BROWSER") : "xdg-open";
    program = program.substr(0, program.find(':'));
    std::string address = url;
    const std::array<char*, 3> words = {program.data(), address.data(), nullptr};
    posix_spawn_file_actions_t quiet{};
    posix_spawn_file_actions_init(&quiet);
    for (const int each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        posix_spawn_file_actions_addopen(&quiet, each, "/dev/null", O_RDWR, 0);
    }
    // In a session of its own: Ctrl-C here does not end it.
    posix_spawnattr_t apart{};
    posix_spawnattr_init(&apart);
    posix_spawnattr_setflags(&apart, POSIX_SPAWN_SETSID);
    pid_t started = 0;
    const int failed = posix_spawnp(&started, program.c_str(), &quiet, &apart, words.data(), surroundings().data());
    posix_spawnattr_destroy(&apart);
    posix_spawn_file_actions_destroy(&quiet);
    return failed == 0;
}

} // namespace credlease::cli
