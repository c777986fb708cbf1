#pragma once

#include "broker/authorizations.hpp"

#include <string>
#include <variant>
#include <vector>

namespace credlease::broker {

/// What a browser has to show: the cookie that the start page of an authorization gave it.
struct BrowserProof {
    std::string authorization; ///< its id, the cookie's name
    secret::SecretBuffer value;
};

/// What a person is told who came to one of the daemon's pages.
struct BrowserTold {
    enum class Kind : std::uint8_t {
        unknown,       ///< nothing waits for this address: no word on why
        other_browser, ///< it belongs to an authorization that was begun in another one
        given_up,      ///< … and that has ended by it
        ended,         ///< it was used, or has ended otherwise: `text` says how
        refused,       ///< it is not what was waited for, or who began it may not finish it now
        connected,
        failed, ///< the provider refused, or its answer was of no use
    };
    Kind kind = Kind::unknown;
    std::string credential{}, service{}; ///< names; empty where it is not told
    std::string text{};                  ///< whole sentences
};

/// Where the browser goes on, and the cookie that it has from now on.
struct BrowserStart {
    AuthorizationId id{};
    secret::SecretBuffer address;
    secret::SecretBuffer cookie; ///< empty: it has it already
};

using Proofs = std::vector<BrowserProof>;

/// GET /oauth/start/ID. The first browser to open it is the one that may finish the authorization; a second one ends
/// it, since one of the two is a stranger's.
[[nodiscard]] std::variant<BrowserTold, BrowserStart> start_in_browser(Unsealed& house, std::string_view id,
                                                                       const Proofs& proofs);
/// GET /oauth/callback?QUERY: finishes the authorization that `state` names, as who began it would by `complete`.
[[nodiscard]] runtime::Task<BrowserTold> finish_in_browser(Unsealed& house, secret::SecretBuffer query, Proofs proofs);

} // namespace credlease::broker
