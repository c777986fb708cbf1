#pragma once

#include "settings/settings.hpp"

namespace credlease::settings {

// What the host must have for the settings to work. It can change any time: asked when it matters, not when the config
// is read.

/// Why the audit head cannot be kept where `head_file` says. nullopt: it can be, or its folder is the key file's, which
/// the first start makes.
[[nodiscard]] std::optional<result::Error> find_head_fault(const Settings& settings);

/// Warnings of rules for uids that the folder of the sockets keeps out.
[[nodiscard]] std::vector<std::string> find_unreachable_workers(const Settings& settings);

} // namespace credlease::settings
