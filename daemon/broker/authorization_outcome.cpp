#include "broker/authorization_outcome.hpp"

#include "broker/find_credential.hpp"
#include "broker/keep_tokens.hpp"
#include "broker/refresher.hpp"
#include "broker/wall_watch.hpp"
#include "wire/json_writer.hpp"

namespace credlease::broker {
namespace {

using result::refuse;
using State = Authorization::State;

constexpr std::size_t reply_most = 16384; ///< an address has less than half of it
constexpr unsigned begun = 202;           ///< of a kept outcome: it has come to none yet

/// As it is shown in that state.
result::Result<AuthorizationReply> reply_in(State state, const Authorization& one, const Unsealed& house,
                                            unsigned status) {
    auto body = secret::SecretBuffer::make(house.parts.arena, reply_most, secret::Share::leases);
    if (!body) return refuse(std::move(body.error()));
    std::size_t size = 0;
    bool is_whole = false;
    body->expose_to_write([&](std::span<std::byte> room) {
        wire::SecretJsonWriter writer(reinterpret_cast<char*>(room.data()), room.size());
        const auto member = [&](std::string_view name, std::string_view value) {
            writer.raw(R"(,")");
            writer.raw(name);
            writer.raw(R"(":)");
            writer.quoted(value);
        };
        writer.raw(R"({"id":)");
        writer.quoted(one.id.text());
        const bool is_pending = state == Authorization::State::pending;
        member("state", name_of(state));
        member("credential", one.credential.text());
        writer.raw(R"(,"expires_at":)");
        writer.time(vocabulary::Time(one.ends_at.time_since_epoch() + house.wall_watch->offset()));
        if (!one.error.empty()) member("error", one.error);
        if (!one.redirect_uri.empty()) member("redirect_uri", one.redirect_uri);
        if (is_pending && one.device) {
            member("user_code", one.device->user_code);
            member("verification_uri", one.device->verification_uri);
            if (!one.device->verification_uri_complete.empty()) {
                member("verification_uri_complete", one.device->verification_uri_complete);
            }
        }
        if (is_pending && !one.start_url.empty()) {
            if (one.unheard) {
                member("callback_problem", one.unheard->detail());
            } else {
                member("start_url", one.start_url);
            }
        }
        if (is_pending && !one.secrets.url.empty()) {
            one.secrets.url.expose(
                [&](std::span<const std::byte> url) { member("authorize_url", secret::as_text(url)); });
        }
        writer.raw("}");
        size = writer.size();
        is_whole = !writer.overflowed();
    });
    if (!is_whole) return refuse(result::Error());
    body->shrink(size);
    return AuthorizationReply{.status = status, .body = std::move(*body)};
}

/// Who began it may change its credential still. What is under way while the broker closes is finished.
result::Result<> check_rights(Unsealed& house, Asker& asker, const Authorization& one) {
    if (!house.is_closing) {
        if (auto still = look_again(house, asker); !still) return still;
    }
    const auto entry = find_viewed(house, *asker.caller, access::Operation::edit, one.credential.text());
    return entry ? result::Result<>() : refuse(entry.error());
}

vocabulary::AuditRecord record_of_failure(const Asker& asker, const Authorization& one) {
    auto record = record_of(asker, vocabulary::Action::oauth_failed);
    record.ok = false;
    record.credential = one.credential;
    record.detail = one.error;
    return record;
}

} // namespace

void note_failed(Unsealed& house, const Asker& asker, const Authorization& one) {
    house.journal->note(record_of_failure(asker, one));
    house.journal->flush();
}

result::Result<AuthorizationReply> reply_of(const Authorization& one, const Unsealed& house, unsigned status) {
    return reply_in(one.state, one, house, status);
}

result::Result<AuthorizationReply> reply_of(const Answer& kept, secret::Arena& arena) {
    auto body = secret::SecretBuffer::copy(arena, kept.body, secret::Share::leases);
    if (!body) return refuse(std::move(body.error()));
    return AuthorizationReply{.status = kept.status, .body = std::move(*body)};
}

/// Its tokens may have come over a stop by DATA/rescue.
result::Result<AuthorizationReply> reply_again(const Unsealed& house, const Answer& kept, const vault::Entry& entry) {
    if (kept.status != begun) return reply_of(kept, house.parts.arena);
    if (entry.tokens && entry.tokens->state.connected_at >= kept.at) {
        Authorization one;
        one.id = AuthorizationId::find(kept.location).value_or(AuthorizationId());
        one.credential = entry.credential.id;
        one.ends_at = house.parts.clock.boot();
        return reply_in(State::connected, one, house, 200);
    }
    auto reply = reply_of(kept, house.parts.arena);
    if (reply) reply->status = 200;
    return reply;
}

runtime::Task<result::Result<KeyTurn>> take_key_turn(Unsealed& house, Asker& asker) {
    std::vector<std::string> keys = gate_keys(asker, {});
    auto pass = co_await take_turn(house, asker, std::move(keys));
    if (!pass) co_return refuse(std::move(pass.error()));
    auto before = co_await find_outcome(house, asker);
    if (!before) co_return refuse(std::move(before.error()));
    co_return result::Result<KeyTurn>(std::in_place, std::move(*pass), std::move(*before));
}

result::Result<Answer> outcome_of(const Unsealed& house, const Asker& asker, const Authorization& one, State state) {
    Answer outcome{.body_digest = asker.body_digest, .at = house.wall()};
    const auto reply = reply_in(state, one, house, outcome.status);
    if (!reply) return refuse(reply.error());
    reply->body.expose([&](std::span<const std::byte> text) { outcome.body = secret::as_text(text); });
    return outcome;
}

result::Result<Answer> outcome_of_begun(const Unsealed& house, const Asker& asker, const Authorization& one) {
    Authorization lost;
    lost.id = one.id;
    lost.credential = one.credential;
    lost.ends_at = one.ends_at;
    lost.error = "The broker ended before it had stored the provider's answer: the token may be spent.";
    auto outcome = outcome_of(house, asker, lost, State::failed);
    if (outcome) outcome->status = begun;
    if (outcome) outcome->location = one.id.text();
    return outcome;
}

runtime::Task<std::string> keep_answer(Unsealed& house, Asker& asker, const Authorization& one,
                                       const TokenClient& client, Exchanged got, const Answer* outcome) {
    if (const auto* refusal = std::get_if<oauth::Refusal>(&got.outcome)) co_return describe(*refusal);
    if (auto still = check_rights(house, asker, one); !still) co_return std::string(still.error().sentence.view());
    const Refreshed what{.scope = one.scope, .id = one.credential};
    vault::NewConnection made;
    made.answer = to_store(client, std::move(std::get<oauth::TokenSet>(got.outcome)), got.sent_at, nullptr, house,
                           house.refresher->seed_of(one.scope, one.credential));
    made.terms = client.grant_terms();
    auto connected = co_await connect(house, what, client, made, &asker, outcome);
    co_return connected ? std::string() : std::string(connected.error().sentence.view());
}

runtime::Task<> end_authorization(Unsealed& house, const Asker& asker, AuthorizationRef one, std::string failure) {
    const auto state = failure.empty() ? State::connected : State::failed;
    house.authorizations->end_unnoted(*one, state, std::move(failure));
    if (state == State::connected) co_return; // the log and a resend have it with its tokens
    const auto record = record_of_failure(asker, *one);
    const auto outcome = outcome_of(house, asker, *one, state);
    store::Batch batch;
    if (outcome) house.outcomes.stage(asker, *outcome, batch);
    const auto committed = co_await house.journal->commit(record, std::move(batch));
    if (committed && outcome) house.outcomes.apply(asker, outcome->at);
}

} // namespace credlease::broker
