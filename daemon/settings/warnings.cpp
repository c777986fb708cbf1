#include "settings/warnings.hpp"

#include "settings/places.hpp"

#include <algorithm>
#include <unistd.h>

namespace credlease::settings {
namespace {

using Warnings = std::vector<std::string>;

std::string octal(std::uint32_t mode) {
    std::string text = "0";
    for (const unsigned shift : {6U, 3U, 0U}) text += static_cast<char>('0' + (mode >> shift & 7));
    return text;
}

void warn_of_file(const Settings& settings, const ConfigFile& file, Warnings& warnings) {
    if (!settings.system) return;
    const auto name = settings.places.config_file.string();
    if ((file.mode & 022) != 0) {
        warnings.push_back(name + " can be changed by others than its owner (mode " + octal(file.mode) +
                           "): whoever can change it decides who gets secrets.");
    }
    if (file.owner != 0 && file.owner != ::geteuid()) {
        warnings.push_back(name + " belongs to uid " + std::to_string(file.owner) +
                           ", who decides by it who gets secrets.");
    }
}

void warn_of_sockets(const Settings::Sockets& sockets, Warnings& warnings) {
    constexpr std::uint32_t others = 06;
    const auto warn = [&](const char* key, std::uint32_t mode) {
        if ((mode & others) == 0) return;
        warnings.push_back(std::string("[sockets] ") + key + " " + octal(mode) +
                           " lets every user of this host connect: only the rules stand between them and the secrets.");
    };
    warn("lease_mode", sockets.lease_mode);
    warn("admin_mode", sockets.admin_mode);
}

void warn_of_worker(const Settings& settings, const WorkerRule& worker, Warnings& warnings) {
    const auto name = rule("worker", worker.name);
    for (const auto& engine : settings.engines) {
        if (engine.uid != worker.uid) continue;
        warnings.push_back(name + " shares uid " + std::to_string(worker.uid) + " with " + rule("engine", engine.name) +
                           ": whatever runs under that uid is the engine. Give the worker a uid of its own.");
    }
    if (worker.uid == 0) warnings.push_back(name + " is for root, which can act as any other worker too.");
    if ((!worker.exe.empty() || worker.exe_sha256) && worker.unit.empty()) {
        warnings.push_back(name + " tells programs of uid " + std::to_string(worker.uid) +
                           " apart by `exe` alone: each of them can act through the others. Only the uid, or a unit of "
                           "the system's, keeps them apart.");
    }
}

/// The first rule that matches wins: one without conditions leaves nothing for later ones of its uid.
void warn_of_order(const std::vector<WorkerRule>& workers, Warnings& warnings) {
    for (auto first = workers.begin(); first != workers.end(); ++first) {
        if (!first->unit.empty() || !first->exe.empty() || first->exe_sha256) continue;
        for (auto later = first + 1; later != workers.end(); ++later) {
            if (later->uid != first->uid) continue;
            warnings.push_back(rule("worker", later->name) + " never matches: " + rule("worker", first->name) +
                               " stands before it and takes all of uid " + std::to_string(first->uid) + ".");
        }
    }
}

} // namespace

std::string rule(const char* kind, const vocabulary::EngineId& name) {
    return std::string("[[") + kind + "]] " + name.text();
}

Warnings find_warnings(const Settings& settings, const ConfigFile* file) {
    Warnings warnings;
    if (file != nullptr) warn_of_file(settings, *file, warnings);
    warn_of_sockets(settings.sockets, warnings);
    for (const auto& engine : settings.engines) {
        if (engine.uid != 0) continue;
        warnings.push_back(rule("engine", engine.name) + " is for root, which can act as any other engine too.");
    }
    for (const auto& worker : settings.workers) warn_of_worker(settings, worker, warnings);
    warn_of_order(settings.workers, warnings);
    if (lies_in(settings.audit.head_file, settings.places.data)) {
        warnings.push_back(
            "[audit] head_file lies in the data folder: who puts back an old store puts back its head with it.");
    }
    return warnings;
}

} // namespace credlease::settings
