#include "broker/clock_warnings.hpp"
#include "broker/credentials.hpp"
#include "broker/events.hpp"
#include "broker/expiry.hpp"
#include "broker/find_credential.hpp"
#include "broker/refresh_failing.hpp"
#include "broker/refresher.hpp"
#include "broker/status_change.hpp"
#include "broker/views.hpp"
#include "oauth/terms.hpp"
#include "wire/limits.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::invalid;
using result::refuse;

/// What is left out stays.
result::Result<> read_time(std::string_view member, const std::optional<boost::json::value>& asked,
                           std::optional<std::optional<vocabulary::Time>>& into) {
    if (!asked) return {};
    auto time = read_time_or_null(member, *asked);
    if (!time) return refuse(std::move(time.error()));
    into.emplace(*time);
    return {};
}

/// The organization's client's is said where that is set.
result::Result<> read_secret_end(const wire::EditCredential& asked, const vault::Entry& entry, vault::Edit& edit) {
    constexpr std::string_view member = "client_secret_ends_at";
    if (!asked.client_secret_ends_at) return {};
    const bool is_own = entry.tokens && entry.tokens->state.terms.client == vocabulary::ClientOwner::credential;
    if (is_own) return read_time(member, asked.client_secret_ends_at, edit.client_secret_ends_at);
    auto error = invalid(member, "Only a connected OAuth credential with a client of its own has a client secret.");
    error.next_step =
        "Authorize it first; of the organization's client: credlease oauth-client set S --secret-ends TIME.";
    return refuse(std::move(error));
}

result::Result<> read_rotation(const wire::EditCredential& asked, vault::Edit& edit) {
    if (!asked.rotate_every) return {};
    if (asked.rotate_every->is_null()) {
        edit.rotate_every.emplace(std::nullopt);
        return {};
    }
    if (!asked.rotate_every->is_string()) return refuse(invalid("rotate_every", "Write a duration (\"90d\") or null."));
    auto every = vocabulary::read_duration(asked.rotate_every->get_string());
    if (!every) return refuse(invalid("rotate_every", "Write a duration (\"90d\") or null."));
    edit.rotate_every.emplace(*every);
    return {};
}

result::Result<> read_texts(const wire::EditCredential& asked, vault::Edit& edit) {
    if (asked.name) {
        auto name = vocabulary::CredentialName::read(*asked.name);
        if (!name) return refuse(invalid("name", name.error().sentence));
        edit.name = std::move(*name);
    }
    if (asked.notes && asked.notes->size() > wire::limits::notes) {
        return refuse(invalid("notes", "Notes are at most 4096 bytes."));
    }
    edit.notes = asked.notes;
    return {};
}

/// Into another scope: use and edit on the source, create in the target; making a shared secret personal needs its
/// admin.
result::Result<> read_target(const Unsealed& house, const Asker& asker, const vocabulary::Credential& credential,
                             const wire::EditCredential& asked, vault::Edit& edit) {
    if (!asked.scope) return {};
    auto target = read_scope(house, *asker.caller, asked.scope);
    if (!target) return refuse(std::move(target.error()));
    if (*target == credential.scope) return {};
    const auto& caller = *asker.caller;
    for (const auto operation : {access::Operation::use, access::Operation::edit, access::Operation::rescope}) {
        auto allowed = authorize(caller, operation, credential.scope, credential.id, credential.service);
        if (!allowed) return refuse(std::move(allowed.error()));
    }
    auto allowed = authorize(caller, access::Operation::create, *target, {}, credential.service);
    if (!allowed) return refuse(std::move(allowed.error()));
    edit.scope = std::move(*target);
    return {};
}

result::Result<vault::Edit> read_edit(Unsealed& house, const Asker& asker, const vault::Entry& entry,
                                      const catalog::AuthType& auth, const wire::EditCredential& asked) {
    vault::Edit edit;
    edit.now = house.wall();
    if (auto read = read_texts(asked, edit); !read) return refuse(std::move(read.error()));
    if (auto read = read_time("expires_at", asked.expires_at, edit.expires_at); !read)
        return refuse(std::move(read.error()));
    if (auto read = read_secret_end(asked, entry, edit); !read) return refuse(std::move(read.error()));
    if (auto read = read_rotation(asked, edit); !read) return refuse(std::move(read.error()));
    if (auto read = read_target(house, asker, entry.credential, asked, edit); !read)
        return refuse(std::move(read.error()));
    if (asked.fields) {
        auto fields = vault::read_fields(auth, *asked.fields, house.parts.arena);
        if (!fields) return refuse(std::move(fields.error()));
        edit.fields = std::move(*fields);
    }
    return edit;
}

/// When it was asked for one the last time, as far as that is known.
bool got_no_token(const vocabulary::Credential& credential) {
    using vocabulary::CredentialStatus;
    const bool is_first = credential.status == CredentialStatus::pending;
    return credential.status == CredentialStatus::failing || (is_first && !credential.status_reason.empty());
}

std::vector<std::string> touched_secrets(const catalog::AuthType& auth,
                                         const std::optional<vault::GivenFields>& given) {
    std::vector<std::string> names;
    for (std::size_t i = 0; given && i < auth.fields.size(); ++i) {
        const bool is_touched = ((given->given | given->cleared) >> i & 1) != 0;
        if (is_touched && auth.fields[i].secret) names.push_back(auth.fields[i].name);
    }
    return names;
}

std::string shown(const vocabulary::PublicValue* value) {
    if (value == nullptr) return {};
    if (const auto* text = std::get_if<std::string>(value)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(value)) return std::to_string(*number);
    if (const auto* flag = std::get_if<bool>(value)) return *flag ? "true" : "false";
    std::string joined;
    if (const auto* list = std::get_if<std::vector<std::string>>(value)) {
        for (const auto& item : *list) joined += (joined.empty() ? "" : ", ") + item;
    } else {
        for (const auto& [key, item] : std::get<std::map<std::string, std::string>>(*value)) {
            joined += (joined.empty() ? "" : ", ") + key + ": " + item;
        }
    }
    return joined;
}

/// Each member that changed, with its old and new public value.
class Changes {
  public:
    Changes(const vocabulary::Credential& before, const vocabulary::Credential& after,
            const std::vector<std::string>& replaced_fields, const StatusChange& status) {
        note("name", before.name.text(), after.name.text());
        note("notes", before.notes, after.notes);
        note("scope", before.scope.text(), after.scope.text());
        note("expires_at", time(before.expires_at), time(after.expires_at));
        note("rotate_every", span(before.rotate_every), span(after.rotate_every));
        for (const auto& [name, value] : before.fields) note("fields." + name, shown(&value), shown(find(after, name)));
        for (const auto& [name, value] : after.fields) {
            if (find(before, name) == nullptr) note("fields." + name, "", shown(&value));
        }
        // Of a secret field only that it was replaced; given anew, even the same value counts.
        for (const auto& name : replaced_fields) texts_.push_back({"fields." + name, "", ""});
        for (const auto& text : texts_) views_.push_back({.member = text[0], .before = text[1], .after = text[2]});
        for (const auto& view : status.views()) views_.push_back(view);
    }
    [[nodiscard]] std::span<const vocabulary::ChangeView> views() const { return views_; }

  private:
    static std::string time(const std::optional<vocabulary::Time>& at) { return at ? vocabulary::text_of(*at) : ""; }
    static std::string span(const std::optional<vocabulary::Duration>& d) { return d ? vocabulary::text_of(*d) : ""; }
    static const vocabulary::PublicValue* find(const vocabulary::Credential& credential, const std::string& name) {
        const auto at = credential.fields.find(name);
        return at == credential.fields.end() ? nullptr : &at->second;
    }
    void note(std::string member, std::string before, std::string after) {
        if (before != after) texts_.push_back({std::move(member), std::move(before), std::move(after)});
    }

    std::vector<std::array<std::string, 3>> texts_;
    std::vector<vocabulary::ChangeView> views_;
};

/// What is edited, guarded with the names of the scopes that it is in and goes to.
struct Turn {
    runtime::Gate::Pass pass;
    const vault::Entry* entry = nullptr;
};

runtime::Task<result::Result<Turn>> take_turn_for(Unsealed& house, Asker& asker, const std::string& id,
                                                  const wire::EditCredential& asked) {
    for (;;) {
        auto found = find_viewed(house, *asker.caller, access::Operation::edit, id);
        if (!found) co_return refuse(std::move(found.error()));
        const auto scope = (*found)->credential.scope;
        std::vector<std::string> keys{gate_key((*found)->credential.id), gate_key(scope)};
        if (const auto target = read_scope(house, *asker.caller, asked.scope); asked.scope && target) {
            keys.push_back(gate_key(*target));
        }
        auto pass = co_await take_turn(house, asker, std::move(keys));
        if (!pass) co_return refuse(std::move(pass.error()));
        found = find_viewed(house, *asker.caller, access::Operation::edit, id);
        if (!found) co_return refuse(std::move(found.error()));
        if ((*found)->credential.scope != scope) continue; // it has moved meanwhile: other names are to be guarded
        Turn turn{.pass = std::move(*pass), .entry = *found};
        co_return turn;
    }
}

} // namespace

runtime::Task<result::Result<Answer>> edit_credential(Unsealed& house, Asker asker, std::string id,
                                                      std::string if_match, wire::EditCredential asked) {
    auto turn = co_await take_turn_for(house, asker, id, asked);
    if (!turn) co_return refuse(std::move(turn.error()));
    const auto& entry = *turn->entry;
    if (auto match = check_match(if_match, entry.credential.revision); !match)
        co_return refuse(std::move(match.error()));
    auto kind = kind_of(house, entry.credential);
    if (!kind) co_return refuse(std::move(kind.error()));
    auto edit = read_edit(house, asker, entry, *kind->auth, asked);
    if (!edit) co_return refuse(std::move(edit.error()));

    store::Batch batch;
    const auto now = edit->now;
    const auto replaced = touched_secrets(*kind->auth, edit->fields);
    auto change = house.vault->stage_edit(entry, *kind->auth, std::move(*edit), batch);
    if (!change) co_return refuse(std::move(change.error()));
    const auto& after = change->after();
    if (kind->auth->oauth && after.fields != entry.credential.fields) {
        auto fit = oauth::check_places(*kind->auth, oauth::Values(*kind->auth, after.fields), false);
        if (!fit) co_return refuse(std::move(fit.error()));
    }
    const bool may_refresh_now = got_no_token(after) && (!replaced.empty() || after.fields != entry.credential.fields);
    const StatusChange status(entry.credential, after, now);
    const Changes changes(entry.credential, after, replaced, status);
    Answer answer{.at = now,
                  .status = 200,
                  .revision = after.revision,
                  .body = credential_json(house, after, entry.last_used_at)};
    const bool moved = after.scope != entry.credential.scope;
    auto record = record_of(asker, vocabulary::Action::credential_edited);
    concern(record, after);
    record.changes = changes.views();
    record.fingerprint = change->fingerprint();
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    const auto credential_id = after.id;
    const bool is_over = after.expires_at && *after.expires_at <= now;
    house.events->credential_updated(after);
    // That it is over from now on, run_expiry tells.
    if (status.is_one() && !is_over) house.events->credential_status_changed(after);
    const auto scope = after.scope;
    house.vault->apply(std::move(*change));
    house.refresher->plan(*house.vault->find({&scope, 1}, credential_id));
    if (may_refresh_now) house.tasks.start(refresh_edited(house, scope, credential_id));
    house.clock_warnings->look_soon();
    if (is_over) end_leases(house, {.credential = credential_id}, vocabulary::EndReason::expired);
    if (moved) end_leases(house, {.credential = credential_id}, vocabulary::EndReason::scope_changed);
    schedule_expiry(house);
    co_return answer;
}

} // namespace credlease::broker
