#pragma once

#include "catalog/catalog.hpp"
#include "settings/settings.hpp"

namespace credlease {

/// What is allowed by these settings, but weaker than it looks or without effect, for the log and `--check-config`.
[[nodiscard]] std::vector<std::string> find_warnings(const settings::Settings& settings,
                                                     const catalog::Catalog& catalog);

/// `--check-config`: prints "ok", of which file, and the warnings. Refused, and not "ok", is what a start would be
/// refused for.
[[nodiscard]] result::Result<> check_config(const settings::Settings& settings);

} // namespace credlease
