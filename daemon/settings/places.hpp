#pragma once

#include "settings/settings.hpp"

namespace credlease::settings {

/// Where things lie when the config file does not say (interface §1): fixed places for the system broker, the XDG base
/// directories for a user's, flags before either.
struct DefaultPlaces {
    Settings::Places places;
    std::filesystem::path key_file;
    bool own_uid_only = false; ///< no XDG_RUNTIME_DIR: the sockets lie in the data folder
};
[[nodiscard]] result::Result<DefaultPlaces> find_places(const Flags& flags);

/// By the paths' text alone.
[[nodiscard]] bool lies_in(const std::filesystem::path& file, const std::filesystem::path& folder);

} // namespace credlease::settings
