#include "broker/authorizations.hpp"

#include "broker/outcomes.hpp"
#include "crypto/one_time.hpp"

#include <algorithm>
#include <ranges>
#include <tuple>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

constexpr std::size_t pending_most = 256; ///< places
constexpr std::size_t place_size = 1024;  ///< bytes of the arena, which exchanges have their room in too
constexpr std::size_t newcomers_places = pending_most / 4; ///< for uids that have none pending
// By uid (guarantee 19), since an engine itself says for whom it asks. Of its places one person behind it has less.
constexpr std::size_t pending_of_uid_most = pending_most / 4;
constexpr std::size_t pending_of_person_most = pending_of_uid_most / 2;
constexpr std::size_t kept_most = 1024;
constexpr std::size_t requests_most = 16; ///< of one authorization, whose keys are remembered
static_assert(pending_most < kept_most, "where so many are kept, one of them has ended");
constexpr std::chrono::minutes shown_after_end{10};

bool is_same(const access::Caller& one, const access::Caller& other) {
    return one.principal == other.principal && one.on_behalf_of == other.on_behalf_of;
}

/// A long address takes several.
std::size_t places_of(const Authorization& one) {
    return std::max<std::size_t>(1, secret::Arena::slot_size(one.secrets.url.size()) / place_size);
}

} // namespace

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

AuthorizationRef Authorizations::find_anybodys(std::string_view text) const {
    const auto id = AuthorizationId::find(text);
    const auto found = id ? all_.find(*id) : all_.end();
    return found == all_.end() ? nullptr : found->second;
}

AuthorizationRef Authorizations::find(const access::Caller& caller, std::string_view id) const {
    auto found = find_anybodys(id);
    return found && is_same(*found->asker.caller, caller) ? found : nullptr;
}

AuthorizationRef Authorizations::find_pending(const vocabulary::CredentialId& credential) const {
    for (const auto& [id, one] : all_) {
        if (one->credential == credential && one->state == Authorization::State::pending) return one;
    }
    return nullptr;
}

AuthorizationRef Authorizations::find_last(const vocabulary::CredentialId& credential) const {
    for (const auto& [id, one] : all_ | std::views::reverse) { // ids begin with their time
        if (one->credential == credential) return one;
    }
    return nullptr;
}

AuthorizationRef Authorizations::find_started(std::string_view id) const {
    auto found = find_anybodys(id);
    return found && !found->start_url.empty() ? found : nullptr;
}

/// By the digest of a random text: how long that takes tells nothing of it.
AuthorizationRef Authorizations::find_redirected(const secret::SecretBuffer& state) const {
    if (state.empty()) return nullptr;
    const auto digest = crypto::challenge_of(state);
    for (const auto& [id, one] : all_) {
        if (!one->start_url.empty() && one->state_digest == digest) return one;
    }
    return nullptr;
}

bool Authorizations::has_place_for(const Authorization& made) const {
    const auto places = places_of(made);
    std::size_t pending = places;
    std::size_t of_uid = places;
    std::size_t of_person = places;
    for (const auto& [id, one] : all_) {
        if (one->state != Authorization::State::pending) continue;
        pending += places_of(*one);
        if (one->uid != made.uid) continue;
        of_uid += places_of(*one);
        if (is_same(*one->asker.caller, *made.asker.caller)) of_person += places_of(*one);
    }
    const auto most = of_uid == places ? pending_most : pending_most - newcomers_places;
    return pending <= most && of_uid <= pending_of_uid_most && of_person <= pending_of_person_most;
}

result::Result<> Authorizations::add(AuthorizationRef made) {
    made->uid = made->asker.peer->uid;
    forget_old();
    if (!has_place_for(*made)) {
        return refuse({.code = ErrorCode::overloaded,
                       .sentence = "Too many authorizations are waiting for a person.",
                       .next_step = "Finish or delete some; each ends by itself after ten minutes at most.",
                       .retry_after_seconds = 60});
    }
    auto& one = *made;
    expire_at(made, one.ends_at);
    all_.emplace(one.id, std::move(made));
    await_browser(one);
    return {};
}

void Authorizations::add_ended(AuthorizationRef made) {
    made->uid = made->asker.peer->uid;
    made->asker.peer.reset(); // nobody comes back to it: its process needs no descriptor here
    forget_old();
    const auto id = made->id;
    all_.emplace(id, std::move(made));
}

result::Result<std::optional<Begun>> Authorizations::find_begun(const Asker& asker) const {
    if (asker.idempotency_key.empty()) return std::optional<Begun>();
    for (const auto& [id, one] : all_) {
        if (!is_same(*one->asker.caller, *asker.caller)) continue;
        const auto found = std::ranges::find(one->requests, asker.idempotency_key, &Authorization::Request::key);
        if (found == one->requests.end()) continue;
        if (found->body_digest != asker.body_digest) return sent_before_with_another_request();
        return Begun{.one = one, .status = found->status};
    }
    return std::optional<Begun>();
}

void Authorizations::note_request(const Asker& asker, const Begun& begun) {
    if (asker.idempotency_key.empty()) return;
    auto& requests = begun.one->requests;
    if (requests.size() == requests_most) requests.erase(requests.begin());
    requests.push_back({.key = asker.idempotency_key, .body_digest = asker.body_digest, .status = begun.status});
}

void Authorizations::shorten(const AuthorizationRef& one, runtime::BootTime ends_at) {
    if (ends_at >= one->ends_at) return;
    clock_.cancel(one->call);
    expire_at(one, ends_at);
}

void Authorizations::expire_at(const AuthorizationRef& one, runtime::BootTime ends_at) {
    one->ends_at = ends_at;
    one->call = clock_.call_at(ends_at, [this, weak = std::weak_ptr(one)] {
        const auto late = weak.lock();
        if (!late) return;
        late->call = 0;
        if (late->state == Authorization::State::pending && !late->is_used) {
            end(*late, Authorization::State::failed, "It expired: nobody came within the time for it.");
        }
    });
}

void Authorizations::await_browser(Authorization& one) {
    if (one.start_url.empty()) return;
    auto heard = await_browsers_(true);
    one.unheard = heard ? std::nullopt : std::optional(std::move(heard.error()));
}

void Authorizations::listen_no_longer_than_needed() {
    const bool is_needed = std::ranges::any_of(all_, [](const auto& one) {
        return one.second->state == Authorization::State::pending && !one.second->start_url.empty();
    });
    if (!is_needed) std::ignore = await_browsers_(false);
}

void Authorizations::end(Authorization& ended, Authorization::State state, std::string error, const Asker* by) {
    end_unnoted(ended, state, std::move(error));
    if (state == Authorization::State::failed) note_failed_(ended, by != nullptr ? *by : ended.asker);
}

void Authorizations::end_unnoted(Authorization& ended, Authorization::State state, std::string error) {
    if (ended.call != 0) clock_.cancel(std::exchange(ended.call, 0));
    ended.state = state;
    ended.error = std::move(error);
    ended.secrets = {};
    ended.device.reset();
    wake_poller(ended);
    listen_no_longer_than_needed();
}

void Authorizations::wake_poller(Authorization& one) {
    if (one.poll_call != 0) clock_.cancel(std::exchange(one.poll_call, 0));
    if (auto wake = std::exchange(one.wake, nullptr)) wake();
}

void Authorizations::forget_old() {
    std::erase_if(all_, [now = clock_.boot()](const auto& one) {
        return one.second->state != Authorization::State::pending && one.second->ends_at + shown_after_end < now;
    });
    while (all_.size() >= kept_most) forget_one_of_most();
}

/// The oldest result of the uid that has the most: nobody pushes out those of others.
void Authorizations::forget_one_of_most() {
    std::map<uid_t, std::size_t> ended;
    for (const auto& [id, one] : all_) {
        if (one->state != Authorization::State::pending) ++ended[one->uid];
    }
    const auto most = std::ranges::max_element(ended, {}, [](const auto& of_uid) { return of_uid.second; })->first;
    all_.erase(std::ranges::find_if(all_, [most](const auto& one) { // ids begin with their time
        return one.second->state != Authorization::State::pending && one.second->uid == most;
    }));
}

void Authorizations::end_all(const std::string& error) {
    for (const auto& [id, one] : all_) {
        if (one->state == Authorization::State::pending) end(*one, Authorization::State::failed, error);
    }
}

void Authorizations::quiet() {
    for (const auto& [id, one] : all_) {
        if (one->call != 0) clock_.cancel(std::exchange(one->call, 0));
        wake_poller(*one);
    }
    std::ignore = await_browsers_(false);
}

} // namespace credlease::broker
