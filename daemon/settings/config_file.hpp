#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace credlease::settings {

struct ConfigFile {
    std::string text;
    std::uint32_t owner = 0;
    std::uint32_t mode = 0; ///< permission bits
};

/// The file's text, at most 1 MiB; nullopt where there is none and none has to be.
[[nodiscard]] result::Result<std::optional<ConfigFile>> read_config_file(const std::filesystem::path& path,
                                                                         bool must_exist);

} // namespace credlease::settings
