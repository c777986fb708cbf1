#include "broker/authorization_outcome.hpp"
#include "broker/credentials.hpp"
#include "broker/device_authorization.hpp"
#include "broker/find_credential.hpp"
#include "broker/find_endpoints.hpp"
#include "broker/lease_plan.hpp"
#include "broker/oauth_clients.hpp"
#include "crypto/one_time.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::invalid;
using result::refuse;
using vocabulary::Action;

constexpr auto operation = access::Operation::edit;
constexpr std::chrono::minutes lasts{10};
constexpr std::size_t address_most = 8000; ///< bytes that each server takes (RFC 9110 §4.1)

/// Where the browser comes back to: the broker's own page, the operator's proxy, or what an engine names.
result::Result<std::string> redirect_uri(const Unsealed& house, const std::optional<std::string>& asked) {
    const auto& outbound = house.settings().outbound;
    auto own = settings::redirect_uri(outbound);
    if (!asked || *asked == own) return own;
    if (std::ranges::find(outbound.redirect_uris, *asked) != outbound.redirect_uris.end()) return *asked;
    auto error = invalid("redirect_uri", "The config does not allow this redirect.");
    error.next_step = "Leave it out, or add it to [outbound] redirect_uris.";
    return refuse(std::move(error));
}

result::Failure in_progress(const Authorization& pending) {
    return refuse({.code = ErrorCode::authorization_in_progress,
                   .sentence = "Somebody else is authorizing this credential.",
                   .next_step = "Wait until that is done: it ends by itself after ten minutes at most, or by DELETE "
                                "/v1/oauth/authorizations/ID.",
                   .about = result::PublicText::of(pending.id.text())});
}

result::Failure changed_meanwhile() {
    return refuse({.code = ErrorCode::version_conflict,
                   .sentence = "The credential was changed while its tokens were asked for.",
                   .next_step = "Ask again: they are asked for by what it is now."});
}

/// Which credential; where a service is named, it is stored first, under the request's key itself.
runtime::Task<result::Result<std::string>> find_or_create(Unsealed& house, Asker asker,
                                                          wire::BeginAuthorization& asked) {
    if (asked.credential && !asked.service) {
        auto turn = co_await take_key_turn(house, asker); // another change may have been made under it
        if (!turn) co_return refuse(std::move(turn.error()));
        co_return *asked.credential;
    }
    if (asked.credential || !asked.service || !asked.name) {
        co_return refuse(invalid("credential", "Say which credential; or, for a new one, its service and name."));
    }
    wire::CreateCredential created;
    created.service = *asked.service;
    created.auth = asked.auth;
    created.name = *asked.name;
    created.scope = asked.scope;
    created.fields = asked.fields ? std::move(*asked.fields) : boost::json::value(boost::json::object());
    created.notes = asked.notes;
    auto answer = co_await create_credential(house, std::move(asker), std::move(created));
    if (!answer) co_return refuse(std::move(answer.error()));
    co_return answer->location.substr(answer->location.rfind('/') + 1);
}

void note_started(Unsealed& house, const Asker& asker, const vocabulary::Credential& credential) {
    auto record = record_of(asker, Action::oauth_started);
    concern(record, credential);
    house.journal->note(record);
    house.journal->flush();
}

result::Result<secret::SecretBuffer> take_text(const boost::json::value& value, secret::Arena& arena) {
    const auto* text = value.if_string();
    if (text == nullptr || text->empty()) return refuse(invalid("refresh_token", "A refresh token is a text."));
    return secret::SecretBuffer::copy(arena, std::string_view(text->data(), text->size()), secret::Share::tokens);
}

/// A provider binds refresh tokens to their client, so that one that was stolen is of no use without its secret
/// (RFC 6749 §10.4). By the organization's, which is not theirs to use as they like, nobody makes one good.
result::Result<> check_gives_token(const access::Caller& caller, const TokenClient& client) {
    if (!client.is_organizations() || check_keeps_clients(caller)) return {};
    return refuse({.code = ErrorCode::forbidden,
                   .sentence = "With the organization's OAuth client only who keeps it gives a refresh token by hand.",
                   .next_step = "Authorize the credential in a browser or by a device, give it a client of its own, or "
                                "ask an operator."});
}

AuthorizationRef made_for(Unsealed& house, const Asker& asker, const vault::Entry& entry) {
    auto made = std::make_shared<Authorization>();
    made->id = AuthorizationId(house.next_id());
    made->scope = entry.credential.scope;
    made->credential = entry.credential.id;
    made->asker = asker;
    made->ends_at = house.parts.clock.boot() + lasts;
    return made;
}

/// No person is needed: its tokens are asked for now.
runtime::Task<result::Result<Begun>> connect_by_itself(Unsealed& house, Asker asker, TokenWait wait) {
    const auto id = wait.id.text();
    auto got = co_await wait_for_token(house, asker, std::move(wait));
    if (!got) co_return refuse(std::move(got.error()));
    const auto entry = find_viewed(house, *asker.caller, operation, id);
    if (!entry) co_return refuse(entry.error());
    if (asks_anew(house, **entry)) co_return changed_meanwhile();
    auto made = made_for(house, asker, **entry);
    made->state = Authorization::State::connected;
    made->ends_at = house.parts.clock.boot();
    house.authorizations->add_ended(made);
    co_return Begun{.one = std::move(made)};
}

/// Before the token is spent: who sends the request again learns that it was, whatever becomes of this broker.
runtime::Task<result::Result<>> keep_begun(Unsealed& house, Asker& asker, AuthorizationRef made,
                                           const vocabulary::Credential& credential) {
    auto record = record_of(asker, Action::oauth_started);
    concern(record, credential);
    const auto outcome = outcome_of_begun(house, asker, *made);
    store::Batch batch;
    const auto give_up = [&](result::Error why) {
        house.authorizations->end_unnoted(*made, Authorization::State::failed, "It was not sent.");
        return refuse(std::move(why));
    };
    if (!outcome) co_return give_up(outcome.error());
    house.outcomes.stage(asker, *outcome, batch);
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return give_up(std::move(committed.error()));
    house.outcomes.apply(asker, outcome->at);
    auto still = look_again(house, asker); // it took time, and nothing has left yet
    if (!still) co_return give_up(std::move(still.error()));
    co_return result::Result<>();
}

/// A grant that a person has from elsewhere. Nobody else's comes between while the provider is asked.
runtime::Task<result::Result<Begun>> take_refresh_token(Unsealed& house, Asker asker, const vault::Entry& entry,
                                                        TokenClient client, secret::SecretBuffer token) {
    auto made = made_for(house, asker, entry);
    made->is_used = true;
    auto prepared = oauth::refresh_request(client.client(house.parts.arena), token);
    if (!prepared) co_return refuse(std::move(prepared.error()));
    const auto outcome = outcome_of(house, asker, *made, Authorization::State::connected);
    if (!outcome) co_return refuse(outcome.error());
    if (auto added = house.authorizations->add(made); !added) co_return refuse(std::move(added.error()));
    auto begun = co_await keep_begun(house, asker, made, entry.credential);
    if (!begun) co_return refuse(std::move(begun.error()));
    auto got = co_await exchange(house, client, std::move(*prepared), 0);
    if (auto* tokens = std::get_if<oauth::TokenSet>(&got.outcome)) {
        auto& next = tokens->slots.front().refresh_token;
        if (next.empty()) next = oauth::RefreshToken(std::move(token)); // the old one stays
    }
    auto failure = co_await keep_answer(house, asker, *made, client, std::move(got), &*outcome);
    co_await end_authorization(house, asker, made, std::move(failure));
    co_return Begun{.one = std::move(made)};
}

/// Neither the credential nor its issuer says where a code for a device is asked for.
result::Failure no_device_url(const TokenClient& client) {
    const auto& url = client.rules().device_url;
    const auto field = url ? client.missing_field(*url) : std::string();
    auto error = invalid("flow", "Nothing says that this service gives codes for devices.");
    error.next_step = "Authorize the credential in a browser.";
    if (field.empty()) return refuse(std::move(error));
    error = invalid("fields." + field, "Nothing says where a code for a device comes from: this field is not set.");
    error.next_step = "Set it, or authorize the credential in a browser.";
    return refuse(std::move(error));
}

/// For a machine without a browser: a person types a code elsewhere.
runtime::Task<result::Result<Begun>> begin_device(Unsealed& house, Asker asker, const vault::Entry& entry,
                                                  TokenClient client) {
    if (client.terms().device_url.empty()) co_return no_device_url(client);
    auto made = made_for(house, asker, entry);
    made->asked = client.asked_with();
    if (auto added = house.authorizations->add(made); !added) co_return refuse(std::move(added.error()));
    note_started(house, asker, entry.credential);
    auto device = co_await ask_for_device(house, client);
    if (made->state != Authorization::State::pending) co_return Begun{.one = std::move(made)}; // given up
    if (!device) {
        house.authorizations->end(*made, Authorization::State::failed, std::string(device.error().sentence.view()));
        co_return refuse(std::move(device.error()));
    }
    house.authorizations->shorten(made, house.parts.clock.boot() + (device->ends_at - house.wall()));
    made->device = std::move(*device);
    house.tasks.start(wait_for_device(house, asker, made));
    co_return Begun{.one = std::move(made), .status = 201};
}

/// As it is kept for minutes: in no more of the arena than it needs.
result::Result<secret::SecretBuffer> kept_address(const secret::SecretBuffer& url, secret::Arena& arena) {
    if (url.size() <= address_most) {
        return url.expose([&](std::span<const std::byte> bytes) {
            return secret::SecretBuffer::copy(arena, bytes, secret::Share::tokens);
        });
    }
    auto error = invalid("fields.scopes", "The address that a browser would be sent to has more than 8,000 bytes, "
                                          "which many servers do not take.");
    error.next_step = "Ask for fewer scopes, or give a shorter authorize_url.";
    return refuse(std::move(error));
}

/// The address that a person is sent to.
result::Result<Begun> make_authorization(Unsealed& house, const Asker& asker, const vault::Entry& entry,
                                         const TokenClient& client, const std::optional<std::string>& asked_uri) {
    auto uri = redirect_uri(house, asked_uri);
    if (!uri) return refuse(std::move(uri.error()));
    auto secrets = oauth::make_authorization(client.client(house.parts.arena), *uri);
    if (!secrets) return refuse(std::move(secrets.error()));
    auto address = kept_address(secrets->url, house.parts.arena);
    if (!address) return refuse(std::move(address.error()));
    secrets->url = std::move(*address);
    auto made = made_for(house, asker, entry);
    const auto& outbound = house.settings().outbound;
    if (*uri == settings::redirect_uri(outbound)) {
        made->start_url = settings::pages_url(outbound) + "/start/" + made->id.text();
    }
    made->redirect_uri = std::move(*uri);
    made->state_digest = crypto::challenge_of(secrets->state);
    made->asked = client.asked_with();
    made->secrets = std::move(*secrets);
    if (auto added = house.authorizations->add(made); !added) return refuse(std::move(added.error()));
    if (made->unheard) house.parts.tell_problem(*made->unheard);
    note_started(house, asker, entry.credential);
    return Begun{.one = std::move(made), .status = 201};
}

/// Somebody else's, for whoever may edit its credential.
AuthorizationRef find_editable(Unsealed& house, const Asker& asker, std::string_view id) {
    auto found = house.authorizations->find_anybodys(id);
    return found && find_viewed(house, *asker.caller, operation, found->credential.text()) ? found : nullptr;
}

/// Whether it does what is asked for now. One whose redirect has come is finished first.
bool is_as_asked(const Authorization& pending, const TokenClient& client, const wire::BeginAuthorization& asked) {
    if (pending.is_used) return true;
    const bool by_device = pending.redirect_uri.empty();
    if (asked.flow && !by_device) return false;
    if (asked.redirect_uri && *asked.redirect_uri != pending.redirect_uri) return false;
    return pending.asked == client.asked_with(); // the credential was not changed meanwhile
}

runtime::Task<result::Result<Begun>> begin(Unsealed& house, Asker asker, wire::BeginAuthorization asked,
                                           std::string id) {
    auto entry = find_viewed(house, *asker.caller, operation, id);
    if (!entry) co_return refuse(std::move(entry.error()));
    const auto scope = (*entry)->credential.scope;
    auto found = co_await find_endpoints(house, scope, (*entry)->credential.id);
    if (!found) co_return refuse(std::move(found.error()));
    if (auto still = look_again(house, asker); !still) co_return refuse(std::move(still.error()));
    entry = find_viewed(house, *asker.caller, operation, id);
    if (!entry) co_return refuse(std::move(entry.error()));

    auto client = TokenClient::open_anew(house, **entry, *found);
    if (!client) co_return refuse(std::move(client.error()));
    const bool by_device = asked.flow ? *asked.flow == "device" : client->terms().flow == catalog::Flow::device;
    if (asked.flow && !by_device) co_return refuse(invalid("flow", "It is \"device\", or left out."));
    if (auto pending = house.authorizations->find_pending((*entry)->credential.id)) {
        const bool is_theirs = house.authorizations->find(*asker.caller, pending->id.text()) != nullptr;
        if (!is_theirs || asked.refresh_token) co_return in_progress(*pending);
        if (is_as_asked(*pending, *client, asked)) {
            house.authorizations->await_browser(*pending);
            co_return Begun{.one = std::move(pending)};
        }
        house.authorizations->end(*pending, Authorization::State::failed, "Another was begun in its place.");
    }
    if (is_automatic(client->terms().flow)) {
        TokenWait wait{.scope = scope, .id = (*entry)->credential.id, .is_by_person = true};
        co_return co_await connect_by_itself(house, asker, std::move(wait));
    }
    if (asked.refresh_token) {
        if (auto right = check_gives_token(*asker.caller, *client); !right) co_return refuse(std::move(right.error()));
        auto token = take_text(*asked.refresh_token, house.parts.arena);
        if (!token) co_return refuse(std::move(token.error()));
        co_return co_await take_refresh_token(house, asker, **entry, std::move(*client), std::move(*token));
    }
    if (by_device) {
        co_return co_await begin_device(house, asker, **entry, std::move(*client));
    }
    co_return make_authorization(house, asker, **entry, *client, asked.redirect_uri);
}

} // namespace

runtime::Task<result::Result<AuthorizationReply>> begin_authorization(Unsealed& house, Asker asker,
                                                                      wire::BeginAuthorization asked) {
    auto creator = asker; // the credential is stored under the key itself
    if (!asker.idempotency_key.empty()) asker.idempotency_key += "\ntokens";
    auto turn = co_await take_key_turn(house, asker);
    if (!turn) co_return refuse(std::move(turn.error()));
    const auto before = house.authorizations->find_begun(asker);
    if (!before) co_return refuse(before.error());
    const auto id = co_await find_or_create(house, std::move(creator), asked);
    if (!id) co_return refuse(id.error());
    if (auto still = look_again(house, asker); !still) co_return refuse(std::move(still.error()));
    const auto entry = find_viewed(house, *asker.caller, operation, *id);
    if (!entry) co_return refuse(entry.error());
    if (turn->before) co_return reply_again(house, *turn->before, **entry); // its refresh token is spent once
    if (*before) co_return reply_of(*(*before)->one, house, (*before)->status);
    const auto begun = co_await begin(house, asker, std::move(asked), *id);
    if (!begun) co_return refuse(begun.error());
    house.authorizations->note_request(asker, *begun);
    co_return reply_of(*begun->one, house, begun->status);
}

result::Result<AuthorizationReply> show_authorization(Unsealed& house, const Asker& asker, std::string_view id) {
    const auto one = house.authorizations->find(*asker.caller, id);
    if (!one) return no_such_authorization();
    return reply_of(*one, house, 200);
}

result::Result<> drop_authorization(Unsealed& house, const Asker& asker, std::string_view id) {
    const auto own = house.authorizations->find(*asker.caller, id);
    const auto one = own ? own : find_editable(house, asker, id);
    if (!one) return no_such_authorization();
    if (one->state == Authorization::State::pending && !one->is_used) {
        const auto* why = own ? "It was given up." : "Somebody else who may edit the credential has ended it.";
        house.authorizations->end(*one, Authorization::State::failed, why, &asker);
    }
    return {};
}

} // namespace credlease::broker
