#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace credlease::settings {

// The host's accounts (getpwnam(3), getgrnam(3)).

[[nodiscard]] std::optional<std::uint32_t> find_uid(const std::string& user);
[[nodiscard]] std::optional<std::uint32_t> find_gid(const std::string& group);
[[nodiscard]] std::optional<std::filesystem::path> find_home(std::uint32_t uid);

} // namespace credlease::settings
