#pragma once

#include "access/directory.hpp"
#include "settings/settings.hpp"
#include "vocabulary/grant.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace credlease::access {

/// The settings' rules on callers, with what is looked up once: the operators' names.
struct Rules {
    explicit Rules(std::shared_ptr<const settings::Settings> settings);

    std::shared_ptr<const settings::Settings> settings;
    std::map<std::uint32_t, std::string> operators; ///< uid → "operator:root"; a uid without a name: "operator:1234"

    [[nodiscard]] std::optional<vocabulary::UserId> user_of(std::uint32_t uid) const; ///< by [access] users
};

/// The principals of `before` that are no more under `after`, or reach less there.
[[nodiscard]] std::vector<std::string> narrowed_principals(const Rules& before, const Rules& after);

/// Whether the one who minted the grant still may: its rule is there, and the user it acted for is a member of the
/// grant's workspace.
[[nodiscard]] bool is_still_granted(const vocabulary::Grant& grant, const Rules& rules, const Directory& directory);

} // namespace credlease::access
