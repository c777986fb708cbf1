#include "settings/settings.hpp"

#include "settings/accounts.hpp"
#include "settings/config_file.hpp"
#include "settings/places.hpp"
#include "settings/sections.hpp"
#include "settings/warnings.hpp"

#include <algorithm>
#include <unistd.h>

namespace credlease::settings {
namespace {

using result::refuse;
using result::Result;

Settings defaults_at(const DefaultPlaces& found, bool system) {
    Settings made;
    made.system = system;
    made.places = found.places;
    made.sockets.own_uid_only = found.own_uid_only;
    if (system) {
        made.sockets.lease_group = find_gid("credlease");
        made.sockets.admin_group = find_gid("credlease-admin");
    }
    made.seal.key_file = found.key_file;
    made.seal.may_make_key = !system;
    made.access.operators = {0};
    if (::geteuid() != 0) made.access.operators.push_back(::geteuid());
    return made;
}

/// A user's broker serves its own user without being told.
WorkerRule self_rule() {
    WorkerRule self;
    self.name = *vocabulary::EngineId::read("self");
    self.uid = ::geteuid();
    self.workspace = *vocabulary::WorkspaceId::read("default");
    return self;
}

/// The defaults that follow from other settings.
void complete(Settings& settings) {
    if (settings.audit.head_file.empty()) {
        settings.audit.head_file = settings.system ? std::filesystem::path(system_head_file)
                                                   : settings.seal.key_file.parent_path() / "audit.head";
    }
    if (settings.catalog.dir.empty()) settings.catalog.dir = settings.places.config_file.parent_path() / "services.d";
}

/// A copy of the store must not hold the key that opens it.
void check_key_file(Section& file, const Settings& settings) {
    if (!lies_in(settings.seal.key_file, settings.places.data)) return;
    file.complain("seal", "The root key would lie in the data folder.",
                  "Name a `key_file` elsewhere: a copy of the store must not hold its key.");
}

Result<> read_text(const std::string& text, Settings& settings) {
    const auto name = settings.places.config_file.string();
    const auto tree = read_toml(text, name);
    if (!tree) return refuse(tree.error());
    Complaint complaint(name);
    {
        Section file(complaint, "", &*tree);
        read_sections(file, settings);
        read_rules(file, settings);
        complete(settings);
        check_key_file(file, settings);
    }
    if (complaint.error()) return refuse(*complaint.error());
    return {};
}

} // namespace

Result<Settings> read_settings(const Flags& flags) {
    const auto found = find_places(flags);
    if (!found) return refuse(found.error());
    const auto file = read_config_file(found->places.config_file, flags.config.has_value());
    if (!file) return refuse(file.error());
    Settings settings = defaults_at(*found, flags.system);
    if (auto read = read_text(*file ? (*file)->text : "", settings); !read) return refuse(std::move(read.error()));
    settings.warnings = find_warnings(settings, *file ? &**file : nullptr);
    if (!settings.system && settings.workers.empty()) settings.workers.push_back(self_rule()); // root's too: no warning
    return settings;
}

std::string pages_url(const Settings::Outbound& outbound) {
    std::string begin = outbound.public_url.empty() ? "http://" + outbound.callback : outbound.public_url;
    while (begin.ends_with('/')) begin.pop_back();
    return begin + "/oauth";
}

std::string redirect_uri(const Settings::Outbound& outbound) { return pages_url(outbound) + "/callback"; }

} // namespace credlease::settings
