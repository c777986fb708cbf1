#include "broker/clock_warnings.hpp"
#include "broker/credentials.hpp"
#include "broker/events.hpp"
#include "broker/expiry.hpp"
#include "broker/find_credential.hpp"
#include "broker/refresher.hpp"
#include "broker/revoke_upstream.hpp"
#include "broker/status_change.hpp"
#include "broker/views.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

using result::refuse;
using vocabulary::Action;
using vocabulary::CredentialStatus;

constexpr std::string_view still_valid =
    "A secret that was already handed out stays valid at its service until it is changed there.";

/// What is revoked or restored, in this request's turn; `before`: it was answered under its Idempotency-Key.
struct Turn {
    runtime::Gate::Pass pass;
    std::optional<Answer> before;
    const vault::Entry* entry = nullptr;
};

/// A change of status that waits to be made. Without `change` it is as it was asked for already.
struct Staged {
    Action action;
    vocabulary::Time now;
    std::optional<vault::Change> change;
    store::Batch batch;
    bool is_whole = true; ///< false: the answer is not the outcome yet
};

/// By its name it may be another credential after the wait: then that one is guarded.
runtime::Task<result::Result<Turn>> take_turn_for(Unsealed& house, Asker& asker, const std::string& id,
                                                  const std::string& if_match) {
    constexpr auto operation = access::Operation::edit;
    for (;;) {
        auto found = find_viewed(house, *asker.caller, operation, id);
        std::vector<std::string> keys;
        const auto guarded = found ? (*found)->credential.id : vocabulary::CredentialId();
        if (found) keys.push_back(gate_key(guarded));
        keys = gate_keys(asker, std::move(keys));
        auto pass = co_await take_turn(house, asker, std::move(keys));
        if (!pass) co_return refuse(std::move(pass.error()));
        auto before = co_await find_outcome(house, asker);
        if (!before) co_return refuse(std::move(before.error()));
        Turn turn{.pass = std::move(*pass), .before = std::move(*before)};
        if (turn.before) co_return turn;
        found = find_viewed(house, *asker.caller, operation, id);
        if (!found) co_return refuse(std::move(found.error()));
        turn.entry = *found;
        if (turn.entry->credential.id != guarded) continue;
        if (auto match = check_match(if_match, turn.entry->credential.revision); !match)
            co_return refuse(std::move(match.error()));
        co_return turn;
    }
}

void write_upstream(wire::JsonWriter& writer, const std::vector<RevokedToken>& tokens) {
    writer.key("upstream").array();
    for (const auto& token : tokens) {
        writer.object().member("slot", token.slot);
        writer.member("token", token.is_refresh_token ? "refresh_token" : "access_token");
        writer.member("ok", token.failure.empty()).member_or_null("detail", token.failure).close();
    }
    writer.close();
}

/// Durable, then known. Of what is so already the answer alone is kept, for whoever sends its Idempotency-Key again.
runtime::Task<result::Result<Answer>> make(Unsealed& house, const Asker& asker, const vault::Entry& entry,
                                           Staged staged, Members more) {
    const auto& after = staged.change ? staged.change->after() : entry.credential;
    Answer answer{.body_digest = asker.body_digest,
                  .at = staged.now,
                  .status = 200,
                  .revision = after.revision,
                  .body = credential_json(house, after, entry.last_used_at, more)};
    if (staged.is_whole) house.outcomes.stage(asker, answer, staged.batch);
    if (staged.batch.empty()) co_return answer;
    auto record = record_of(asker, staged.action);
    concern(record, after);
    record.fingerprint = entry.fingerprint;
    const StatusChange status(entry.credential, after, staged.now);
    record.changes = status.views();
    auto committed = co_await house.journal->commit(record, std::move(staged.batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    if (staged.is_whole) house.outcomes.apply(asker, staged.now);
    if (!staged.change) co_return answer;
    house.vault->apply(std::move(*staged.change));
    house.events->credential_status_changed(entry.credential);
    house.clock_warnings->look_soon();
    house.refresher->plan(entry);
    co_return answer;
}

/// A refresh under way brings tokens that are to be revoked, too: it is waited for, in nobody's turn. nullptr: the
/// credential was deleted meanwhile.
runtime::Task<const vault::Entry*> await_refresh(Unsealed& house, const Asker& asker, Refreshed what,
                                                 runtime::Gate::Pass& pass) {
    pass.leave();
    co_await house.refresher->settle(what.id, house.parts.clock.boot() + house.settings().outbound.timeout);
    std::vector<std::string> keys = gate_keys(asker, {gate_key(what.id)});
    pass = co_await house.gate.enter(std::move(keys));
    co_return find_refreshed(house, what);
}

/// What was restored or authorized anew while nobody's turn was held is in use: its tokens are not those that were to
/// go.
result::Result<> check_still_revoked(const vocabulary::Credential& now, std::uint32_t version) {
    if (now.status == CredentialStatus::revoked && now.version == version) return {};
    return refuse({.code = result::ErrorCode::version_conflict,
                   .sentence =
                       "The credential was revoked, and restored or authorized anew before its provider was asked: "
                       "nothing was revoked there.",
                   .next_step = "Look at what it is now (credlease show), and revoke it again where that is meant.",
                   .current_revision = now.revision});
}

/// Asks the provider, and keeps what it said as the outcome. The credential is revoked here whatever that is; where a
/// token is dead there, a restore gives back a grant that has ended.
runtime::Task<result::Result<Answer>> go_upstream(Unsealed& house, const Asker& asker, const vault::Entry& entry) {
    auto tokens = co_await revoke_upstream(house, entry);
    if (!tokens) co_return refuse(std::move(tokens.error()));
    Members more = [&tokens](wire::JsonWriter& writer) { write_upstream(writer, *tokens); };
    const auto now = house.wall();
    store::Batch batch;
    std::optional<vault::Change> change;
    const bool is_dead = std::ranges::any_of(*tokens, [](const auto& token) { return token.failure.empty(); });
    if (is_dead) change = house.vault->stage_dead_grant(entry, "its tokens were revoked at the provider", now, batch);
    const auto& after = change ? change->after() : entry.credential;
    Answer answer{.body_digest = asker.body_digest,
                  .at = now,
                  .status = 200,
                  .revision = after.revision,
                  .body = credential_json(house, after, entry.last_used_at, more)};
    house.outcomes.stage(asker, answer, batch);
    auto record = record_of(asker, Action::oauth_revoked);
    concern(record, after);
    const auto failed = std::ranges::count_if(*tokens, [](const auto& token) { return !token.failure.empty(); });
    const auto detail = std::to_string(tokens->size() - static_cast<std::size_t>(failed)) + " of " +
                        std::to_string(tokens->size()) + " tokens";
    record.ok = failed == 0;
    record.detail = detail;
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    house.outcomes.apply(asker, answer.at);
    if (change) house.vault->apply(std::move(*change));
    co_return answer;
}

} // namespace

runtime::Task<result::Result<Answer>> revoke_credential(Unsealed& house, Asker asker, std::string id,
                                                        std::string if_match, wire::RevokeCredential asked) {
    auto turn = co_await take_turn_for(house, asker, id, if_match);
    if (!turn) co_return refuse(std::move(turn.error()));
    if (turn->before) co_return std::move(*turn->before);
    const auto& entry = *turn->entry;
    const bool upstream = asked.upstream.value_or(false);
    if (upstream) {
        if (auto can = check_upstream(house, entry); !can) co_return refuse(std::move(can.error()));
    }
    const auto& caller = *asker.caller;
    Staged staged{.action = Action::credential_revoked, .now = house.wall(), .change = {}, .batch = {}};
    staged.is_whole = !upstream;
    if (entry.credential.status != CredentialStatus::revoked) {
        const auto why = "revoked by " + (caller.on_behalf_of.empty() ? caller.principal : caller.on_behalf_of);
        staged.change = house.vault->stage_revoke(entry, why, staged.now, staged.batch);
    }
    Members note = [](wire::JsonWriter& writer) { writer.member("note", still_valid); };
    auto answer = co_await make(house, asker, entry, std::move(staged), std::move(note));
    if (!answer) co_return refuse(std::move(answer.error()));
    // The records of these ends go before a restore's: no crash brings back what ended here.
    end_leases(house, {.credential = entry.credential.id}, vocabulary::EndReason::credential_revoked);
    house.parts.anchor(house.journal->head_text());
    if (!upstream) co_return std::move(*answer);
    const auto version = entry.credential.version;
    Refreshed what{.scope = entry.credential.scope, .id = entry.credential.id};
    const auto* settled = co_await await_refresh(house, asker, std::move(what), turn->pass);
    if (settled == nullptr) co_return access::credential_not_found();
    if (auto still = check_still_revoked(settled->credential, version); !still)
        co_return refuse(std::move(still.error()));
    co_return co_await go_upstream(house, asker, *settled);
}

runtime::Task<result::Result<Answer>> restore_credential(Unsealed& house, Asker asker, std::string id,
                                                         std::string if_match) {
    auto turn = co_await take_turn_for(house, asker, id, if_match);
    if (!turn) co_return refuse(std::move(turn.error()));
    if (turn->before) co_return std::move(*turn->before);
    const auto& entry = *turn->entry;
    Staged staged{.action = Action::credential_restored, .now = house.wall(), .change = {}, .batch = {}};
    if (entry.credential.status == CredentialStatus::revoked) {
        staged.change = house.vault->stage_restore(entry, staged.now, staged.batch);
    }
    Members nothing;
    co_return co_await make(house, asker, entry, std::move(staged), std::move(nothing));
}

} // namespace credlease::broker
