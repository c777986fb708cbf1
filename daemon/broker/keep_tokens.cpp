#include "broker/keep_tokens.hpp"

#include "broker/ask_for_fields.hpp"
#include "broker/change.hpp"
#include "broker/clock_warnings.hpp"
#include "broker/events.hpp"
#include "broker/find_credential.hpp"
#include "broker/refresher.hpp"
#include "broker/status_change.hpp"
#include "runtime/crash_point.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;
using vocabulary::Action;

constexpr std::chrono::milliseconds first_wait_for_store{250};
constexpr std::chrono::milliseconds longest_wait_for_store{5000};
constexpr std::chrono::milliseconds looks_apart{100}; ///< whether the broker closes

using Place = store::Rescue::Place;
using Stage = std::function<result::Result<vault::Change>(const vault::Entry&, store::Batch&)>;

/// What lies in DATA/rescue of one credential.
struct Rescued {
    Place place;
    vault::Entry next;
};

runtime::Task<runtime::Gate::Pass> enter(Unsealed& house, const Refreshed& what) {
    std::vector<std::string> keys{gate_key(what.id)};
    co_return co_await house.gate.enter(std::move(keys));
}

result::Failure no_grant() {
    return refuse(
        {.code = ErrorCode::version_conflict,
         .sentence = "The credential was changed while its tokens were refreshed: it waits for its authorization.",
         .next_step = "Authorize it (credlease reauthorize)."});
}

result::Failure closing() {
    return refuse({.code = ErrorCode::sealed,
                   .sentence = "The broker is closing, and the store refuses the tokens: they are kept beside it.",
                   .next_step = "Ask again when it is ready."});
}

/// A token set that is not in the store yet: it holds a stop while it is on no disk.
class Unkept {
  public:
    Unkept(Unsealed& house, std::optional<Place> lies) : house_(house), place_(lies) {
        if (!place_) ++house_.unkept_tokens;
    }
    ~Unkept() {
        if (!place_) --house_.unkept_tokens;
    }
    Unkept(const Unkept&) = delete;
    Unkept& operator=(const Unkept&) = delete;

    /// As the store refused it.
    runtime::Task<> rescue(const vault::Change& refused);
    /// Until the next try; false: the broker closes, and needs no more tries.
    runtime::Task<bool> wait();
    /// It is in the store, or of no use.
    runtime::Task<> clear();

  private:
    Unsealed& house_;
    std::optional<Place> place_; ///< in DATA/rescue
    bool is_told_ = false;
    std::chrono::milliseconds next_ = first_wait_for_store;
};

runtime::Task<> Unkept::rescue(const vault::Change& refused) {
    if (place_) co_return;
    vocabulary::AuditRecord record;
    record.action = Action::oauth_rescued;
    record.principal = vocabulary::by_itself;
    concern(record, refused.after());
    record.fingerprint = refused.tokens()->fingerprint;
    auto job = [&rescue = house_.rescue, set = vault::Vault::write_rescued(refused)] { return rescue.put(set); };
    auto put = co_await house_.parts.commit.run(std::move(job));
    if (!put) {
        if (!std::exchange(is_told_, true)) house_.parts.tell_problem(put.error());
        co_return;
    }
    place_ = *put;
    --house_.unkept_tokens;
    house_.journal->note(record);
    house_.parts.tell_rescued(record.credential);
}

runtime::Task<bool> Unkept::wait() {
    auto& clock = house_.parts.clock;
    const auto until = clock.boot() + next_;
    next_ = std::min(next_ * 2, longest_wait_for_store);
    while (clock.boot() < until) {
        if (house_.is_closing && place_) co_return false;
        co_await clock.sleep_until(std::min(until, clock.boot() + looks_apart));
    }
    co_return true;
}

runtime::Task<> Unkept::clear() {
    if (!place_) co_return;
    auto job = [&rescue = house_.rescue, place = *place_] { return rescue.clear(place); };
    auto cleared = co_await house_.parts.commit.run(std::move(job));
    if (!cleared) house_.parts.tell_problem(cleared.error()); // the next start finds that it is of no use
}

/// Of a credential, before its tokens came.
struct Before {
    std::uint32_t version = 0;
    bool is_connected = false;
};

/// What is new besides the tokens.
struct Besides {
    bool has_lost_scopes = false;
    bool has_other_status = false;
};

/// "scopes lost: write admin", which a refresh did not bring back; empty: the provider grants what it did.
std::string newly_lost(const vault::Entry& before, const vault::Change& change) {
    if (!before.tokens || change.after().version != before.credential.version) return {};
    const auto& known_tokens = before.tokens->state.tokens;
    std::string text;
    for (std::size_t i = 0; i < known_tokens.size(); ++i) { // a refresh adds no slot before these
        const auto& known = known_tokens[i].lost_scopes;
        for (const auto& scope : change.tokens()->state.tokens[i].lost_scopes) {
            if (std::ranges::find(known, scope) == known.end()) text += ' ' + scope;
        }
    }
    return text.empty() ? text : std::string(lost_scopes) + text;
}

/// Once they are in the store.
void tell(Unsealed& house, const vault::Entry& entry, const Before& before, const Besides& besides) {
    const auto& credential = entry.credential;
    if (credential.version == before.version) {
        house.events->credential_refreshed(credential);
    } else if (before.is_connected) {
        house.events->credential_rotated(credential);
    }
    if (besides.has_lost_scopes) house.events->credential_updated(credential);
    if (besides.has_other_status) house.events->credential_status_changed(credential);
    house.refresher->plan(entry);
    if (credential.version != before.version) house.clock_warnings->look_soon();
}

/// How tokens go into the store.
struct Keeping {
    vocabulary::AuditRecord record;
    Stage stage{};
    audit::Sync sync = audit::Sync::at_once;
};

runtime::Task<result::Result<>> try_until_kept(Unsealed& house, const Refreshed& what, const Keeping& keeping,
                                               Unkept& unkept) {
    auto record = keeping.record;
    const auto detail = record.detail;
    for (;;) {
        auto pass = co_await enter(house, what);
        const auto* entry = find_refreshed(house, what);
        if (entry == nullptr) co_return access::credential_not_found();
        const Before before{.version = entry->credential.version, .is_connected = entry->tokens != nullptr};
        store::Batch batch;
        auto change = keeping.stage(*entry, batch);
        const bool may_pass = change || change.error().code == ErrorCode::overloaded; // the arena is full
        if (!may_pass) co_return refuse(std::move(change.error()));
        bool is_kept = false;
        Besides besides;
        if (change) {
            const auto lost = newly_lost(*entry, *change);
            const StatusChange status(entry->credential, change->after(), house.wall());
            besides = {.has_lost_scopes = !lost.empty(), .has_other_status = status.is_one()};
            record.detail = lost.empty() ? detail : lost;
            concern(record, change->after());
            record.fingerprint = change->tokens()->fingerprint;
            record.changes = status.views();
            runtime::crash_point("tokens staged");
            auto committed = co_await house.journal->commit(record, std::move(batch), keeping.sync);
            runtime::crash_point("tokens durable");
            is_kept = committed.has_value();
        }
        if (is_kept) {
            house.vault->apply(std::move(*change));
            runtime::crash_point("before the event");
            tell(house, *find_refreshed(house, what), before, besides);
            co_return result::Result<>();
        }
        pass.leave();
        if (change) co_await unkept.rescue(*change);
        const bool goes_on = co_await unkept.wait();
        if (!goes_on) co_return closing();
    }
}

/// `lies`: of what is in DATA/rescue, where.
runtime::Task<result::Result<>> keep(Unsealed& house, const Refreshed& what, const Keeping& keeping,
                                     std::optional<Place> lies = std::nullopt) {
    Unkept unkept(house, lies);
    auto kept = co_await try_until_kept(house, what, keeping, unkept);
    const bool is_of_no_use = !kept && (kept.error().code == ErrorCode::version_conflict ||
                                        kept.error().code == ErrorCode::credential_not_found);
    if (kept || is_of_no_use) co_await unkept.clear();
    co_return kept;
}

vocabulary::AuditRecord record_by(const Asker* by, Action action) {
    if (by != nullptr) return record_of(*by, action);
    vocabulary::AuditRecord record;
    record.action = action;
    record.principal = vocabulary::by_itself;
    return record;
}

runtime::Task<result::Result<>> keep_rescued(Unsealed& house, const Refreshed& what, const Rescued& rescued) {
    const auto kind = kind_of(house, rescued.next.credential);
    if (!kind) co_return refuse(kind.error());
    const auto catalog = house.rules.catalog; // a reload does not take the entry away meanwhile
    const bool is_first = rescued.next.credential.generation == 0;
    Keeping keeping;
    keeping.record = record_by(nullptr, is_first ? Action::oauth_connected : Action::oauth_refreshed);
    keeping.record.detail = "from DATA/rescue";
    keeping.stage = [&](const vault::Entry& entry, store::Batch& batch) {
        return house.vault->stage_rescued(entry, *kind->auth, rescued.next, batch);
    };
    auto kept = co_await keep(house, what, keeping, rescued.place);
    if (kept) house.tasks.start(ask_for_fields(house, what));
    co_return kept;
}

/// It is absent, or without its tokens, because a record of it failed its authentication: a backup may bring that back.
bool is_damaged(const Unsealed& house, const vocabulary::CredentialId& id) {
    return std::ranges::any_of(house.store.damaged(), [&](const store::DamagedRecord& record) {
        const bool is_its = record.table == store::Table::credentials || record.table == store::Table::tokens;
        return is_its && record.key == id.text();
    });
}

using RescuedSets = std::shared_ptr<const std::vector<Rescued>>;

/// One after another; what the last came to.
runtime::Task<result::Result<>> keep_each(Unsealed& house, const Refreshed& what, RescuedSets sets) {
    result::Result<> kept;
    for (const auto& rescued : *sets) {
        kept = co_await keep_rescued(house, what, rescued);
        if (!kept && !house.is_closing) house.parts.tell_problem(kept.error());
    }
    co_return kept;
}

} // namespace

runtime::Task<result::Result<>> connect(Unsealed& house, const Refreshed& what, const TokenClient& client,
                                        const vault::NewConnection& made, const Asker* by,
                                        const Outcomes::Outcome* outcome) {
    auto asked = client.asked_with();
    asked.secrets.reset(); // they came by those of before
    Keeping keeping{.record = record_by(by, Action::oauth_connected)};
    keeping.stage = [&](const vault::Entry& entry, store::Batch& batch) -> result::Result<vault::Change> {
        auto still = TokenClient::open_again(house, entry, asked);
        if (!still) return refuse(std::move(still.error()));
        auto change = house.vault->stage_connect(entry, still->auth(), made, batch);
        if (change && outcome != nullptr) house.outcomes.stage(*by, *outcome, batch);
        return change;
    };
    auto kept = co_await keep(house, what, keeping);
    if (kept && outcome != nullptr) house.outcomes.apply(*by, outcome->at);
    if (kept) co_await ask_for_fields(house, what); // whoever connected it leases it next
    co_return kept;
}

runtime::Task<result::Result<>> keep_refreshed(Unsealed& house, const Refreshed& what, const TokenClient& client,
                                               const Follows& follows, const vault::NewTokens& made) {
    Keeping keeping{.record = record_by(nullptr, Action::oauth_refreshed), .sync = follows.sync};
    keeping.stage = [&](const vault::Entry& entry, store::Batch& batch) -> result::Result<vault::Change> {
        if (!entry.tokens) return no_grant(); // an edit of where they come from took them away
        return house.vault->stage_tokens(entry, client.auth(), follows.of, made, batch);
    };
    auto kept = co_await keep(house, what, keeping);
    const bool is_stale = !kept && kept.error().code == ErrorCode::version_conflict;
    if (is_stale) co_return result::Result<>();
    if (kept) house.tasks.start(ask_for_fields(house, what)); // nobody waits for what is still not known
    co_return kept;
}

void take_up_rescued(Unsealed& house) {
    std::map<vocabulary::CredentialId, std::vector<Rescued>> found;
    house.rescue.read([&](const Place& place, std::string_view bytes) {
        auto next = house.vault->read_rescued(bytes);
        if (next) {
            const auto id = next->credential.id;
            found[id].push_back({.place = place, .next = std::move(*next)});
            return;
        }
        house.parts.tell_problem({.code = ErrorCode::damaged,
                                  .sentence = "What lies in DATA/rescue does not authenticate: it is left alone.",
                                  .next_step = "If it is not known where it comes from, keep a copy of the file.",
                                  .about = result::PublicText::of("slot " + std::to_string(place.slot))});
    });
    for (auto& [id, sets] : found) {
        if (is_damaged(house, id)) {
            house.parts.tell_problem({.code = ErrorCode::damaged,
                                      .sentence = "DATA/rescue has tokens of a credential whose record is damaged: "
                                                  "they are left alone.",
                                      .next_step = "Restore that record from a backup: the next start takes them up.",
                                      .about = result::PublicText::of(id.text())});
            continue;
        }
        const auto* entry = house.vault->find(house.vault->all_scopes(), id);
        const auto scope = entry != nullptr ? entry->credential.scope : sets.front().next.credential.scope;
        auto shared = std::make_shared<const std::vector<Rescued>>(std::move(sets));
        house.refresher->fly(scope, id,
                             [&house, shared](const Refreshed& what) { return keep_each(house, what, shared); });
    }
}

} // namespace credlease::broker
