#include "broker/credentials.hpp"
#include "broker/events.hpp"
#include "broker/expiry.hpp"
#include "broker/find_credential.hpp"
#include "broker/views.hpp"

#include <array>

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

/// No service of the catalog says where its secrets are revoked.
result::Result<> check_upstream(const wire::RevokeCredential& asked) {
    if (!asked.upstream.value_or(false)) return {};
    auto error = result::invalid("upstream", "The credential's service has no endpoint that revokes a secret.");
    error.next_step = "Leave `upstream` out, and change the secret at the service itself.";
    return refuse(std::move(error));
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
    house.outcomes.stage(asker, answer, staged.batch);
    if (staged.batch.empty()) co_return answer;
    auto record = record_of(asker, staged.action);
    concern(record, after);
    record.fingerprint = entry.fingerprint;
    const std::array changes = {
        vocabulary::ChangeView{.member = "status",
                               .before = name_of(vault::effective_status(entry.credential, staged.now)),
                               .after = name_of(vault::effective_status(after, staged.now))}};
    if (staged.change) record.changes = changes;
    auto committed = co_await house.journal->commit(record, std::move(staged.batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    house.outcomes.apply(asker, staged.now);
    if (!staged.change) co_return answer;
    house.vault->apply(std::move(*staged.change));
    house.events->credential_status_changed(entry.credential);
    co_return answer;
}

} // namespace

runtime::Task<result::Result<Answer>> revoke_credential(Unsealed& house, Asker asker, std::string id,
                                                        std::string if_match, wire::RevokeCredential asked) {
    auto turn = co_await take_turn_for(house, asker, id, if_match);
    if (!turn) co_return refuse(std::move(turn.error()));
    if (turn->before) co_return std::move(*turn->before);
    if (auto can = check_upstream(asked); !can) co_return refuse(std::move(can.error()));
    const auto& entry = *turn->entry;
    const auto& caller = *asker.caller;
    Staged staged{.action = Action::credential_revoked, .now = house.wall(), .change = {}, .batch = {}};
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
    co_return std::move(*answer);
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
