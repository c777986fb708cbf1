#include "broker/change.hpp"

#include <algorithm>
#include <ranges>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::invalid;
using result::refuse;

result::Result<vocabulary::Scope> personal_scope(const access::Caller& caller,
                                                 const std::optional<std::string>& named) {
    if (!named) {
        if (caller.user) return vocabulary::Scope::of(*caller.user);
        return refuse(invalid("scope.user", "A personal scope needs a user; you are none."));
    }
    auto user = vocabulary::UserId::read(*named);
    if (!user) return refuse(invalid("scope.user", "This is not a user id. Write user:DIRECTORY/NAME."));
    return vocabulary::Scope::of(std::move(*user));
}

result::Result<vocabulary::Scope> workspace_scope(const Unsealed& house, const access::Caller& caller,
                                                  std::string_view id) {
    const auto* workspace = house.directory.find(id);
    const auto scope = workspace != nullptr ? std::optional(vocabulary::Scope::of(workspace->id)) : std::nullopt;
    if (scope && (caller.every_scope || role_in(caller, *scope))) return *scope;
    return refuse({.code = ErrorCode::workspace_not_found,
                   .sentence = "There is no such workspace that you can reach.",
                   .next_step = "See what there is with GET /v1/workspaces (credlease workspaces).",
                   .about = result::PublicText::of(id)});
}

/// Whether one of a list of tags is this one. What is weak never is (RFC 9110 §13.1.1, §8.8.3.2).
bool has_tag(std::string_view list, std::string_view tag) {
    return std::ranges::any_of(list | std::views::split(','), [tag](auto part) {
        std::string_view one(part.begin(), part.end());
        one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
        return one.substr(0, one.find_last_not_of(" \t") + 1) == tag;
    });
}

} // namespace

std::vector<std::string> gate_keys(const Asker& asker, std::vector<std::string> keys) {
    if (!asker.idempotency_key.empty()) {
        keys.push_back("key:" + asker.caller->principal + '\n' + asker.caller->on_behalf_of + '\n' +
                       asker.idempotency_key);
    }
    return keys;
}

std::string gate_key(const vocabulary::CredentialId& id) { return "credential:" + id.text(); }
std::string gate_key(const vocabulary::Scope& scope) { return "scope:" + scope.text(); }

result::Result<> look_again(Unsealed& house, Asker& asker) {
    if (house.is_closing) {
        return refuse({.code = ErrorCode::sealed,
                       .sentence = "The broker is closing: it seals or stops.",
                       .next_step = "Ask again when it is ready."});
    }
    auto caller = house.callers->find_again(*asker.peer, *asker.caller, house.time.now());
    if (!caller) return refuse(std::move(caller.error()));
    asker.caller = std::move(*caller);
    return {};
}

runtime::Task<result::Result<runtime::Gate::Pass>> take_turn(Unsealed& house, Asker& asker,
                                                             std::vector<std::string> keys) {
    auto pass = co_await house.gate.enter(std::move(keys));
    if (auto still = look_again(house, asker); !still) co_return refuse(std::move(still.error()));
    co_return std::move(pass);
}

runtime::Task<result::Result<std::optional<Answer>>> find_outcome(Unsealed& house, Asker& asker) {
    const auto key = house.outcomes.find_key(asker);
    if (!key) co_return std::optional<Answer>();
    auto job = [&] { return Outcomes::read(house.store, *key, asker); };
    auto found = co_await house.parts.bulk.run(std::move(job));
    if (!found) co_return refuse(std::move(found.error()));
    if (auto still = look_again(house, asker); !still) co_return refuse(std::move(still.error()));
    co_return std::optional<Answer>(std::move(*found));
}

result::Result<vocabulary::Scope> read_scope(const Unsealed& house, const access::Caller& caller,
                                             const std::optional<wire::ScopeMessage>& given) {
    if (!given) {
        if (caller.user && !caller.is_operator()) return vocabulary::Scope::of(*caller.user);
        return workspace_scope(house, caller, "default");
    }
    if (given->kind == "organization") return vocabulary::Scope::organization();
    if (given->kind == "personal") return personal_scope(caller, given->user);
    if (given->kind != "workspace") {
        return refuse(invalid("scope.kind", "A scope is personal, workspace or organization."));
    }
    if (!given->workspace) return refuse(invalid("scope.workspace", "Say which workspace."));
    return workspace_scope(house, caller, *given->workspace);
}

result::Result<std::optional<vocabulary::Time>> read_time_or_null(std::string_view member,
                                                                  const boost::json::value& given) {
    if (given.is_null()) return std::optional<vocabulary::Time>();
    const auto* text = given.if_string();
    if (text != nullptr) {
        if (const auto time = vocabulary::read_time(*text)) return std::optional(*time);
    }
    return refuse(invalid(member, "Write a time (RFC 3339) or null."));
}

result::Result<> check_match(std::string_view if_match, std::uint64_t revision) {
    if (if_match.empty() || if_match == "*" || has_tag(if_match, '"' + std::to_string(revision) + '"')) return {};
    return refuse({.code = ErrorCode::version_conflict,
                   .sentence = "The record has changed since you read it.",
                   .next_step = "Read it again and make the change to what it is now.",
                   .current_revision = revision});
}

} // namespace credlease::broker
