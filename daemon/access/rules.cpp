#include "access/rules.hpp"

#include "access/make_caller.hpp"

#include <algorithm>
#include <array>
#include <pwd.h>
#include <set>

namespace credlease::access {
namespace {

using vocabulary::UserId;

std::string operator_principal(std::uint32_t uid) {
    std::array<char, 16384> texts{};
    passwd account{};
    passwd* found = nullptr;
    const bool named = ::getpwuid_r(uid, &account, texts.data(), texts.size(), &found) == 0 && found != nullptr;
    return "operator:" + (named ? std::string(account.pw_name) : std::to_string(uid));
}

template <class Value> bool has_all(const std::vector<Value>& values, const std::vector<Value>& wanted) {
    return std::ranges::all_of(wanted,
                               [&](const Value& value) { return std::ranges::find(values, value) != values.end(); });
}

/// An empty limit is none.
template <class Limit> bool is_as_wide(const Limit& after, const Limit& before) {
    return after == Limit() || after == before;
}

bool is_as_wide(const vocabulary::Reach& after, const vocabulary::Reach& before) {
    return after.all ||
           (!before.all && has_all(after.credentials, before.credentials) && has_all(after.services, before.services));
}

bool are_fields_as_wide(const std::vector<std::string>& after, const std::vector<std::string>& before) {
    return after.empty() || (!before.empty() && has_all(after, before));
}

/// Whoever the rule let in before, it lets in still, to all that it reached before.
bool is_as_wide(const settings::WorkerRule& after, const settings::WorkerRule& before) {
    return after.name == before.name && after.uid == before.uid && is_as_wide(after.unit, before.unit) &&
           is_as_wide(after.exe, before.exe) && is_as_wide(after.exe_sha256, before.exe_sha256) &&
           after.workspace == before.workspace && (!before.user || after.user == before.user) &&
           is_as_wide(after.reach, before.reach) && are_fields_as_wide(after.fields, before.fields);
}

bool is_as_wide(const settings::EngineRule& after, const settings::EngineRule& before) {
    return after.name == before.name && after.uid == before.uid && is_as_wide(after.unit, before.unit) &&
           after.directory == before.directory && after.max_role >= before.max_role &&
           (after.all_workspaces || (!before.all_workspaces && has_all(after.workspaces, before.workspaces)));
}

template <class Rule>
void add_narrowed(std::set<std::string>& narrowed, const std::vector<Rule>& before, const std::vector<Rule>& after) {
    for (const Rule& rule : before) {
        const bool kept = std::ranges::any_of(after, [&](const Rule& now) { return is_as_wide(now, rule); });
        if (!kept) narrowed.insert(principal_of(rule));
    }
}

/// Whom a uid is on admin.sock, and as which user besides.
std::pair<std::string, std::optional<UserId>> account_of(const Rules& rules, std::uint32_t uid) {
    const auto user = rules.user_of(uid);
    const auto found = rules.operators.find(uid);
    if (found != rules.operators.end()) return {found->second, user};
    return {user ? user->text() : "", user};
}

void add_narrowed_account(std::set<std::string>& narrowed, const Rules& before, const Rules& after, std::uint32_t uid) {
    const auto [principal, user] = account_of(before, uid);
    const auto [principal_now, user_now] = account_of(after, uid);
    if (principal_now != principal || (user && user_now != user)) narrowed.insert(principal);
}

bool is_member(const Directory& directory, const vocabulary::WorkspaceId& workspace, const UserId& user) {
    return directory.find(workspace.text())->members.contains(user);
}

bool may_operator_mint(const vocabulary::Grant& grant, const Rules& rules) {
    return std::ranges::any_of(rules.operators, [&](const auto& known) {
        return known.second == grant.minted_by && (!grant.user || rules.user_of(known.first) == grant.user);
    });
}

bool may_user_mint(const vocabulary::Grant& grant, const Rules& rules, const Directory& directory) {
    return std::ranges::any_of(rules.settings->access.users, [&](const auto& mapped) {
        return mapped.second.text() == grant.minted_by && is_member(directory, grant.workspace, mapped.second);
    });
}

bool may_engine_mint(const vocabulary::Grant& grant, const Rules& rules, const Directory& directory) {
    const auto actor = UserId::read(grant.on_behalf_of);
    return std::ranges::any_of(rules.settings->engines, [&](const settings::EngineRule& rule) {
        if (principal_of(rule) != grant.minted_by || !covers(rule, grant.workspace)) return false;
        if (grant.on_behalf_of.empty()) return true;
        return actor && actor->directory == rule.directory && is_member(directory, grant.workspace, *actor);
    });
}

} // namespace

Rules::Rules(std::shared_ptr<const settings::Settings> made) : settings(std::move(made)) {
    for (const auto uid : settings->access.operators) operators.emplace(uid, operator_principal(uid));
}

std::optional<UserId> Rules::user_of(std::uint32_t uid) const {
    const auto found = settings->access.users.find(uid);
    return found == settings->access.users.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> narrowed_principals(const Rules& before, const Rules& after) {
    std::set<std::string> narrowed;
    add_narrowed(narrowed, before.settings->workers, after.settings->workers);
    add_narrowed(narrowed, before.settings->engines, after.settings->engines);
    for (const auto& [uid, principal] : before.operators) add_narrowed_account(narrowed, before, after, uid);
    for (const auto& [uid, user] : before.settings->access.users) add_narrowed_account(narrowed, before, after, uid);
    return {narrowed.begin(), narrowed.end()};
}

bool is_still_granted(const vocabulary::Grant& grant, const Rules& rules, const Directory& directory) {
    if (directory.find(grant.workspace.text()) == nullptr) return false;
    if (grant.minted_by.starts_with("operator:")) return may_operator_mint(grant, rules);
    if (grant.minted_by.starts_with("engine:")) return may_engine_mint(grant, rules, directory);
    return may_user_mint(grant, rules, directory);
}

} // namespace credlease::access
