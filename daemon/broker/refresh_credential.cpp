#include "broker/credentials.hpp"
#include "broker/find_credential.hpp"
#include "broker/lease_plan.hpp"
#include "broker/refresher.hpp"
#include "broker/views.hpp"

namespace credlease::broker {
namespace {

using result::refuse;

constexpr auto operation = access::Operation::edit;

/// Who asked is in the log, whatever came of it, with the outcome under the Idempotency-Key.
runtime::Task<result::Result<Answer>> note_asked(Unsealed& house, Asker& asker, const std::string& id) {
    auto found = find_viewed(house, *asker.caller, operation, id);
    if (!found) co_return refuse(std::move(found.error()));
    const auto& entry = **found;
    Answer answer{.body_digest = asker.body_digest,
                  .at = house.wall(),
                  .status = 200,
                  .revision = entry.credential.revision,
                  .body = credential_json(house, entry.credential, entry.last_used_at)};
    store::Batch batch;
    house.outcomes.stage(asker, answer, batch);
    auto record = record_of(asker, vocabulary::Action::oauth_refresh_asked);
    concern(record, entry.credential);
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    house.outcomes.apply(asker, answer.at);
    co_return answer;
}

} // namespace

runtime::Task<result::Result<Answer>> refresh_credential(Unsealed& house, Asker asker, std::string id) {
    std::vector<std::string> keys = gate_keys(asker, {});
    auto pass = co_await take_turn(house, asker, std::move(keys));
    if (!pass) co_return refuse(std::move(pass.error()));
    auto before = co_await find_outcome(house, asker);
    if (!before) co_return refuse(std::move(before.error()));
    if (*before) co_return std::move(**before);
    const auto found = find_viewed(house, *asker.caller, operation, id);
    if (!found) co_return refuse(found.error());
    TokenWait wait{.scope = (*found)->credential.scope, .id = (*found)->credential.id, .is_by_person = true};
    auto refreshed = co_await wait_for_token(house, asker, std::move(wait));
    if (!refreshed) co_return refuse(std::move(refreshed.error()));
    co_return co_await note_asked(house, asker, id);
}

} // namespace credlease::broker
