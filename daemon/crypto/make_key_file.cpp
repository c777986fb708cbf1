#include "crypto/descriptor.hpp"
#include "crypto/key_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace credlease::crypto {
namespace {

namespace fs = std::filesystem;
using result::PublicText;
using result::Result;

result::Failure refuse_write(const fs::path& path, int error) {
    if (error == EEXIST) {
        return result::refuse({.code = result::ErrorCode::configuration,
                               .sentence = "There is a root key file already: it is never replaced.",
                               .next_step = "Start again to use it, or name another one in key_file.",
                               .about = PublicText::of(path.string())});
    }
    return result::refuse({.code = result::ErrorCode::configuration,
                           .sentence = "The root key file cannot be made.",
                           .next_step = "Let the broker's account write there, or name another place in key_file.",
                           .about = PublicText::of(path.string() + ": " + std::strerror(error))});
}

/// 0, or the errno of the call that failed: so do all functions below.
int write_fully(int descriptor, Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t written = write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) return errno;
        if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return 0;
}

int sync_directory(const fs::path& directory) {
    const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened.is_open() && fsync(opened.number()) == 0 ? 0 : errno;
}

/// A new directory is there after a power loss only once the one above it is synced.
int make_directories(const fs::path& directory) {
    std::vector<fs::path> missing;
    std::error_code ignored;
    for (fs::path at = directory; !fs::exists(at, ignored) && at != at.parent_path(); at = at.parent_path())
        missing.push_back(at);
    for (; !missing.empty(); missing.pop_back()) {
        const fs::path& next = missing.back();
        if (mkdir(next.c_str(), 0700) != 0 && errno != EEXIST) return errno;
        if (const int error = sync_directory(next.parent_path())) return error;
    }
    return 0;
}

int write_new_file(int directory, const std::string& name, const RootKey& key) {
    constexpr mode_t owner_reads = 0400;
    const Descriptor file(
        openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, owner_reads));
    if (!file.is_open()) return errno;
    if (fchmod(file.number(), owner_reads) != 0) return errno; // whatever the umask is
    if (const int error = key.expose([&](Bytes bytes) { return write_fully(file.number(), bytes); })) return error;
    return fsync(file.number()) == 0 ? 0 : errno;
}

/// rename(2) that never replaces. File systems without RENAME_NOREPLACE (NFS) have link(2), which does not either.
int rename_new(int directory, const std::string& from, const std::string& to) {
    if (renameat2(directory, from.c_str(), directory, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    if (linkat(directory, from.c_str(), directory, to.c_str(), 0) != 0) return errno;
    return unlinkat(directory, from.c_str(), 0) == 0 ? 0 : errno;
}

std::string temporary_name(const std::string& name) {
    std::array<std::byte, 8> random{};
    random_bytes(random);
    std::string made = "." + name + ".";
    for (const std::byte each : random) {
        constexpr std::string_view digits = "0123456789abcdef";
        made += digits[std::to_integer<unsigned>(each) >> 4];
        made += digits[std::to_integer<unsigned>(each) & 15];
    }
    return made;
}

int write_key(const fs::path& directory, const std::string& name, const RootKey& key) {
    const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.is_open()) return errno;
    const std::string temporary = temporary_name(name);
    int error = write_new_file(opened.number(), temporary, key);
    if (error == 0) error = rename_new(opened.number(), temporary, name);
    if (error != 0) {
        unlinkat(opened.number(), temporary.c_str(), 0);
        return error;
    }
    return fsync(opened.number()) == 0 ? 0 : errno;
}

} // namespace

Result<> make_folder_of(const fs::path& file) {
    const int error = make_directories(file.parent_path());
    if (error == 0) return {};
    return result::refuse({.code = result::ErrorCode::configuration,
                           .sentence = "A folder cannot be made.",
                           .next_step = "Let the broker's account write there, or name another place in the config.",
                           .about = PublicText::of(file.parent_path().string() + ": " + std::strerror(error))});
}

Result<> make_key_file(const fs::path& path, secret::Arena& arena) {
    std::error_code failed;
    const fs::path whole = fs::absolute(path, failed);
    if (failed) return refuse_write(path, failed.value());
    const auto key = make_key<RootKeyKind>(arena);
    if (!key) return result::refuse(key.error());
    int error = make_directories(whole.parent_path());
    if (error == 0) error = write_key(whole.parent_path(), whole.filename().string(), *key);
    if (error != 0) return refuse_write(path, error);
    return {};
}

} // namespace credlease::crypto
