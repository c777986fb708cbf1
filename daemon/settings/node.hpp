#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace credlease::settings {

struct Entry;

/// One value of the config file and the line that it stands in.
struct Node {
    using List = std::vector<Node>;
    using Table = std::vector<Entry>;
    struct Other {}; ///< a number with a fraction, a date or a time: no key takes one

    std::variant<Other, std::string, std::int64_t, bool, List, Table> value;
    std::uint32_t line = 0;
};

struct Entry {
    std::string key;
    Node value;
};

/// The table that a TOML text is. `configuration` with "FILE:LINE: what is wrong" for anything else.
[[nodiscard]] result::Result<Node> read_toml(std::string_view text, const std::string& file);

} // namespace credlease::settings
