#pragma once

#include "settings/settings.hpp"
#include "support/made_settings.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::settings {

/// A folder of its own, and the environment as it was before.
class Folder {
  public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::filesystem::path config_file() const { return path_ / "config/credlease/credleased.toml"; }
    /// What a user's broker reads of this file.
    [[nodiscard]] result::Result<Settings> read(std::string_view toml) const {
        return support::read_settings_in(path_, toml);
    }
    /// What the system's broker reads of it.
    [[nodiscard]] result::Result<Settings> read_as_system(std::string_view toml) const;

  private:
    std::filesystem::path path_;
    std::vector<std::pair<const char*, std::optional<std::string>>> before_;
};

} // namespace credlease::settings
