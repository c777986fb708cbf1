#include "cli/token_file.hpp"

#include "cli/invocation.hpp"
#include "cli/terminal.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace credlease::cli {
namespace {

constexpr gid_t same_group = static_cast<gid_t>(-1);

Error exists(const std::string& path) { return usage(path + " exists; remove it or name another."); }

Error not_written(const std::string& path, int failed) {
    return usage("The token cannot be written to " + path + ": " + std::strerror(failed) + ".",
                 "Name another place with --out.");
}

bool fill(int descriptor, const SecretText& token) {
    const bool written = token.expose([&](std::string_view text) { return write_all(descriptor, text); });
    return written && write_all(descriptor, "\n") && fsync(descriptor) == 0;
}

} // namespace

Result<TokenFile> TokenFile::make(const std::string& path, std::optional<uid_t> reader) {
    struct stat found{};
    if (lstat(path.c_str(), &found) == 0) return exists(path);
    const std::string beside = path + ".new." + std::to_string(getpid());
    const int descriptor = open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0) return not_written(path, errno);
    TokenFile made(path, beside, descriptor);
    if (!reader || *reader == geteuid()) return made;
    made.is_readable_ = geteuid() == 0;
    if (made.is_readable_ && fchown(descriptor, *reader, same_group) != 0) return not_written(path, errno);
    return made;
}

TokenFile::~TokenFile() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    unlink(beside_.c_str());
}

TokenFile::TokenFile(TokenFile&& other) noexcept
    : path_(std::move(other.path_)), beside_(std::move(other.beside_)),
      descriptor_(std::exchange(other.descriptor_, -1)), is_readable_(other.is_readable_) {}

Result<void> TokenFile::publish(const SecretText& token) const {
    if (!fill(descriptor_, token)) return not_written(path_, errno);
    if (link(beside_.c_str(), path_.c_str()) == 0) return {}; // rename(2) would replace what came meanwhile
    return errno == EEXIST ? exists(path_) : not_written(path_, errno);
}

} // namespace credlease::cli
