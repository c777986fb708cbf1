#include "cli/on_change.hpp"

#include "cli/child.hpp"

#include <array>
#include <csignal>
#include <string_view>

namespace credlease::cli {
namespace {

struct Named {
    std::string_view name;
    int signal;
};
constexpr std::array signals = {Named{"HUP", SIGHUP},    Named{"INT", SIGINT},   Named{"QUIT", SIGQUIT},
                                Named{"USR1", SIGUSR1},  Named{"USR2", SIGUSR2}, Named{"TERM", SIGTERM},
                                Named{"WINCH", SIGWINCH}};

std::optional<int> find_signal(std::string_view name) {
    if (name.starts_with("SIG")) name.remove_prefix(3);
    for (const auto& each : signals) {
        if (each.name == name) return each.signal;
    }
    return std::nullopt;
}

} // namespace

Result<OnChange> read_on_change(const std::string& text) {
    constexpr std::string_view signal_prefix = "signal:";
    if (text.empty()) return OnChange{};
    if (text == "restart") return OnChange{.what = OnChange::What::restart};
    if (text.starts_with(signal_prefix)) {
        const auto signal = find_signal(std::string_view(text).substr(signal_prefix.size()));
        if (signal) return OnChange{.what = OnChange::What::signal, .signal = *signal};
    }
    return usage("--on-change is restart, or signal: and one of HUP, INT, QUIT, USR1, USR2, TERM, WINCH.");
}

void Changes::take(const LeaseChange& change) {
    using Kind = LeaseChange::Kind;
    if (change.kind == Kind::rotated || change.kind == Kind::refreshed) changed_ = true;
    if (change.kind != Kind::expiring) Child::wake();
}

} // namespace credlease::cli
