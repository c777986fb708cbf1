#pragma once

#include "settings/settings.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace credlease::support {

/// The settings of a user's broker whose places all lie in `folder`, by the given config file.
/// (It points the XDG variables there, for the whole test program.)
[[nodiscard]] inline result::Result<settings::Settings> read_settings_in(const std::filesystem::path& folder,
                                                                         std::string_view toml = "") {
    ::setenv("XDG_CONFIG_HOME", (folder / "config").c_str(), 1);
    ::setenv("XDG_STATE_HOME", (folder / "state").c_str(), 1);
    ::setenv("XDG_RUNTIME_DIR", (folder / "runtime").c_str(), 1);
    std::filesystem::create_directories(folder / "config/credlease");
    std::ofstream(folder / "config/credlease/credleased.toml") << toml;
    return settings::read_settings({});
}

/// The same where the file is known to be right; throws otherwise.
[[nodiscard]] inline settings::Settings made_settings(const std::filesystem::path& folder, std::string_view toml = "") {
    return read_settings_in(folder, toml).value();
}

} // namespace credlease::support
