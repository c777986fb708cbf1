#include "attestation/peer.hpp"

#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

namespace credlease::attestation {

std::array<std::uint8_t, 16> boot_id() {
    const Descriptor file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    std::array<char, 64> room{}; // "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx\n"
    const ssize_t size = file.open() ? ::read(file.number(), room.data(), room.size()) : 0;
    const std::string_view text(room.data(), size > 0 ? static_cast<std::size_t>(size) : 0);

    constexpr std::string_view hexadecimal = "0123456789abcdef";
    std::array<std::uint8_t, 16> id{};
    std::size_t digits = 0;
    for (const char c : text) {
        if (c == '-') continue;
        const auto digit = hexadecimal.find(c);
        if (digit == std::string_view::npos || digits == 2 * id.size()) break;
        std::uint8_t& byte = id[digits++ / 2];
        byte = static_cast<std::uint8_t>(byte * 16U + digit);
    }
    // Without it a lease of an earlier boot could be taken for one of this: better no daemon than that.
    if (digits != 2 * id.size()) throw std::runtime_error("/proc/sys/kernel/random/boot_id can't be read");
    return id;
}

} // namespace credlease::attestation
