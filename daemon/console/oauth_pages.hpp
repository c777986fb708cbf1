#pragma once

#include "broker/browser_authorization.hpp"
#include "console/reply.hpp"

namespace credlease::console {

/// What happened to an authorization, in plain words.
[[nodiscard]] Page page_of(const broker::BrowserTold& told);

} // namespace credlease::console
