#include "broker/authorizations.hpp"
#include "broker/change.hpp"
#include "broker/credentials.hpp"
#include "broker/device_authorization.hpp"
#include "broker/find_credential.hpp"
#include "broker/find_endpoints.hpp"
#include "broker/keep_tokens.hpp"
#include "broker/lease_plan.hpp"
#include "broker/refresher.hpp"
#include "broker/token_exchange.hpp"
#include "crypto/one_time.hpp"
#include "wire/json_writer.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::invalid;
using result::refuse;
using vocabulary::Action;

constexpr auto operation = access::Operation::edit;
constexpr std::chrono::minutes lasts{10};
constexpr std::size_t reply_most = 16384;

std::string_view name_of(Authorization::State state) {
    switch (state) {
    case Authorization::State::pending:
        return "pending";
    case Authorization::State::connected:
        return "connected";
    case Authorization::State::failed:
        break;
    }
    return "failed";
}

/// In the arena, since a pending one's address holds its `state`.
result::Result<AuthorizationReply> reply_of(const Authorization& one, secret::Arena& arena, unsigned status) {
    auto body = secret::SecretBuffer::make(arena, reply_most, secret::Share::leases);
    if (!body) return refuse(std::move(body.error()));
    std::size_t size = 0;
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
        member("state", name_of(one.state));
        member("credential", one.credential.text());
        writer.raw(R"(,"expires_at":)");
        writer.time(one.expires_at);
        if (!one.error.empty()) member("error", one.error);
        if (!one.redirect_uri.empty()) member("redirect_uri", one.redirect_uri);
        if (one.device) {
            member("user_code", one.device->user_code);
            member("verification_uri", one.device->verification_uri);
            if (!one.device->verification_uri_complete.empty()) {
                member("verification_uri_complete", one.device->verification_uri_complete);
            }
        }
        if (one.state == Authorization::State::pending && !one.start_url.empty()) {
            if (one.unheard) {
                member("callback_problem", one.unheard->detail());
            } else {
                member("start_url", one.start_url);
            }
        }
        if (!one.secrets.url.empty()) {
            one.secrets.url.expose(
                [&](std::span<const std::byte> url) { member("authorize_url", secret::as_text(url)); });
        }
        writer.raw("}");
        size = writer.size();
    });
    body->shrink(size);
    return AuthorizationReply{.status = status, .body = std::move(*body)};
}

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

result::Failure in_progress() {
    return refuse({.code = ErrorCode::authorization_in_progress,
                   .sentence = "Somebody else is authorizing this credential.",
                   .next_step = "Wait until that is done; it ends by itself after ten minutes."});
}

result::Failure changed_meanwhile() {
    return refuse({.code = ErrorCode::version_conflict,
                   .sentence = "The credential was changed while its tokens were asked for.",
                   .next_step = "Ask again: they are asked for by what it is now."});
}

/// Which credential; where a service is named, it is stored first.
runtime::Task<result::Result<std::string>> find_or_create(Unsealed& house, const Asker& asker,
                                                          wire::BeginAuthorization& asked) {
    if (asked.credential && !asked.service) co_return *asked.credential;
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
    auto answer = co_await create_credential(house, asker, std::move(created));
    if (!answer) co_return refuse(std::move(answer.error()));
    co_return answer->location.substr(answer->location.rfind('/') + 1);
}

void note_started(Unsealed& house, const Asker& asker, const vocabulary::Credential& credential) {
    auto record = record_of(asker, Action::oauth_started);
    concern(record, credential);
    house.journal->note(record);
    house.journal->flush();
}

/// A grant that a person has from elsewhere.
runtime::Task<result::Result<AuthorizationReply>> take_refresh_token(Unsealed& house, Asker asker,
                                                                     const vault::Entry& entry, TokenClient client,
                                                                     secret::SecretBuffer token) {
    const Refreshed what{.scope = entry.credential.scope, .id = entry.credential.id};
    Authorization made;
    made.id = AuthorizationId(house.next_id());
    made.credential = what.id;
    made.expires_at = house.wall();
    auto prepared = oauth::refresh_request(client.client(house.parts.arena), token);
    if (!prepared) co_return refuse(std::move(prepared.error()));
    note_started(house, asker, entry.credential);
    auto got = co_await exchange(house, client, std::move(*prepared), 0);
    if (const auto* refusal = std::get_if<oauth::Refusal>(&got.outcome)) {
        made.state = Authorization::State::failed;
        made.error = describe(*refusal);
        co_return reply_of(made, house.parts.arena, 200);
    }
    auto& tokens = std::get<oauth::TokenSet>(got.outcome);
    if (tokens.slots.front().refresh_token.empty()) {
        tokens.slots.front().refresh_token = oauth::RefreshToken(std::move(token)); // the old one stays
    }
    vault::NewConnection connection;
    connection.answer = to_store(client, std::move(tokens), got.sent_at, nullptr, house.wall(),
                                 house.refresher->seed_of(what.scope, what.id));
    connection.terms = client.grant_terms();
    auto connected = co_await connect(house, what, client, connection, &asker);
    if (!connected) co_return refuse(std::move(connected.error()));
    made.state = Authorization::State::connected;
    co_return reply_of(made, house.parts.arena, 200);
}

/// No person is needed: its tokens are asked for now.
runtime::Task<result::Result<AuthorizationReply>> connect_by_itself(Unsealed& house, Asker asker, TokenWait wait) {
    Authorization made;
    made.id = AuthorizationId(house.next_id());
    made.credential = wait.id;
    made.expires_at = house.wall();
    auto got = co_await wait_for_token(house, asker, std::move(wait));
    if (!got) co_return refuse(std::move(got.error()));
    auto entry = find_viewed(house, *asker.caller, operation, made.credential.text());
    if (!entry) co_return refuse(std::move(entry.error()));
    if (asks_anew(house, **entry)) co_return changed_meanwhile();
    made.state = Authorization::State::connected;
    co_return reply_of(made, house.parts.arena, 200);
}

result::Result<secret::SecretBuffer> take_text(const boost::json::value& value, secret::Arena& arena) {
    const auto* text = value.if_string();
    if (text == nullptr || text->empty()) return refuse(invalid("refresh_token", "A refresh token is a text."));
    return secret::SecretBuffer::copy(arena, std::string_view(text->data(), text->size()), secret::Share::tokens);
}

AuthorizationRef made_for(Unsealed& house, const Asker& asker, const vault::Entry& entry) {
    auto made = std::make_shared<Authorization>();
    made->id = AuthorizationId(house.next_id());
    made->scope = entry.credential.scope;
    made->credential = entry.credential.id;
    made->asker = asker;
    made->expires_at = house.wall() + lasts;
    return made;
}

/// For a machine without a browser: a person types a code elsewhere.
runtime::Task<result::Result<AuthorizationReply>> begin_device(Unsealed& house, Asker asker, const vault::Entry& entry,
                                                               TokenClient client) {
    auto made = made_for(house, asker, entry);
    made->asked = client.asked_with();
    if (auto added = house.authorizations->add(made, house.wall()); !added) co_return refuse(std::move(added.error()));
    note_started(house, asker, entry.credential);
    auto device = co_await ask_for_device(house, client);
    if (made->state != Authorization::State::pending) co_return reply_of(*made, house.parts.arena, 200); // given up
    if (!device) {
        house.authorizations->end(*made, Authorization::State::failed, std::string(device.error().sentence.view()));
        co_return refuse(std::move(device.error()));
    }
    made->expires_at = std::min(made->expires_at, device->ends_at);
    made->device = std::move(*device);
    house.tasks.start(wait_for_device(house, asker, made));
    co_return reply_of(*made, house.parts.arena, 201);
}

/// The address that a person is sent to.
result::Result<AuthorizationRef> make_authorization(Unsealed& house, const Asker& asker, const vault::Entry& entry,
                                                    const TokenClient& client,
                                                    const std::optional<std::string>& asked_uri) {
    auto uri = redirect_uri(house, asked_uri);
    if (!uri) return refuse(std::move(uri.error()));
    auto secrets = oauth::make_authorization(client.client(house.parts.arena), *uri);
    if (!secrets) return refuse(std::move(secrets.error()));
    auto made = made_for(house, asker, entry);
    const auto& outbound = house.settings().outbound;
    if (*uri == settings::redirect_uri(outbound)) {
        made->start_url = settings::pages_url(outbound) + "/start/" + made->id.text();
    }
    made->redirect_uri = std::move(*uri);
    made->state_digest = crypto::challenge_of(secrets->state);
    made->asked = client.asked_with();
    made->secrets = std::move(*secrets);
    if (auto added = house.authorizations->add(made, house.wall()); !added) return refuse(std::move(added.error()));
    if (made->unheard) house.parts.tell_problem(*made->unheard);
    note_started(house, asker, entry.credential);
    return made;
}

/// Whether it does what is asked for now. One whose redirect has come is finished first.
bool is_as_asked(const Authorization& pending, const TokenClient& client, const wire::BeginAuthorization& asked) {
    if (pending.is_used) return true;
    const bool by_device = pending.redirect_uri.empty();
    if (asked.flow && !by_device) return false;
    if (asked.redirect_uri && *asked.redirect_uri != pending.redirect_uri) return false;
    return pending.asked == client.asked_with(); // the credential was not changed meanwhile
}

} // namespace

runtime::Task<result::Result<AuthorizationReply>> begin_authorization(Unsealed& house, Asker asker,
                                                                      wire::BeginAuthorization asked) {
    auto id = co_await find_or_create(house, asker, asked);
    if (!id) co_return refuse(std::move(id.error()));
    if (auto still = look_again(house, asker); !still) co_return refuse(std::move(still.error()));
    auto entry = find_viewed(house, *asker.caller, operation, *id);
    if (!entry) co_return refuse(std::move(entry.error()));
    const auto scope = (*entry)->credential.scope;
    auto found = co_await find_endpoints(house, scope, (*entry)->credential.id);
    if (!found) co_return refuse(std::move(found.error()));
    if (auto still = look_again(house, asker); !still) co_return refuse(std::move(still.error()));
    entry = find_viewed(house, *asker.caller, operation, *id);
    if (!entry) co_return refuse(std::move(entry.error()));

    auto client = TokenClient::open_anew(house, **entry, *found);
    if (!client) co_return refuse(std::move(client.error()));
    const bool by_device = asked.flow ? *asked.flow == "device" : client->terms().flow == catalog::Flow::device;
    if (asked.flow && !by_device) co_return refuse(invalid("flow", "It is \"device\", or left out."));
    if (const auto pending = house.authorizations->find_pending((*entry)->credential.id)) {
        const bool is_theirs = house.authorizations->find(*asker.caller, pending->id.text()) != nullptr;
        if (!is_theirs || asked.refresh_token) co_return in_progress();
        if (is_as_asked(*pending, *client, asked)) {
            house.authorizations->await_browser(*pending);
            co_return reply_of(*pending, house.parts.arena, 200);
        }
        house.authorizations->end(*pending, Authorization::State::failed, "Another was begun in its place.");
    }
    if (is_automatic(client->terms().flow)) {
        TokenWait wait{.scope = scope, .id = (*entry)->credential.id};
        co_return co_await connect_by_itself(house, asker, std::move(wait));
    }
    if (by_device) {
        co_return co_await begin_device(house, asker, **entry, std::move(*client));
    }
    if (asked.refresh_token) {
        auto token = take_text(*asked.refresh_token, house.parts.arena);
        if (!token) co_return refuse(std::move(token.error()));
        co_return co_await take_refresh_token(house, asker, **entry, std::move(*client), std::move(*token));
    }
    auto made = make_authorization(house, asker, **entry, *client, asked.redirect_uri);
    if (!made) co_return refuse(std::move(made.error()));
    co_return reply_of(**made, house.parts.arena, 201);
}

result::Result<AuthorizationReply> show_authorization(Unsealed& house, const Asker& asker, std::string_view id) {
    const auto one = house.authorizations->find(*asker.caller, id);
    if (!one) return no_such_authorization();
    return reply_of(*one, house.parts.arena, 200);
}

result::Result<> drop_authorization(Unsealed& house, const Asker& asker, std::string_view id) {
    const auto one = house.authorizations->find(*asker.caller, id);
    if (!one) return no_such_authorization();
    if (one->state == Authorization::State::pending && !one->is_used) {
        house.authorizations->end(*one, Authorization::State::failed, "It was given up.");
    }
    return {};
}

} // namespace credlease::broker
