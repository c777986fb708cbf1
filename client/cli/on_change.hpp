#pragma once

#include "cli/environment.hpp"

#include <atomic>
#include <optional>

namespace credlease::cli {

/// `--on-change`: what a command gets when one of its secrets has changed.
struct OnChange {
    enum class What { nothing, restart, signal };
    What what = What::nothing;
    int signal = 0;
};
/// "restart", "signal:HUP" (or SIGHUP); empty: nothing. `usage` otherwise.
[[nodiscard]] Result<OnChange> read_on_change(const std::string& text);

/// What the broker told while the command ran. Told by another thread than the one that looks.
class Changes {
  public:
    void take(const LeaseChange& change);
    /// Whether a secret has changed since it was asked last.
    [[nodiscard]] bool take_changed() { return changed_.exchange(false); }
    void note_changed() { changed_ = true; }

  private:
    std::atomic<bool> changed_{false};
};

} // namespace credlease::cli
