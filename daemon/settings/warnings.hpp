#pragma once

#include "settings/config_file.hpp"
#include "settings/settings.hpp"

namespace credlease::settings {

/// What is allowed, but weaker than it looks. `file`: null where there is no config file.
[[nodiscard]] std::vector<std::string> find_warnings(const Settings& settings, const ConfigFile* file);

} // namespace credlease::settings
