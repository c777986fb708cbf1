#include "access/callers.hpp"

#include "access/make_caller.hpp"
#include "access/rules.hpp"

#include <algorithm>
#include <array>
#include <fnmatch.h>
#include <map>
#include <unordered_map>

namespace credlease::access {
namespace {

using result::ErrorCode;
using result::refuse;
using settings::EngineRule;
using settings::WorkerRule;
using vocabulary::UserId;

constexpr std::size_t actors_kept = 10'000; ///< then they are made anew

result::Failure unauthenticated(result::StaticText sentence, result::StaticText next_step) {
    return refuse({.code = ErrorCode::unauthenticated, .sentence = sentence, .next_step = next_step});
}

result::Failure bad_grant(result::StaticText sentence) {
    return unauthenticated(sentence, "Ask whoever minted it for a new grant.");
}

/// "user:alice" or "user:flows/alice": a user of the engine's directory.
result::Result<UserId> read_actor(const EngineRule& engine, std::string_view text) {
    constexpr std::string_view prefix = "user:";
    const bool whole = text.find('/') != std::string_view::npos;
    const std::string name(text.starts_with(prefix) ? text.substr(prefix.size()) : "");
    auto user = UserId::read(whole ? std::string(text) : "user:" + engine.directory.text() + '/' + name);
    if (!user) {
        return refuse(
            result::invalid("Credlease-Actor", "This is not a user. Write user:NAME, or user:DIRECTORY/NAME."));
    }
    if (user->directory != engine.directory) {
        return refuse({.code = ErrorCode::forbidden,
                       .sentence = "An engine acts for users of its own directory.",
                       .next_step = "Name a user of this engine, or set `directory` in its [[engine]] entry."});
    }
    return user;
}

/// What the process runs now: looked at when a rule asks, and once for all rules of one call.
class Running {
  public:
    explicit Running(const attestation::Peer& peer) : peer_(peer) {}
    bool is(const std::string& path) {
        if (!looked_) now_ = attestation::executable_of(peer_);
        looked_ = true;
        return now_ && attestation::executable_at(path) == now_;
    }

  private:
    const attestation::Peer& peer_;
    std::optional<attestation::Executable> now_;
    bool looked_ = false;
};

bool is_engine(const EngineRule& rule, const attestation::Peer& peer) {
    return rule.uid == peer.uid && (rule.unit.empty() || matches_unit(rule.unit, peer.unit));
}

CallerRef find_in(const std::map<std::uint32_t, CallerRef>& callers, std::uint32_t uid) {
    const auto found = callers.find(uid);
    return found == callers.end() ? nullptr : found->second;
}

} // namespace

bool matches_unit(std::string_view pattern, std::string_view unit) {
    constexpr std::size_t most = 255; // systemd's UNIT_NAME_MAX
    if (unit.empty() || pattern.size() > most || unit.size() > most) return false;
    std::array<char, most + 1> pattern_text{};
    std::array<char, most + 1> unit_text{};
    pattern.copy(pattern_text.data(), most);
    unit.copy(unit_text.data(), most);
    // Unit names hold backslashes (systemd-escape(1)): here they mean themselves.
    return ::fnmatch(pattern_text.data(), unit_text.data(), FNM_NOESCAPE) == 0;
}

struct Callers::State {
    Rules rules;
    const Directory& directory;
    const Grants& grants;
    HashOf hash_of;

    std::uint64_t epoch = 0;        ///< of the directory under which the callers below were made
    std::vector<CallerRef> workers; ///< as the rules
    std::vector<CallerRef> engines; ///< as the rules; without an actor
    std::vector<std::map<std::string, CallerRef, std::less<>>> actors; ///< an engine's, by what it sends
    std::size_t actors_made = 0;
    std::map<std::uint32_t, CallerRef> operators, users;
    std::unordered_map<vocabulary::GrantId, CallerRef> grantees; ///< null: the minter has lost the right

    State(std::shared_ptr<const settings::Settings> settings, const Directory& directory_, const Grants& grants_)
        : rules(std::move(settings)), directory(directory_), grants(grants_) {
        make_all();
    }

    void make_all();
    void forget_actors();
    /// … but for its executable's hash.
    [[nodiscard]] static bool matches(const WorkerRule& rule, const attestation::Peer& peer, Running& running);
    [[nodiscard]] bool has_hash(const WorkerRule& rule, const attestation::Peer& peer) const;
    [[nodiscard]] result::Result<CallerRef> find_worker(const attestation::Peer& peer) const;
    [[nodiscard]] result::Result<CallerRef> find_grantee(const attestation::Peer& peer, std::string_view token,
                                                         vocabulary::Time now);
    [[nodiscard]] result::Result<CallerRef> find_grantee(const attestation::Peer& peer, const vocabulary::Grant* grant,
                                                         vocabulary::Time now);
    [[nodiscard]] const CallerRef& grantee_of(const vocabulary::Grant& grant);
    [[nodiscard]] std::optional<std::size_t> find_engine(const attestation::Peer& peer) const;
    [[nodiscard]] result::Result<CallerRef> find_actor(std::size_t engine, std::string_view actor);
    [[nodiscard]] CallerRef find_former_engine(const Former& former);
    [[nodiscard]] result::Result<CallerRef> find_admin(const attestation::Peer& peer, std::string_view actor);
};

void Callers::State::make_all() {
    epoch = directory.epoch();
    workers.clear();
    engines.clear();
    operators.clear();
    users.clear();
    grantees.clear();
    for (const auto& rule : rules.settings->workers) workers.push_back(make_worker(rule));
    for (const auto& rule : rules.settings->engines) engines.push_back(make_engine(rule, directory));
    for (const auto& [uid, principal] : rules.operators) {
        operators[uid] = make_operator(principal, rules.user_of(uid), directory);
    }
    for (const auto& [uid, user] : rules.settings->access.users) users[uid] = make_user(user, directory);
    forget_actors();
}

void Callers::State::forget_actors() {
    actors.assign(engines.size(), {});
    actors_made = 0;
}

bool Callers::State::matches(const WorkerRule& rule, const attestation::Peer& peer, Running& running) {
    if (rule.uid != peer.uid) return false;
    if (!rule.unit.empty() && !matches_unit(rule.unit, peer.unit)) return false;
    return rule.exe.empty() || running.is(rule.exe);
}

bool Callers::State::has_hash(const WorkerRule& rule, const attestation::Peer& peer) const {
    return !rule.exe_sha256 || (hash_of && hash_of(peer) == rule.exe_sha256);
}

result::Result<CallerRef> Callers::State::find_worker(const attestation::Peer& peer) const {
    Running running(peer);
    for (std::size_t i = 0; i < workers.size(); ++i) {
        const WorkerRule& rule = rules.settings->workers[i];
        if (matches(rule, peer, running) && has_hash(rule, peer)) return workers[i];
    }
    return unauthenticated("No grant was sent, and no [[worker]] entry of the config matches this process.",
                           "Send a grant (CREDLEASE_GRANT_FILE), or add a [[worker]] entry for this user.");
}

const CallerRef& Callers::State::grantee_of(const vocabulary::Grant& grant) {
    const auto found = grantees.find(grant.id);
    if (found != grantees.end()) return found->second;
    if (grantees.size() > 2 * grants.size() + 64) {
        std::erase_if(grantees, [&](const auto& made) { return grants.find(made.first) == nullptr; });
    }
    const bool granted = is_still_granted(grant, rules, directory);
    return grantees[grant.id] = granted ? make_grantee(grant) : nullptr;
}

result::Result<CallerRef> Callers::State::find_grantee(const attestation::Peer& peer, std::string_view token,
                                                       vocabulary::Time now) {
    const auto* grant = grants.find_by_token(token);
    return find_grantee(peer, grant, now);
}

result::Result<CallerRef> Callers::State::find_grantee(const attestation::Peer& peer, const vocabulary::Grant* grant,
                                                       vocabulary::Time now) {
    if (grant == nullptr) return bad_grant("The grant is unknown: it was withdrawn or has ended, or is not whole.");
    if (grant->expires_at <= now) return bad_grant("The grant has expired.");
    if (grant->uid && *grant->uid != peer.uid) return bad_grant("The grant is for a process of another user.");
    const CallerRef& grantee = grantee_of(*grant);
    if (!grantee) return bad_grant("Whoever minted the grant has lost the right that it passes on.");
    return grantee;
}

std::optional<std::size_t> Callers::State::find_engine(const attestation::Peer& peer) const {
    for (std::size_t i = 0; i < engines.size(); ++i) {
        if (is_engine(rules.settings->engines[i], peer)) return i;
    }
    return std::nullopt;
}

result::Result<CallerRef> Callers::State::find_actor(std::size_t engine, std::string_view actor) {
    const auto known = actors[engine].find(actor);
    if (known != actors[engine].end()) return known->second;
    const EngineRule& rule = rules.settings->engines[engine];
    auto user = read_actor(rule, actor);
    if (!user) return refuse(std::move(user.error()));
    if (actors_made++ >= actors_kept) forget_actors();
    return actors[engine][std::string(actor)] = make_actor(rule, *user, directory);
}

result::Result<CallerRef> Callers::State::find_admin(const attestation::Peer& peer, std::string_view actor) {
    const auto engine = find_engine(peer);
    if (engine && !actor.empty()) return find_actor(*engine, actor);
    if (auto caller = find_in(operators, peer.uid)) return caller;
    if (auto caller = find_in(users, peer.uid)) return caller;
    if (engine) return engines[*engine];
    return unauthenticated("This account is neither an operator, an engine nor a mapped user of the broker.",
                           "Add it to [access] operators or users, or as an [[engine]].");
}

CallerRef Callers::State::find_former_engine(const Former& former) {
    for (std::size_t i = 0; i < engines.size(); ++i) {
        const EngineRule& rule = rules.settings->engines[i];
        if (rule.uid != former.uid || principal_of(rule) != former.principal) continue;
        if (former.on_behalf_of.empty()) return engines[i];
        auto actor = find_actor(i, former.on_behalf_of);
        return actor ? *actor : nullptr;
    }
    return nullptr;
}

Callers::Callers(std::shared_ptr<const settings::Settings> settings, const Directory& directory, const Grants& grants)
    : state_(std::make_unique<State>(std::move(settings), directory, grants)) {}
Callers::~Callers() = default;

result::Result<CallerRef> Callers::find(const attestation::Peer& peer, const Claims& claims, vocabulary::Time now) {
    if (state_->epoch != state_->directory.epoch()) state_->make_all();
    if (!claims.on_lease_socket && !claims.grant.empty()) {
        return unauthenticated("Grants are taken on lease.sock alone.", "Send the grant there, or none here.");
    }
    auto caller = !claims.on_lease_socket ? state_->find_admin(peer, claims.actor)
                  : claims.grant.empty()  ? state_->find_worker(peer)
                                          : state_->find_grantee(peer, claims.grant, now);
    const bool acts = caller && (*caller)->kind == CallerKind::engine;
    if (caller && !claims.actor.empty() && !acts) {
        return refuse({.code = ErrorCode::forbidden,
                       .sentence = "Only an engine, on admin.sock, acts for a user.",
                       .next_step = "Leave Credlease-Actor out."});
    }
    return caller;
}

result::Result<CallerRef> Callers::find_again(const attestation::Peer& peer, const Caller& before,
                                              vocabulary::Time now) {
    if (state_->epoch != state_->directory.epoch()) state_->make_all();
    auto caller = before.kind == CallerKind::grant
                      ? state_->find_grantee(peer, state_->grants.find(before.grant->id), now)
                  : before.kind == CallerKind::worker ? state_->find_worker(peer)
                                                      : state_->find_admin(peer, before.on_behalf_of);
    if (!caller) return caller;
    if ((*caller)->principal == before.principal && (*caller)->on_behalf_of == before.on_behalf_of) return caller;
    return unauthenticated("Who you are to the broker has changed while the request waited.", "Ask again.");
}

CallerRef Callers::find_former(const Former& former) {
    if (state_->epoch != state_->directory.epoch()) state_->make_all();
    if (former.grant != vocabulary::GrantId{}) {
        const auto* grant = state_->grants.find(former.grant);
        return grant != nullptr ? state_->grantee_of(*grant) : nullptr;
    }
    for (std::size_t i = 0; i < state_->workers.size(); ++i) {
        const bool same_uid = state_->rules.settings->workers[i].uid == former.uid;
        if (same_uid && state_->workers[i]->principal == former.principal) return state_->workers[i];
    }
    for (const auto* accounts : {&state_->operators, &state_->users}) {
        const auto account = find_in(*accounts, former.uid);
        if (account && account->principal == former.principal) return account;
    }
    return state_->find_former_engine(former);
}

bool Callers::is_granted(const vocabulary::Grant& grant) const {
    return is_still_granted(grant, state_->rules, state_->directory);
}

void Callers::set_hash_of(HashOf hash_of) { state_->hash_of = std::move(hash_of); }

bool Callers::needs_hash(const attestation::Peer& peer) const {
    Running running(peer);
    return std::ranges::any_of(state_->rules.settings->workers, [&](const WorkerRule& rule) {
        return rule.exe_sha256 && State::matches(rule, peer, running) && state_->hash_of && !state_->hash_of(peer);
    });
}

std::vector<std::string> Callers::reload(std::shared_ptr<const settings::Settings> settings) {
    Rules rules(std::move(settings));
    auto narrowed = narrowed_principals(state_->rules, rules);
    state_->rules = std::move(rules);
    state_->make_all();
    return narrowed;
}

} // namespace credlease::access
