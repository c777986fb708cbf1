#include "broker/authorization_outcome.hpp"
#include "broker/find_credential.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;
using State = Authorization::State;

/// As it was asked with: the code is for where the person was sent to, and for nobody else.
result::Result<TokenClient> open_client(Unsealed& house, const vault::Entry& entry, Authorization& one) {
    if (one.state != State::pending || one.is_used) {
        return refuse({.code = ErrorCode::invalid_request,
                       .sentence = "This authorization has ended, or its address was given already: each is good once.",
                       .next_step = "See whether the credential is connected (credlease show); if not, begin anew."});
    }
    auto client = TokenClient::open_again(house, entry, one.asked);
    if (client || client.error().code != ErrorCode::version_conflict) return client;
    house.authorizations->end(one, State::failed, std::string(client.error().sentence.view()));
    return refuse({.code = ErrorCode::invalid_request,
                   .sentence = "The credential was changed while the person was asked.",
                   .next_step = "Begin the authorization again."});
}

/// What came back, when it is the one redirect of this authorization. From here on `state` is used up.
result::Result<oauth::Redirect> take_redirect(const Unsealed& house, Authorization& one, const TokenClient& client,
                                              const secret::SecretBuffer& address) {
    auto redirect = address.expose([&](std::span<const std::byte> text) {
        return oauth::read_redirect(client.rules(), secret::as_text(text), house.parts.arena);
    });
    if (!redirect) return redirect;
    if (auto own = oauth::check_redirect(*redirect, one.secrets.state, one.asked.terms); !own) {
        return refuse(std::move(own.error()));
    }
    one.is_used = true;
    return redirect;
}

/// What the redirect's query says that the entry keeps, as the answer's own fields.
void add_fields(oauth::TokenSet& tokens, oauth::Redirect& redirect) {
    for (auto& field : redirect.fields) tokens.fields.push_back(std::move(field));
}

/// Its credential, as far as who began it may still change that.
result::Result<const vault::Entry*> find_entry(Unsealed& house, Asker& asker, const Authorization& one) {
    if (!house.is_closing) { // else what is under way is finished
        if (auto still = look_again(house, asker); !still) return refuse(std::move(still.error()));
    }
    return find_viewed(house, *asker.caller, access::Operation::edit, one.credential.text());
}

/// Empty: it is connected.
runtime::Task<std::string> exchange_code(Unsealed& house, Asker& asker, Authorization& one, TokenClient client,
                                         oauth::Redirect redirect, const Answer& outcome) {
    if (redirect.code.empty()) {
        const auto text = redirect.text.empty() ? redirect.error.text() : redirect.text.text();
        co_return "The provider refused: " + text;
    }
    auto prepared =
        oauth::code_request(client.client(house.parts.arena), redirect.code, one.secrets.verifier, one.redirect_uri);
    if (!prepared) co_return std::string(prepared.error().sentence.view());
    redirect.code.reset();
    prepared->secrets.push_back(std::move(redirect.state)); // the provider knows it too, and may repeat it
    auto got = co_await exchange(house, client, std::move(*prepared), std::nullopt);
    if (auto* tokens = std::get_if<oauth::TokenSet>(&got.outcome)) add_fields(*tokens, redirect);
    co_return co_await keep_answer(house, asker, one, client, std::move(got), &outcome);
}

} // namespace

result::Failure no_such_authorization() {
    return refuse({.code = ErrorCode::not_found,
                   .sentence = "There is no such authorization of yours.",
                   .next_step = "Begin one with POST /v1/oauth/authorizations (credlease reauthorize)."});
}

std::string describe(const oauth::Refusal& refusal) {
    if (refusal.is_unread) return "The provider gave no token: " + words_of(refusal);
    return refusal.status == 0 ? words_of(refusal) : "The provider refused: " + words_of(refusal);
}

runtime::Task<result::Result<AuthorizationReply>> complete_authorization(Unsealed& house, Asker asker, std::string id,
                                                                         secret::SecretBuffer address) {
    auto turn = co_await take_key_turn(house, asker);
    if (!turn) co_return refuse(std::move(turn.error()));
    if (turn->before) co_return reply_of(*turn->before, house.parts.arena);
    const auto one = house.authorizations->find(*asker.caller, id);
    if (!one) co_return no_such_authorization();
    auto finished = co_await finish_authorization(house, asker, one, std::move(address));
    if (!finished) co_return refuse(std::move(finished.error()));
    co_return show_authorization(house, asker, one->id.text());
}

runtime::Task<result::Result<>> finish_authorization(Unsealed& house, Asker asker, AuthorizationRef one,
                                                     secret::SecretBuffer address) {
    const auto entry = find_entry(house, asker, *one);
    if (!entry) co_return refuse(std::move(entry.error()));
    auto client = open_client(house, **entry, *one);
    if (!client) co_return refuse(std::move(client.error()));
    const auto outcome = outcome_of(house, asker, *one, State::connected);
    if (!outcome) co_return refuse(outcome.error());
    auto redirect = take_redirect(house, *one, *client, address);
    if (!redirect) co_return refuse(std::move(redirect.error()));
    address.reset();
    auto failure = co_await exchange_code(house, asker, *one, std::move(*client), std::move(*redirect), *outcome);
    co_await end_authorization(house, asker, one, std::move(failure));
    co_return result::Result<>();
}

} // namespace credlease::broker
