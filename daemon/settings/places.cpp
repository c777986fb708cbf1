#include "settings/places.hpp"

#include "settings/accounts.hpp"

#include <cstdlib>
#include <unistd.h>

namespace credlease::settings {
namespace {

using std::filesystem::path;

/// An XDG variable; "all paths … must be absolute", others are ignored (XDG Base Directory Specification).
path folder_in(const char* variable) {
    const char* const value = std::getenv(variable); // NOLINT(concurrency-mt-unsafe): nothing here sets variables
    path folder = value == nullptr ? "" : value;
    return folder.is_absolute() ? folder : path();
}

/// The folder of an XDG variable, else the specification's default below the home directory; empty without either.
path folder_in(const char* variable, const char* below_home) {
    if (auto folder = folder_in(variable); !folder.empty()) return folder;
    if (const auto home = folder_in("HOME"); !home.empty()) return home / below_home;
    const auto home = find_home(::geteuid()).value_or("");
    return home.is_absolute() ? home / below_home : path();
}

DefaultPlaces places_of_system() {
    return {.places = {.config_file = "/etc/credlease/credleased.toml",
                       .data = "/var/lib/credlease",
                       .runtime = "/run/credlease"},
            .key_file = "/etc/credlease/root.key"};
}

result::Result<DefaultPlaces> places_of_user() {
    const auto config = folder_in("XDG_CONFIG_HOME", ".config");
    const auto state = folder_in("XDG_STATE_HOME", ".local/state");
    if (config.empty() || state.empty()) {
        return result::refuse({.code = result::ErrorCode::configuration,
                               .sentence = "The home directory is not known.",
                               .next_step = "Set HOME, or XDG_CONFIG_HOME and XDG_STATE_HOME, or use --system."});
    }
    const auto runtime = folder_in("XDG_RUNTIME_DIR");
    return DefaultPlaces{.places = {.config_file = config / "credlease/credleased.toml",
                                    .data = state / "credlease",
                                    .runtime = runtime.empty() ? path() : runtime / "credlease"},
                         .key_file = config / "credlease/root.key"};
}

path from_here(const path& given) { return std::filesystem::absolute(given).lexically_normal(); }

} // namespace

result::Result<DefaultPlaces> find_places(const Flags& flags) {
    auto found = flags.system ? places_of_system() : places_of_user();
    if (!found) return found;
    auto& places = found->places;
    if (flags.config) places.config_file = from_here(*flags.config);
    if (flags.data_dir) places.data = from_here(*flags.data_dir);
    if (flags.runtime_dir) places.runtime = from_here(*flags.runtime_dir);
    if (places.runtime.empty()) {
        places.runtime = places.data / "run";
        found->own_uid_only = true;
    }
    return found;
}

bool lies_in(const path& file, const path& folder) {
    const auto inside = file.lexically_relative(folder);
    return !inside.empty() && *inside.begin() != ".." && inside != ".";
}

} // namespace credlease::settings
