#include "folder.hpp"

#include <cstdlib>
#include <unistd.h>

namespace credlease::settings {

Folder::Folder() {
    std::string name = "/tmp/credlease-settings-XXXXXX";
    path_ = ::mkdtemp(name.data());
    for (const char* const variable : {"HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"}) {
        const char* const value = std::getenv(variable);
        before_.emplace_back(variable, value == nullptr ? std::nullopt : std::optional<std::string>(value));
    }
}

Folder::~Folder() {
    std::filesystem::remove_all(path_);
    for (const auto& [variable, value] : before_) {
        if (value) {
            ::setenv(variable, value->c_str(), 1);
        } else {
            ::unsetenv(variable);
        }
    }
}

result::Result<Settings> Folder::read_as_system(std::string_view toml) const {
    const auto file = path_ / "system.toml";
    std::ofstream(file) << toml;
    return read_settings({.system = true, .config = file});
}

} // namespace credlease::settings
