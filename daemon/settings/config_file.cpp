#include "settings/config_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace credlease::settings {
namespace {

result::Failure unreadable(const std::filesystem::path& path, const char* why) {
    return result::refuse({.code = result::ErrorCode::configuration,
                           .sentence = "The config file can't be read.",
                           .next_step = "Name a file that the broker's account may read.",
                           .about = result::PublicText::of(path.native() + ": " + why)});
}

} // namespace

result::Result<std::optional<ConfigFile>> read_config_file(const std::filesystem::path& path, bool must_exist) {
    constexpr std::int64_t most = std::int64_t{1} << 20;
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) {
        if (errno == ENOENT && !must_exist) return std::nullopt;
        return unreadable(path, std::strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) return unreadable(path, "not a regular file");
    std::ifstream file(path, std::ios::binary);
    if (!file) return unreadable(path, std::strerror(errno));
    if (info.st_size > most) {
        return result::refuse({.code = result::ErrorCode::configuration,
                               .sentence = "The config file is larger than 1 MiB.",
                               .next_step = "Name the broker's own config file.",
                               .about = result::PublicText::of(path.native())});
    }
    return ConfigFile{
        .text = {std::istreambuf_iterator<char>(file), {}}, .owner = info.st_uid, .mode = info.st_mode & 07777};
}

} // namespace credlease::settings
