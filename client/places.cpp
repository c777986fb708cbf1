#include "client/places.hpp"

#include <cstdlib>
#include <filesystem>
#include <pwd.h>
#include <unistd.h>
#include <vector>

namespace credlease::client {
namespace {

namespace fs = std::filesystem;

constexpr const char* systems_directory = "/run/credlease";
constexpr const char* lease_name = "lease.sock";
constexpr const char* admin_name = "admin.sock";

std::string home_directory() {
    if (auto home = variable("HOME"); !home.empty()) return home;
    std::vector<char> room(16384);
    passwd entry{};
    passwd* found = nullptr;
    if (getpwuid_r(geteuid(), &entry, room.data(), room.size(), &found) != 0 || found == nullptr) return {};
    return found->pw_dir;
}

/// The directories in which the caller's own broker may have its sockets, the likelier one first.
std::vector<fs::path> own_directories() {
    std::vector<fs::path> directories;
    if (const auto runtime = variable("XDG_RUNTIME_DIR"); !runtime.empty()) {
        directories.push_back(fs::path(runtime) / "credlease");
    }
    const auto state = variable("XDG_STATE_HOME");
    const fs::path base = state.empty() ? fs::path(home_directory()) / ".local/state" : fs::path(state);
    if (base.is_absolute()) directories.push_back(base / "credlease/run");
    return directories;
}

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

fs::path find_directory(Options::Which which) {
    if (which == Options::Which::system) return systems_directory;
    const auto own = own_directories();
    for (const fs::path& directory : own) {
        if (is_there(directory / lease_name) || is_there(directory / admin_name)) return directory;
    }
    return which == Options::Which::user && !own.empty() ? own.front() : fs::path(systems_directory);
}

} // namespace

std::string variable(const char* name) {
    const char* value = secure_getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

Places find_places(const Options& options) {
    const bool chosen = options.which != Options::Which::automatic;
    const auto told = [&](const std::string& option, const char* name) {
        return !option.empty() || chosen ? option : variable(name);
    };
    Places places{.lease_socket = told(options.lease_socket, lease_variable),
                  .admin_socket = told(options.admin_socket, admin_variable)};
    if (places.lease_socket.empty()) places.lease_socket = find_directory(options.which) / lease_name;
    if (places.admin_socket.empty()) places.admin_socket = fs::path(places.lease_socket).replace_filename(admin_name);
    return places;
}

} // namespace credlease::client
