#pragma once

#include "vault/vault.hpp"
#include "vocabulary/audit_record.hpp"

#include <array>
#include <span>
#include <string_view>

namespace credlease::broker {

/// What a change makes of a credential's status, as a person is shown it. Its record says it, so that events can be
/// told from the log (past_events.cpp).
class StatusChange {
  public:
    static constexpr std::string_view member = "status";

    StatusChange(const vocabulary::Credential& before, const vocabulary::Credential& after, vocabulary::Time now)
        : view_{{{.member = member,
                  .before = name_of(vault::effective_status(before, now)),
                  .after = name_of(vault::effective_status(after, now))}}} {}

    [[nodiscard]] bool is_one() const { return view_[0].before != view_[0].after; }
    /// For the record, which must be staged before this is gone; empty: it stays as it is.
    [[nodiscard]] std::span<const vocabulary::ChangeView> views() const {
        return std::span(view_).first(is_one() ? 1 : 0);
    }

  private:
    std::array<vocabulary::ChangeView, 1> view_;
};

} // namespace credlease::broker
