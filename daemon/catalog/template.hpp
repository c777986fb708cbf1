#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace credlease::catalog {

enum class Encoder : std::uint8_t { none, base64, urlencode, host };

/// "Bearer {token}" taken apart: literals and fields, in order.
struct Template {
    struct Part {
        std::string literal;             ///< used when `fields` is empty
        std::vector<std::size_t> fields; ///< indexes into AuthType::fields; several are joined by ':' before encoding
        Encoder encoder = Encoder::none;
    };
    std::vector<Part> parts;
    std::uint32_t needs = 0; ///< bit set of the fields it is made from
};

} // namespace credlease::catalog
