#pragma once

#include "settings/section.hpp"
#include "settings/settings.hpp"

namespace credlease::settings {

/// Reads every table of the config file but the rules over the defaults that `settings` holds.
void read_sections(Section& file, Settings& settings);
/// Reads [[engine]] and [[worker]].
void read_rules(Section& file, Settings& settings);

} // namespace credlease::settings
