#pragma once

#include <span>
#include <string_view>

namespace credlease::catalog {

/// A file that was compiled in (cmake/embed.cmake).
struct EmbeddedFile {
    std::string_view name; ///< "slack.json"
    std::string_view text;
};
/// The built-in entries and `service.schema.json`.
[[nodiscard]] std::span<const EmbeddedFile> embedded_files();

} // namespace credlease::catalog
