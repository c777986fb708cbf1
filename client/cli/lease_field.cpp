#include "cli/lease_field.hpp"

#include "cli/invocation.hpp"

#include <algorithm>

namespace credlease::cli {
namespace {

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

/// Which field is meant where none is named; empty: that can't be told.
std::string meant(const std::vector<std::string>& names) {
    const bool has_token =
        std::ranges::find(names, "access_token") != names.end(); // beside it: its type, another's token
    if (has_token) return "access_token";
    return names.size() == 1 ? names.front() : std::string();
}

} // namespace

Result<void> show_field(const Lease& lease, const std::string& field,
                        const std::function<void(std::string_view)>& use) {
    const auto names = lease.secret_fields();
    const auto chosen = field.empty() ? meant(names) : field;
    if (chosen.empty()) {
        return usage("The credential has not one secret field but " + std::to_string(names.size()) + ".",
                     "Name the one that is meant, as CREDENTIAL:FIELD. It has: " + joined(names) + ".");
    }
    if (lease.expose(chosen, use)) return {};
    const auto shown = lease.fields();
    if (const auto found = shown.find(field); found != shown.end()) {
        use(found->second);
        return {};
    }
    return usage("The lease has no field \"" + field + "\".", "Its secret fields are: " + joined(names) + ".");
}

} // namespace credlease::cli
