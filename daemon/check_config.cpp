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

void warn_of_seal(const settings::Settings& settings, Warnings& warnings) {
    const auto& data = settings.places.data;
    const auto seal = broker::read_seal_file(data);
    if (!seal || !*seal || (*seal)->method == settings.seal.method) return;
    warnings.push_back("[seal] method is " + std::string(settings::name_of(settings.seal.method)) + ", but by " +
                       broker::seal_file_in(data).native() + " the store is sealed by " +
                       std::string(settings::name_of((*seal)->method)) + ": it would not start.");
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
    if (const auto fault = settings::find_head_fault(settings)) warnings.push_back(fault->detail());
    warn_of_seal(settings, warnings);
    const auto& file = settings.places.config_file;
    std::error_code ignored;
    const bool is_there = std::filesystem::exists(file, ignored);
    std::printf("ok: %s%s\n", file.c_str(), is_there ? "" : " does not exist, defaults hold");
    for (const auto& warning : warnings) std::printf("warning: %s\n", warning.c_str());
    return {};
}

} // namespace credlease
