#include "check_config.hpp"

#include "broker/seal_file.hpp"
#include "settings/surroundings.hpp"
#include "settings/warnings.hpp"

#include <cstdio>

namespace credlease {
namespace {

using Warnings = std::vector<std::string>;

void warn_of_services(const settings::Settings& settings, const catalog::Catalog& catalog, Warnings& warnings) {
    for (const auto& worker : settings.workers) {
        for (const auto& service : worker.reach.services) {
            if (catalog.find(service.text()) != nullptr) continue;
            warnings.push_back(settings::rule("worker", worker.name) + " names the service " + service.text() +
                               ", which the catalog does not have: it reaches nothing by it.");
        }
    }
}

std::optional<result::Error> find_seal_fault(const settings::Settings& settings) {
    const auto& data = settings.places.data;
    const auto seal = broker::read_seal_file(data);
    if (!seal || !*seal || (*seal)->method == settings.seal.method) return std::nullopt;
    const auto method = std::string(settings::name_of((*seal)->method));
    return result::Error{.code = result::ErrorCode::configuration,
                         .sentence = "[seal] method is not the one that the store is sealed by: it would not start.",
                         .next_step = "Set it to the store's own.",
                         .about = result::PublicText::of(broker::seal_file_in(data).native() + ": " + method)};
}

/// The unit makes the folder where the system's broker has its head, and gives it to the broker's account.
bool is_made_by_unit(const settings::Settings& settings) {
    return settings.system && settings.audit.head_file == settings::system_head_file;
}

} // namespace

Warnings find_warnings(const settings::Settings& settings, const catalog::Catalog& catalog) {
    auto warnings = settings.warnings;
    for (auto& warning : settings::find_unreachable_workers(settings)) warnings.push_back(std::move(warning));
    warn_of_services(settings, catalog, warnings);
    return warnings;
}

result::Result<> check_config(const settings::Settings& settings) {
    const auto catalog = catalog::Catalog::load(settings.catalog.dir);
    if (!catalog) return result::refuse(catalog.error());
    auto warnings = find_warnings(settings, **catalog);
    auto fault = find_seal_fault(settings);
    if (auto head = settings::find_head_fault(settings)) {
        if (is_made_by_unit(settings)) {
            warnings.push_back(head->detail());
        } else if (!fault) {
            fault = std::move(head);
        }
    }
    const auto& file = settings.places.config_file;
    std::error_code ignored;
    const bool is_there = std::filesystem::exists(file, ignored);
    if (!fault) std::printf("ok: %s%s\n", file.c_str(), is_there ? "" : " does not exist, defaults hold");
    for (const auto& warning : warnings) std::printf("warning: %s\n", warning.c_str());
    return fault ? result::refuse(std::move(*fault)) : result::Result<>();
}

} // namespace credlease
