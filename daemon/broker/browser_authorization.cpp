#include "broker/browser_authorization.hpp"

#include "broker/find_credential.hpp"
#include "crypto/one_time.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

using Told = BrowserTold::Kind;
using State = Authorization::State;

bool is_browser_of(const Authorization& one, const Proofs& proofs) {
    if (one.browser_digest.empty()) return false;
    return std::ranges::any_of(proofs, [&](const BrowserProof& proof) {
        return proof.authorization == one.id.text() && crypto::challenge_of(proof.value) == one.browser_digest;
    });
}

/// With the credential's name: for the browser alone that the authorization was begun in.
BrowserTold told(const Unsealed& house, const Authorization& one, Told kind, std::string text = {}) {
    BrowserTold made{.kind = kind, .text = std::move(text)};
    const auto* entry = house.vault->find({&one.scope, 1}, one.credential);
    if (entry == nullptr) return made;
    made.credential = entry->credential.name.text();
    const auto what = kind_of(house, entry->credential);
    made.service = what ? what->service->name : entry->credential.service.text();
    return made;
}

BrowserTold ended(const Unsealed& house, const Authorization& one) {
    switch (one.state) {
    case State::pending:
        return told(house, one, Told::ended, "This address was used already, and is being worked on.");
    case State::connected:
        return told(house, one, Told::ended, "This address was used already: the credential is connected.");
    case State::failed:
        break;
    }
    return told(house, one, Told::ended, one.error);
}

bool waits_for_a_browser(const Authorization& one) { return one.state == State::pending && !one.is_used; }

BrowserTold refused(const Unsealed& house, const Authorization& one, const result::Error& error) {
    std::string text(error.sentence.view());
    return told(house, one, Told::refused, text.append(" ").append(error.next_step.view()));
}

} // namespace

std::variant<BrowserTold, BrowserStart> start_in_browser(Unsealed& house, std::string_view id, const Proofs& proofs) {
    const auto one = house.authorizations->find_started(id);
    if (!one) return BrowserTold();
    const bool is_its_browser = is_browser_of(*one, proofs);
    if (!waits_for_a_browser(*one)) return is_its_browser ? ended(house, *one) : BrowserTold();
    if (!is_its_browser && !one->browser_digest.empty()) {
        house.authorizations->end(*one, State::failed, "It was opened in a second browser, and given up.");
        return BrowserTold{.kind = Told::given_up};
    }
    auto& arena = house.parts.arena;
    auto address = one->secrets.url.expose(
        [&](std::span<const std::byte> url) { return secret::SecretBuffer::copy(arena, url, secret::Share::tokens); });
    if (!address) return refused(house, *one, address.error());
    if (is_its_browser) return BrowserStart{.id = one->id, .address = std::move(*address), .cookie = {}};
    auto cookie = crypto::make_random_text(arena);
    if (!cookie) return refused(house, *one, cookie.error());
    one->browser_digest = crypto::challenge_of(*cookie);
    return BrowserStart{.id = one->id, .address = std::move(*address), .cookie = std::move(*cookie)};
}

runtime::Task<BrowserTold> finish_in_browser(Unsealed& house, secret::SecretBuffer query, Proofs proofs) {
    const auto state = query.expose(
        [&](std::span<const std::byte> text) { return oauth::read_state(secret::as_text(text), house.parts.arena); });
    const auto one = house.authorizations->find_redirected(state);
    if (!one) co_return BrowserTold();
    if (!is_browser_of(*one, proofs)) {
        BrowserTold other{.kind = waits_for_a_browser(*one) ? Told::other_browser : Told::unknown};
        co_return other;
    }
    if (!waits_for_a_browser(*one)) co_return ended(house, *one);
    auto asker = one->asker;
    asker.idempotency_key.clear(); // it is of the request that began it
    auto finished = co_await finish_authorization(house, std::move(asker), one, std::move(query));
    if (!finished) co_return refused(house, *one, finished.error());
    if (one->state == State::connected) co_return told(house, *one, Told::connected);
    co_return told(house, *one, Told::failed, one->error);
}

} // namespace credlease::broker
