#include "settings/sections.hpp"

#include <algorithm>

namespace credlease::settings {
namespace {

using vocabulary::EngineId;
using vocabulary::WorkspaceId;

constexpr Choices<Role, 3> roles = {{{"member", Role::member}, {"editor", Role::editor}, {"admin", Role::admin}}};

void read_workspaces(Section& section, EngineRule& rule) {
    std::vector<std::string> names;
    if (!section.require("workspaces", names, list_of(read_string))) return;
    rule.all_workspaces = names == std::vector<std::string>{"*"};
    if (rule.all_workspaces) return;
    section.take("workspaces", rule.workspaces, list_of(read_by_rule<WorkspaceId>));
    if (names.empty()) {
        section.complain("workspaces", "This engine would reach no workspace.", "Name them, or write [\"*\"] for all.");
    }
}

EngineRule read_engine(Section& section) {
    EngineRule rule;
    section.require("name", rule.name, read_by_rule<EngineId>);
    section.require("uid", rule.uid, read_uid);
    section.take("unit", rule.unit, read_unit_glob);
    read_workspaces(section, rule);
    section.take("max_role", rule.max_role, one_of(roles, "Use \"member\", \"editor\" or \"admin\"."));
    rule.directory = rule.name;
    section.take("directory", rule.directory, read_by_rule<EngineId>);
    return rule;
}

/// A list that is there and empty would mean "none" to one reader and "all" to another.
template <class Element, class Read>
bool take_reach(Section& section, std::string_view key, std::vector<Element>& into, Read read) {
    if (!section.take(key, into, list_of(read))) return false;
    if (into.empty()) section.complain(key, "This rule would reach nothing.", "Leave the key out to reach all.");
    return true;
}

WorkerRule read_worker(Section& section) {
    WorkerRule rule;
    section.require("name", rule.name, read_by_rule<EngineId>);
    section.require("uid", rule.uid, read_uid);
    section.take("unit", rule.unit, read_unit_glob);
    std::filesystem::path exe;
    if (section.take("exe", exe, read_path)) rule.exe = exe.native();
    section.take("exe_sha256", rule.exe_sha256, read_sha256);
    rule.workspace = *WorkspaceId::read("default");
    section.take("workspace", rule.workspace, read_by_rule<WorkspaceId>);
    section.take("user", rule.user, read_by_rule<vocabulary::UserId>);
    const bool some = take_reach(section, "credentials", rule.reach.credentials, read_id<vocabulary::CredentialId>);
    const bool kinds = take_reach(section, "services", rule.reach.services, read_by_rule<vocabulary::ServiceId>);
    rule.reach.all = !some && !kinds;
    std::vector<vocabulary::FieldName> fields;
    section.take("fields", fields, list_of(read_by_rule<vocabulary::FieldName>));
    for (const auto& field : fields) rule.fields.push_back(field.text());
    section.take("max_ttl", rule.max_ttl, read_duration);
    return rule;
}

/// Reads each table of `[[key]]`; two rules of one name could not be told apart in the audit log.
template <class Rule> void read_each(Section& file, const char* key, std::vector<Rule>& rules, Rule (*read)(Section&)) {
    const Node* const node = file.find(key);
    if (node == nullptr) return;
    const auto* const tables = std::get_if<Node::List>(&node->value);
    if (tables == nullptr) {
        file.complain(key, "A list of tables is expected here.", "Write the key in two pairs of brackets: [[…]].");
        return;
    }
    for (const auto& table : *tables) {
        Section section(file.complaint(), key, &table);
        auto rule = read(section);
        if (std::ranges::find(rules, rule.name, &Rule::name) != rules.end()) {
            section.complain("name", "Two rules have this name.", "Give each its own.");
        }
        rules.push_back(std::move(rule));
    }
}

} // namespace

std::string_view name_of(Role role) {
    return std::ranges::find(roles, role, &decltype(roles)::value_type::second)->first;
}

std::optional<Role> find_role(std::string_view name) {
    const auto* const found = std::ranges::find(roles, name, &decltype(roles)::value_type::first);
    return found == roles.end() ? std::nullopt : std::optional(found->second);
}

void read_rules(Section& file, Settings& settings) {
    read_each(file, "engine", settings.engines, read_engine);
    read_each(file, "worker", settings.workers, read_worker);
}

} // namespace credlease::settings
