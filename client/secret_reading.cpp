#include "client/secret_reading.hpp"

#include "client/refusal.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace credlease::client {
namespace {

/// As read(2) of at most `size` bytes, in locked memory.
Result<std::size_t> read_some(int descriptor, GrowingSecret& out, std::size_t size) {
    if (auto reserved = out.reserve(size); !reserved) return reserved.error();
    ssize_t got = 0;
    do {
        got = out.fill([&](char* room, std::size_t free) { return read(descriptor, room, std::min(free, size)); });
    } while (got < 0 && errno == EINTR);
    if (got < 0) return misconfigured("The secret cannot be read: " + text_of_errno(errno) + ".", "");
    return static_cast<std::size_t>(got);
}

char last_of(const GrowingSecret& text) {
    return text.expose([](std::string_view shown) { return shown.empty() ? '\0' : shown.back(); });
}

} // namespace

Result<GrowingSecret> read_all(int descriptor, std::size_t most) {
    constexpr std::size_t piece = 4096;
    GrowingSecret text(most + 1); // the byte over the limit tells a text that is too long from one that just fits
    while (text.size() <= most) {
        const auto got = read_some(descriptor, text, std::min(piece, most + 1 - text.size()));
        if (!got) return got.error();
        if (*got == 0) return text;
    }
    return not_sent("", "The secret is too long: at most " + std::to_string(most) + " bytes.");
}

Result<GrowingSecret> read_one_line(int descriptor, std::size_t most) {
    GrowingSecret text(most);
    while (last_of(text) != '\n') {
        const auto got = read_some(descriptor, text, 1);
        if (!got) return got.error();
        if (*got == 0) return text;
    }
    text.cut_newline();
    return text;
}

} // namespace credlease::client
