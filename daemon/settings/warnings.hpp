#pragma once

#include "settings/config_file.hpp"
#include "settings/settings.hpp"

namespace credlease::settings {

/// What is allowed, but weaker than it looks. `file`: null where there is no config file.
[[nodiscard]] std::vector<std::string> find_warnings(const Settings& settings, const ConfigFile* file);

/// What warnings call a rule: "[[worker]] etl".
[[nodiscard]] std::string rule(const char* kind, const vocabulary::EngineId& name);

} // namespace credlease::settings
