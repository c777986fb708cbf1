#include "api/chunks.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

using namespace credlease;

namespace {

constexpr std::size_t most = 300;

struct Read {
    std::string body;
    std::size_t taken = 0; ///< of a body that is whole
    bool is_refused = false;
    bool operator==(const Read&) const = default;
};

Read read(std::string_view text, std::size_t step) {
    api::ChunkReader chunks(most);
    Read read;
    std::size_t at = 0;
    while (at < text.size() && !chunks.is_done()) {
        const std::string_view part = text.substr(at, step);
        const auto piece = chunks.read(part);
        if (!piece) {
            read.is_refused = true;
            return read;
        }
        if (piece->taken == 0 || piece->taken > part.size()) __builtin_trap();
        if (!piece->data.empty() && piece->data.data() + piece->data.size() != part.data() + piece->taken)
            __builtin_trap();
        read.body += piece->data;
        at += piece->taken;
    }
    if (read.body.size() > most) __builtin_trap();
    if (chunks.is_done()) read.taken = at;
    return read;
}

} // namespace

/// Chunks: in whatever pieces they come, the body is the same, ends at the same byte, or is refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto whole = read(text, text.size());
    if (read(text, std::max<std::size_t>(data[0], 1)) != whole || read(text, 1) != whole) __builtin_trap();
    return 0;
}
