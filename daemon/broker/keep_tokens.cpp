#include "broker/keep_tokens.hpp"

#include "broker/ask_for_fields.hpp"
#include "broker/change.hpp"
#include "broker/clock_warnings.hpp"
#include "broker/events.hpp"
#include "broker/refresher.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

using result::refuse;
using vocabulary::Action;

constexpr std::chrono::milliseconds first_wait_for_store{250};
constexpr std::chrono::milliseconds longest_wait_for_store{5000};

runtime::Task<runtime::Gate::Pass> enter(Unsealed& house, const Refreshed& what) {
    std::vector<std::string> keys{gate_key(what.id)};
    co_return co_await house.gate.enter(std::move(keys));
}

const vault::Entry* find(const Unsealed& house, const Refreshed& what) {
    return house.vault->find({&what.scope, 1}, what.id);
}

/// Holds a stop, and waits for the next try at a store that refuses.
class Patience {
  public:
    explicit Patience(Unsealed& house) : house_(house) { ++house_.unkept_tokens; }
    ~Patience() { --house_.unkept_tokens; }
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

    runtime::Task<> wait() {
        auto& clock = house_.parts.clock;
        const auto until = clock.boot() + next_;
        next_ = std::min(next_ * 2, longest_wait_for_store);
        co_await clock.sleep_until(until);
    }

  private:
    Unsealed& house_;
    std::chrono::milliseconds next_ = first_wait_for_store;
};

/// False: the store did not take it.
runtime::Task<bool> commit(Unsealed& house, vocabulary::AuditRecord record, vault::Change change, store::Batch batch) {
    concern(record, change.after());
    record.fingerprint = change.tokens()->fingerprint;
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (committed) house.vault->apply(std::move(change));
    co_return committed.has_value();
}

vocabulary::AuditRecord record_by(const Asker* by, Action action) {
    if (by != nullptr) return record_of(*by, action);
    vocabulary::AuditRecord record;
    record.action = action;
    record.principal = "broker";
    return record;
}

/// "scopes lost: write admin"; empty: the provider grants what it did.
std::string newly_lost(const vocabulary::OAuthState& before, const vocabulary::OAuthState& after) {
    std::string text;
    for (std::size_t i = 0; i < before.tokens.size(); ++i) { // a refresh adds no slot before these
        const auto& known = before.tokens[i].lost_scopes;
        for (const auto& scope : after.tokens[i].lost_scopes) {
            if (std::ranges::find(known, scope) == known.end()) text += ' ' + scope;
        }
    }
    return text.empty() ? text : "scopes lost:" + text;
}

} // namespace

runtime::Task<result::Result<>> connect(Unsealed& house, const Refreshed& what, const TokenClient& client,
                                        const vault::NewConnection& made, const Asker* by) {
    for (Patience patience(house);;) {
        auto pass = co_await enter(house, what);
        const auto* entry = find(house, what);
        if (entry == nullptr) co_return access::credential_not_found();
        const auto status = entry->credential.status;
        const bool is_first = !entry->tokens;
        store::Batch batch;
        auto change = house.vault->stage_connect(*entry, client.auth(), made, batch);
        if (!change && change.error().code == result::ErrorCode::damaged) co_return refuse(std::move(change.error()));
        bool is_kept = false;
        if (change) {
            auto record = record_by(by, Action::oauth_connected);
            is_kept = co_await commit(house, record, std::move(*change), std::move(batch));
        }
        if (is_kept) {
            const auto& credential = find(house, what)->credential;
            if (!is_first) house.events->credential_rotated(credential);
            if (credential.status != status) house.events->credential_status_changed(credential);
            house.refresher->plan(*find(house, what));
            house.clock_warnings->look_soon();
            pass.leave();
            co_await ask_for_fields(house, what); // whoever connected it leases it next
            co_return result::Result<>();
        }
        pass.leave();
        co_await patience.wait();
    }
}

runtime::Task<> keep_refreshed(Unsealed& house, const Refreshed& what, const TokenClient& client,
                               const vault::Generation& of, const vault::NewTokens& made) {
    for (Patience patience(house);;) {
        auto pass = co_await enter(house, what);
        const auto* entry = find(house, what);
        if (entry == nullptr || vault::generation_of(entry->credential) != of) co_return;
        const auto status = entry->credential.status;
        store::Batch batch;
        auto change = house.vault->stage_tokens(*entry, client.auth(), of, made, batch);
        bool is_kept = false;
        std::string lost;
        if (change) {
            auto record = record_by(nullptr, Action::oauth_refreshed);
            lost = newly_lost(entry->tokens->state, change->tokens()->state);
            if (!lost.empty()) record.detail = lost;
            is_kept = co_await commit(house, record, std::move(*change), std::move(batch));
        }
        if (is_kept) {
            const auto& credential = find(house, what)->credential;
            house.events->credential_refreshed(credential);
            if (!lost.empty()) house.events->credential_updated(credential);
            if (credential.status != status) house.events->credential_status_changed(credential);
            house.tasks.start(ask_for_fields(house, what)); // nobody waits for what is still not known
            co_return;
        }
        pass.leave();
        co_await patience.wait();
    }
}

} // namespace credlease::broker
