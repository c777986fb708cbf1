#include "broker/get_tokens.hpp"

#include "broker/asker.hpp"
#include "broker/change.hpp"
#include "broker/expiry.hpp"
#include "broker/find_endpoints.hpp"
#include "broker/keep_tokens.hpp"
#include "broker/note_failure.hpp"
#include "broker/refresher.hpp"
#include "broker/token_exchange.hpp"
#include "runtime/crash_point.hpp"

#include <algorithm>
#include <memory>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;
using vocabulary::Action;
using vocabulary::CredentialStatus;

constexpr std::string_view lost_grant =
    "a refresh was asked for, its answer was lost, and the provider takes the old refresh token no more";
constexpr std::string_view answers_lost = "answers_lost"; ///< the last failure, of whose kind nothing is tried any more
constexpr std::string_view lost_twice =
    "a refresh was asked for, its answer was lost, and so was the answer to another try: authorize the credential anew";

/// A request on its way. It lies in one place from its plan to its end, outside the tasks that it goes through.
struct Request {
    Refreshed what;
    vault::Generation of{};
    TokenClient client;
    bool is_anew = false;              ///< it makes a grant of its own
    std::optional<std::size_t> slot{}; ///< whose refresh token it spends
    oauth::Prepared prepared{};
    std::optional<runtime::BootTime> in_doubt_since{}; ///< the latest of earlier tries whose outcome nobody knows
    bool is_last_try = false;                          ///< of those
    audit::Sync sync = audit::Sync::at_once;           ///< of what became of it
};
using RequestRef = std::unique_ptr<Request>;

/// Of the slot whose refresh token it spends.
const std::string& slot_name(const Request& request) { return request.client.rules().slots[*request.slot].name; }

vocabulary::AuditRecord record_of(const vocabulary::Credential& credential, Action action) {
    vocabulary::AuditRecord record;
    record.action = action;
    record.principal = vocabulary::by_itself;
    concern(record, credential);
    return record;
}

runtime::Task<runtime::Gate::Pass> enter(Unsealed& house, const Refreshed& what) {
    std::vector<std::string> keys{gate_key(what.id)};
    co_return co_await house.gate.enter(std::move(keys));
}

result::Failure closing() {
    return refuse({.code = ErrorCode::sealed,
                   .sentence = "The broker is closing: it seals or stops.",
                   .next_step = "Ask again when it is ready."});
}

result::Failure not_refreshable() {
    return refuse({.code = ErrorCode::credential_pending,
                   .sentence = "The credential has no tokens that could be refreshed.",
                   .next_step = "Authorize it anew (credlease reauthorize)."});
}

result::Failure revoked() {
    return refuse({.code = ErrorCode::credential_revoked,
                   .sentence = "credential revoked",
                   .next_step = "Ask its owner to restore it or to give you another."});
}

result::Failure dead_grant() {
    return refuse({.code = ErrorCode::credential_expired,
                   .sentence = "The provider says that the grant has ended.",
                   .next_step = "Authorize the credential anew (credlease reauthorize)."});
}

result::Failure in_doubt() {
    return refuse({.code = ErrorCode::upstream_failed,
                   .sentence = "It is not known whether the last refresh was made, and to try it again could end the "
                               "access token that is live.",
                   .next_step = "It is tried again when that token has ended; or authorize the credential anew "
                                "(credlease reauthorize)."});
}

result::Failure tried_in_vain() {
    return refuse({.code = ErrorCode::upstream_failed,
                   .sentence = "It is not known whether the last refresh was made: its answer was lost, and so was the "
                               "answer to another try.",
                   .next_step = "Authorize the credential anew (credlease reauthorize)."});
}

result::Failure no_room() {
    return refuse({.code = ErrorCode::overloaded,
                   .sentence = "The memory for token requests is full.",
                   .next_step = "Ask again in a moment.",
                   .retry_after_seconds = 1});
}

result::Failure failed_upstream(const oauth::Refusal& refusal) {
    auto words = words_of(refusal);
    if (words.ends_with('.')) words.pop_back();
    result::Error error{.code = ErrorCode::upstream_failed,
                        .sentence = "The provider gave no token.",
                        .next_step = "It is asked for again by itself; credlease show has how it stands.",
                        .about = result::PublicText::of(words)};
    const bool is_answered = refusal.status != 0; // else it may not even have been asked: the words say so
    if (!is_answered) error.sentence = "No new token came.";
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(refusal.retry_after).count();
    if (seconds > 0) error.retry_after_seconds = static_cast<std::uint32_t>(std::min<std::int64_t>(seconds, 86'400));
    return refuse(std::move(error));
}

result::Result<oauth::Prepared> prepare(const Unsealed& house, const Request& request) {
    const auto client = request.client.client(house.parts.arena);
    switch (request.client.terms().flow) {
    case catalog::Flow::client_credentials:
        return oauth::client_credentials_request(client);
    case catalog::Flow::jwt_bearer:
        return oauth::jwt_bearer_request(client, house.wall());
    default:
        break;
    }
    const auto& name = slot_name(request);
    return oauth::refresh_request(client, *request.client.refresh_token(name));
}

/// nullopt: there is none, or it cannot be told.
std::optional<oauth::InDoubt> doubt_about(const Unsealed& house, const vault::Entry& entry) {
    const auto* intent = house.vault->find_intent(entry.credential.id);
    if (intent == nullptr || !entry.tokens) return std::nullopt;
    const auto client = TokenClient::open(house, entry);
    if (!client) return std::nullopt;
    oauth::Clocks clocks;
    for (const auto& token : entry.tokens->state.tokens) {
        if (token.slot == intent->slot) clocks = clocks_of(*client, entry.tokens->state, token);
    }
    return oauth::in_doubt_action(client->terms().refresh_class, clocks, client->rules().clocks.grace,
                                  intent->started_at, house.wall());
}

/// What is to be asked for, by what the credential is now.
result::Result<RequestRef> plan(const Unsealed& house, const Refreshed& what, const oauth::Discovered& found) {
    const auto* entry = find_refreshed(house, what);
    if (entry == nullptr) return access::credential_not_found();
    if (house.is_closing) return closing();
    const auto& credential = entry->credential;
    if (credential.status == CredentialStatus::revoked) return revoked();
    const bool is_anew = asks_anew(house, *entry);
    auto client = is_anew ? TokenClient::open_anew(house, *entry, found) : TokenClient::open(house, *entry, found);
    if (!client) return refuse(std::move(client.error()));
    auto made = std::make_unique<Request>(what, vault::generation_of(credential), std::move(*client), is_anew);
    Request& request = *made;
    if (!is_automatic(request.client.terms().flow)) {
        if (!entry->tokens) return not_refreshable();
        if (credential.status == CredentialStatus::expired) return dead_grant();
        request.slot = slot_to_refresh(request.client, entry->tokens->state);
        const bool has_token = request.slot && request.client.refresh_token(slot_name(request)) != nullptr;
        if (!has_token) return not_refreshable();
    }
    if (const auto* intent = house.vault->find_intent(what.id)) {
        if (was_tried_in_vain(*entry)) return tried_in_vain();
        const auto doubt = doubt_about(house, *entry);
        if (doubt && doubt->try_at && *doubt->try_at > house.wall()) return in_doubt();
        request.in_doubt_since = house.parts.clock.boot() - (house.wall() - intent->started_at);
        request.is_last_try = doubt && doubt->once;
    }
    auto prepared = prepare(house, request);
    if (!prepared) return refuse(std::move(prepared.error()));
    if (prepared->request.may_be_repeated) request.sync = audit::Sync::shared; // nothing is spent
    request.prepared = std::move(*prepared);
    return made;
}

/// The intent is durable when it returns.
runtime::Task<result::Result<RequestRef>> begin(Unsealed& house, const Refreshed& what) {
    const auto* known = find_refreshed(house, what);
    auto found = result::Result<oauth::Discovered>();
    if (known != nullptr && asks_anew(house, *known)) { // else the grant keeps where it was made
        found = co_await find_endpoints(house, what.scope, what.id);
    }
    auto pass = co_await enter(house, what);
    auto request = found ? plan(house, what, *found) : result::Result<RequestRef>(refuse(std::move(found.error())));
    if (!request) {
        co_await note_unasked(house, what, request.error());
        co_return refuse(std::move(request.error()));
    }
    if (!(*request)->slot) co_return std::move(*request); // nothing is spent
    const auto& entry = *find_refreshed(house, what);
    runtime::crash_point("before intent");
    store::Batch batch;
    auto change = house.vault->stage_intent(entry, slot_name(**request), house.wall(), batch);
    auto record = record_of(entry.credential, Action::oauth_refreshing);
    runtime::crash_point("intent staged");
    auto committed = co_await house.journal->commit(record, std::move(batch), audit::Sync::shared);
    if (!committed) co_return refuse(std::move(committed.error()));
    runtime::crash_point("intent durable");
    house.vault->apply(std::move(change));
    co_return std::move(*request);
}

bool may_be_spent(const Request& request, const Exchanged& made, const oauth::Refusal& refusal) {
    return request.slot && made.was_sent && refusal.may_be_done;
}

/// The last try had no answer either. A server that says that it is in trouble gave one, and is asked again later.
bool is_in_vain(const Request& request, const Exchanged& made, const oauth::Refusal& refusal) {
    const bool is_in_trouble = refusal.status >= 500 || refusal.status == 408;
    return request.is_last_try && may_be_spent(request, made, refusal) && !is_in_trouble;
}

std::string_view what_failed(const Request& request, bool by_its_client) {
    if (!by_its_client) return request.is_anew ? "no token came: " : "the last refresh failed: ";
    return request.is_anew ? "the provider refuses the OAuth client (its id or secret may be wrong): "
                           : "the provider refuses the OAuth client (its secret may have ended): ";
}

/// By both clocks.
struct Now {
    vocabulary::Time wall;
    runtime::BootTime boot;
};

/// What a refusal changes; pure.
vault::StateChange change_for(const Request& request, const vocabulary::OAuthState& state, const Exchanged& made,
                              const oauth::Refusal& refusal, Now at) {
    const auto now = at.wall;
    vault::StateChange change;
    change.failures = state.failures + 1;
    change.last_failure = refusal.code.empty() ? "upstream_failed" : refusal.code.text();
    const auto words = words_of(refusal);
    if (refusal.meaning == catalog::Meaning::definitive) {
        change.status = CredentialStatus::expired;
        change.status_reason = request.in_doubt_since ? std::string(lost_grant) : "refused by the provider: " + words;
        change.refresh_at = std::optional<vocabulary::Time>();
        change.ends_intent = true;
        return change;
    }
    change.status = CredentialStatus::failing;
    const bool is_clients = refusal.meaning == catalog::Meaning::client;
    change.status_reason = std::string(what_failed(request, is_clients)) + words;
    oauth::Clocks clocks;
    for (const auto& token : state.tokens) {
        const bool is_asked = !request.slot || slot_name(request) == token.slot;
        if (is_asked) clocks = clocks_of(request.client, state, token);
    }
    const auto again = oauth::retry_at(clocks, refusal, *change.failures, now, request.what.seed);
    const bool is_spent = may_be_spent(request, made, refusal);
    if (!is_spent && !request.in_doubt_since) {
        change.ends_intent = true;
        change.refresh_at = again;
        return change;
    }
    if (is_in_vain(request, made, refusal)) {
        change.status_reason = lost_twice;
        change.last_failure = answers_lost;
        change.refresh_at = std::optional<vocabulary::Time>();
        return change;
    }
    const auto since = is_spent ? made.sent_at : now - (at.boot - *request.in_doubt_since);
    const auto doubt = oauth::in_doubt_action(request.client.terms().refresh_class, clocks,
                                              request.client.rules().clocks.grace, since, now);
    change.refresh_at = oauth::retry_in_doubt(doubt, again, now);
    return change;
}

/// Of the current generation alone (guarantee 17).
runtime::Task<result::Result<>> note_refusal(Unsealed& house, const Request& request, const Exchanged& made,
                                             const oauth::Refusal& refusal) {
    auto pass = co_await enter(house, request.what);
    const auto* entry = find_refreshed(house, request.what);
    if (entry == nullptr || vault::generation_of(entry->credential) != request.of) co_return result::Result<>();
    const bool is_dead = entry->tokens && refusal.meaning == catalog::Meaning::definitive;
    const auto answer = is_dead ? dead_grant() : failed_upstream(refusal);
    const auto state = entry->tokens ? entry->tokens->state : vocabulary::OAuthState();
    const Now now{.wall = house.wall(), .boot = house.parts.clock.boot()};
    TokenFailure failure{.of = request.of, .change = change_for(request, state, made, refusal, now)};
    if (!failure.change.ends_intent && request.slot) failure.action = Action::oauth_in_doubt;
    failure.code = is_dead ? ErrorCode::credential_expired : ErrorCode::upstream_failed;
    failure.detail = words_of(refusal);
    failure.sync = request.sync;
    auto noted = co_await note_failure(house, request.what, *entry, std::move(failure));
    if (!noted) co_return noted;
    if (is_dead) end_leases(house, {.credential = request.what.id}, vocabulary::EndReason::expired);
    co_return answer;
}

/// Nothing was sent, and all is as it was before; what was in doubt then still is.
runtime::Task<result::Result<>> take_back(Unsealed& house, const Request& request) {
    auto pass = co_await enter(house, request.what);
    const auto* entry = find_refreshed(house, request.what);
    const bool is_current = entry != nullptr && vault::generation_of(entry->credential) == request.of;
    if (!is_current || !request.slot || request.in_doubt_since) co_return no_room();
    store::Batch batch;
    auto change = house.vault->stage_clear_intent(*entry, batch);
    auto record = record_of(entry->credential, Action::oauth_refresh_failed);
    record.ok = false;
    record.code = result::name_of(ErrorCode::overloaded);
    record.detail = "it was not sent: there was no room for it";
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    house.vault->apply(std::move(change));
    co_return no_room();
}

bool kills_access_token(const TokenClient& client) {
    return client.terms().refresh_class == catalog::RefreshClass::kills_access_token;
}

/// Once its tokens are durable; of what was dropped, nothing.
void note_times(Unsealed& house, const Request& request, const Exchanged& made) {
    const auto* entry = find_refreshed(house, request.what);
    const vault::Generation next{.version = request.of.version, .number = request.of.number + 1};
    if (entry == nullptr || vault::generation_of(entry->credential) != next) return;
    const auto now = house.parts.clock.boot();
    house.token_times.note(entry->credential.service.text(),
                           {.since_request = now - made.begun,
                            .since_answer = now - made.came,
                            .kills_access_token = request.slot && kills_access_token(request.client)});
}

} // namespace

const vault::Entry* find_refreshed(const Unsealed& house, const Refreshed& what) {
    const auto* entry = house.vault->find({&what.scope, 1}, what.id);
    return entry != nullptr ? entry : house.vault->find(house.vault->all_scopes(), what.id);
}

bool was_tried_in_vain(const vault::Entry& entry) {
    return entry.tokens && entry.tokens->state.last_failure == answers_lost;
}

runtime::Task<result::Result<>> get_tokens(Unsealed& house, const Refreshed& what) {
    auto begun = co_await begin(house, what);
    if (!begun) co_return refuse(std::move(begun.error()));
    const RequestRef request = std::move(*begun);
    if (house.gives_up) co_return closing(); // what it was to spend is in doubt
    auto made = co_await exchange_in_turn(house, request->client, std::move(request->prepared), request->slot);
    house.refresher->has_read(what.id);
    if (made.found_no_room) co_return co_await take_back(house, *request);
    const auto* entry = find_refreshed(house, what);
    if (auto* refusal = std::get_if<oauth::Refusal>(&made.outcome)) {
        const bool is_clients = refusal->meaning == catalog::Meaning::client && entry != nullptr;
        if (is_clients && request->client.is_outdated(house, *entry)) refusal->meaning = catalog::Meaning::transient;
        co_return co_await note_refusal(house, *request, made, *refusal);
    }
    const bool follows = !request->is_anew && entry != nullptr && entry->tokens;
    if (!follows && !request->is_anew) co_return result::Result<>(); // it is of the place before
    const auto* before = follows ? &entry->tokens->state : nullptr;
    auto& tokens = std::get<oauth::TokenSet>(made.outcome);
    vault::NewConnection got;
    got.answer = to_store(request->client, std::move(tokens), made.sent_at, before, house, what.seed);
    if (before != nullptr) {
        if (kills_access_token(request->client)) {
            got.answer.may_be_refused_for = house.token_times.last_refused(entry->credential.service.text());
        }
        auto kept = co_await keep_refreshed(house, what, request->client, {request->of, request->sync}, got.answer);
        if (kept) note_times(house, *request, made);
        co_return kept;
    }
    got.terms = request->client.grant_terms();
    auto connected = co_await connect(house, what, request->client, got, nullptr);
    const bool is_dropped = !connected && connected.error().code == ErrorCode::version_conflict;
    co_return is_dropped ? result::Result<>() : connected;
}

std::optional<vocabulary::Time> in_doubt_until(const Unsealed& house, const vault::Entry& entry) {
    const auto doubt = was_tried_in_vain(entry) ? std::nullopt : doubt_about(house, entry);
    return doubt ? doubt->try_at : std::nullopt;
}

} // namespace credlease::broker
