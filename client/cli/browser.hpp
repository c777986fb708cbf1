#pragma once

#include <string>

namespace credlease::cli {

/// Whether a browser of this machine shows pages to the person who asks: a desktop, or BROWSER, and not over SSH.
[[nodiscard]] bool has_browser();

/// Opens the address in it, by BROWSER's first program or xdg-open(1), and does not wait. False: there was none to
/// start.
[[nodiscard]] bool open_in_browser(const std::string& url);

} // namespace credlease::cli
