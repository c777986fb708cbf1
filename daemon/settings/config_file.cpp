#include "settings/config_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::settings {

result::Result<std::optional<ConfigFile>> read_config_file(const std::filesystem::path& path, bool must_exist) {
    constexpr std::int64_t most = std::int64_t{1} << 20;
    const auto about = result::PublicText::of(path.native());
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0 && errno == ENOENT && !must_exist) return std::nullopt;
    std::ifstream file(path, std::ios::binary);
    if (!file || !S_ISREG(info.st_mode)) {
        return result::refuse({.code = result::ErrorCode::configuration,
                               .sentence = "The config file can't be read.",
                               .next_step = "Name a file that the broker's account may read.",
                               .about = about});
    }
    if (info.st_size > most) {
        return result::refuse({.code = result::ErrorCode::configuration,
                               .sentence = "The config file is larger than 1 MiB.",
                               .next_step = "Name the broker's own config file.",
                               .about = about});
    }
    return ConfigFile{
        .text = {std::istreambuf_iterator<char>(file), {}}, .owner = info.st_uid, .mode = info.st_mode & 07777};
}

} // namespace credlease::settings
