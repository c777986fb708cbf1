#include "cli/lease_field.hpp"

#include "cli/invocation.hpp"

namespace credlease::cli {
namespace {

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

} // namespace

Result<void> show_field(const Lease& lease, const std::string& field,
                        const std::function<void(std::string_view)>& use) {
    const auto names = lease.secret_fields();
    if (field.empty() && names.size() != 1) {
        return usage("The credential has not one secret field but " + std::to_string(names.size()) + ".",
                     "Name the one that is meant, as CREDENTIAL:FIELD. It has: " + joined(names) + ".");
    }
    if (lease.expose(field.empty() ? names.front() : field, use)) return {};
    const auto shown = lease.fields();
    if (const auto found = shown.find(field); found != shown.end()) {
        use(found->second);
        return {};
    }
    return usage("The lease has no field \"" + field + "\".", "Its secret fields are: " + joined(names) + ".");
}

} // namespace credlease::cli
