#include "crypto/key_file.hpp"

#include "crypto/descriptor.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>

namespace credlease::crypto {
namespace {

using result::ErrorCode;
using result::PublicText;
using result::StaticText;

/// The sentence and the next step of a refusal.
struct Reason {
    StaticText sentence;
    StaticText next_step;
};

result::Failure refuse(const Reason& reason, const std::string& about) {
    return result::refuse({.code = ErrorCode::configuration,
                           .sentence = reason.sentence,
                           .next_step = reason.next_step,
                           .about = PublicText::of(about)});
}

Reason reason_of_open(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return {"The root key file is missing.",
                "Put it back from its own backup, or correct key_file: without it the store does not open."};
    case ELOOP:
        return {"The root key file is a symbolic link.", "Name the file itself in key_file."};
    case EACCES:
    case EPERM:
        return {"The root key file may not be read by this user.",
                "Give it to the broker's account (chown), 0400, and let that account enter its folder."};
    default:
        return {"The root key file cannot be opened.", "Look at the file system it lies on."};
    }
}

bool is_anothers(const struct stat& status) { return status.st_uid != geteuid() && status.st_uid != 0; }

std::string about_of(const std::filesystem::path& path, const struct stat& status) {
    return path.string() + (is_anothers(status) ? ": its owner is uid " + std::to_string(status.st_uid) : "");
}

std::optional<Reason> find_fault(const struct stat& status) {
    constexpr mode_t group_or_others = 077;
    if (!S_ISREG(status.st_mode)) return Reason{"The root key file is not a regular file.", "Correct key_file."};
    if (is_anothers(status))
        return Reason{"The root key file belongs to another user.", "Give it to the broker's account (chown)."};
    if ((status.st_mode & group_or_others) != 0)
        return Reason{
            "The root key file is open to its group or to others.",
            "Close it (chmod 0400). If somebody may have read it with the store beside it, change the secrets at "
            "their services and store them in a new store with a new key."};
    if (status.st_nlink != 1)
        return Reason{"The root key file has more than one name (hard links).", "Remove the other names."};
    if (status.st_size < static_cast<off_t>(key_size))
        return Reason{"The root key file is too short: a root key has 32 bytes.", "Put it back from its own backup."};
    if (status.st_size > static_cast<off_t>(key_size))
        return Reason{"The root key file is too long: a root key has 32 bytes.", "Put it back from its own backup."};
    return std::nullopt;
}

bool read_fully(int descriptor, std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t got = read(descriptor, bytes.data(), bytes.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
    return true;
}

} // namespace

result::Result<RootKey> read_key_file(const std::filesystem::path& path, secret::Arena& arena) {
    // O_NONBLOCK: a FIFO must be refused, not waited for.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    struct stat status{};
    if (!file.is_open()) {
        const int error = errno;
        const bool is_closed = error == EACCES || error == EPERM;
        // That it is another's says more than that it cannot be read.
        if (is_closed && lstat(path.c_str(), &status) == 0 && is_anothers(status))
            return refuse(*find_fault(status), about_of(path, status));
        return refuse(reason_of_open(error), path.string() + ": " + std::strerror(error));
    }
    if (fstat(file.number(), &status) != 0) return refuse(reason_of_open(EIO), path.string());
    if (const auto fault = find_fault(status)) return refuse(*fault, about_of(path, status));

    auto key = secret::SecretBuffer::make(arena, key_size, secret::Share::keys);
    if (!key) return result::refuse(std::move(key.error()));
    const bool read = key->expose_to_write([&](std::span<std::byte> out) { return read_fully(file.number(), out); });
    if (!read) return refuse({"The root key file cannot be read.", "Look at the disk it lies on."}, path.string());
    return RootKey(std::move(*key));
}

} // namespace credlease::crypto
