#include "cli/token_file.hpp"

#include "cli/invocation.hpp"
#include "cli/terminal.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace credlease::cli {
namespace {

bool fill(int descriptor, const SecretText& token) {
    const bool written = token.expose([&](std::string_view text) { return write_all(descriptor, text); });
    return written && write_all(descriptor, "\n") && fsync(descriptor) == 0;
}

} // namespace

Result<void> write_token_file(const std::string& path, const SecretText& token) {
    const std::string beside = path + ".new." + std::to_string(getpid());
    const int descriptor = open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool done = descriptor >= 0 && fill(descriptor, token);
    int failed = done ? 0 : errno;
    if (descriptor >= 0) close(descriptor);
    if (done && std::rename(beside.c_str(), path.c_str()) != 0) {
        failed = errno;
        done = false;
    }
    if (done) return {};
    if (descriptor >= 0) unlink(beside.c_str());
    return usage("The token could not be written to " + path + ": " + std::strerror(failed) + ".",
                 "Withdraw the grant, or mint it again with another --out.");
}

} // namespace credlease::cli
