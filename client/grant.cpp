#include "client/grant.hpp"

#include "client/places.hpp"
#include "client/refusal.hpp"
#include "client/secret_reading.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

namespace credlease::client {
namespace {

constexpr std::size_t grant_most = 4096;
constexpr const char* file_variable = "CREDLEASE_GRANT_FILE";
constexpr const char* text_variable = "CREDLEASE_GRANT";

Result<Grant> read_file(const std::string& path) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0) {
        return misconfigured("The grant's file cannot be read: " + path + " (" + text_of_errno(errno) + ").",
                             std::string("Correct ") + file_variable + ", or unset it.");
    }
    auto text = read_all(descriptor, grant_most);
    close(descriptor);
    if (!text) return text.error();
    text->cut_newline();
    return take_grant(std::move(*text).take());
}

} // namespace

Result<Grant> take_grant(secret::SecretBuffer text) {
    const bool is_one_word = text.expose([](std::span<const std::byte> bytes) {
        return !bytes.empty() &&
               std::ranges::all_of(secret::as_text(bytes), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    });
    if (!is_one_word) {
        return misconfigured("What was given as a grant is none: it must be one line, as it was minted.",
                             "Mint a new one with: credlease grant.");
    }
    return std::make_shared<const secret::SecretBuffer>(std::move(text));
}

Result<Grant> read_grant_of_environment() {
    if (const auto path = variable(file_variable); !path.empty()) return read_file(path);
    // The environment's own copy is not ours to wipe, and no other copy is made on the heap.
    const char* text = secure_getenv(text_variable);
    if (text == nullptr || *text == '\0') return Grant();
    GrowingSecret taken(grant_most);
    if (auto copied = taken.append(text); !copied) return copied.error();
    return take_grant(std::move(taken).take());
}

} // namespace credlease::client
