#include "broker/credentials.hpp"
#include "broker/events.hpp"
#include "broker/expiry.hpp"
#include "broker/refresher.hpp"
#include "broker/views.hpp"
#include "oauth/terms.hpp"
#include "wire/limits.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::invalid;
using result::refuse;

struct Described {
    const catalog::Service* service = nullptr;
    const catalog::AuthType* auth = nullptr;
};

result::Result<Described> read_kind(const Unsealed& house, const wire::CreateCredential& asked) {
    const auto* service = house.rules.catalog->find(asked.service);
    if (service == nullptr) {
        return refuse({.code = ErrorCode::service_not_found,
                       .sentence = "The catalog has no such service.",
                       .next_step = "See what there is with GET /v1/services (credlease services), or use http-bearer, "
                                    "http-basic, http-api-key or custom-headers.",
                       .about = result::PublicText::of(asked.service)});
    }
    const auto* auth = asked.auth ? service->find_auth(*asked.auth) : &service->auth_types.front();
    if (auth == nullptr) return refuse(invalid("auth", "The service has no auth type of this name."));
    return Described{.service = service, .auth = auth};
}

result::Result<> read_texts(const wire::CreateCredential& asked, const Unsealed& house, vault::NewCredential& made) {
    auto name = vocabulary::CredentialName::read(asked.name);
    if (!name) return refuse(invalid("name", name.error().sentence));
    made.name = std::move(*name);
    if (asked.notes && asked.notes->size() > wire::limits::notes) {
        return refuse(invalid("notes", "Notes are at most 4096 bytes."));
    }
    made.notes = asked.notes.value_or("");
    if (asked.expires_at && *asked.expires_at <= house.wall()) {
        return refuse(invalid("expires_at", "This time has passed."));
    }
    made.expires_at = asked.expires_at;
    made.rotate_every = asked.rotate_every;
    return {};
}

/// The organization's client, which a credential without one of its own asks by, may say where.
result::Result<> check_places(const catalog::AuthType& auth, const vocabulary::PublicFields& fields) {
    if (!auth.oauth) return {};
    const oauth::Values values(auth, fields);
    const bool are_all = !vault::takes_client(auth) || values.has(*auth.oauth->client_id);
    return oauth::check_places(auth, values, are_all);
}

result::Result<vault::NewCredential> read_all(Unsealed& house, const Asker& asker,
                                              const wire::CreateCredential& asked) {
    auto scope = read_scope(house, *asker.caller, asked.scope);
    if (!scope) return refuse(std::move(scope.error()));
    auto kind = read_kind(house, asked);
    if (!kind) return refuse(std::move(kind.error()));
    if (!authorize(*asker.caller, access::Operation::create, *scope, {}, kind->service->id)) {
        return refuse({.code = ErrorCode::forbidden,
                       .sentence = "You may not store credentials in this scope.",
                       .next_step = "It takes the role editor there, and of an engine Credlease-Actor."});
    }

    vault::NewCredential made;
    made.id = vocabulary::CredentialId(house.next_id());
    made.scope = std::move(*scope);
    made.service = kind->service;
    made.auth = kind->auth;
    if (auto read = read_texts(asked, house, made); !read) return refuse(std::move(read.error()));
    auto fields = vault::read_fields(*kind->auth, asked.fields, house.parts.arena);
    if (!fields) return refuse(std::move(fields.error()));
    made.fields = std::move(*fields);
    if (auto fit = check_places(*kind->auth, made.fields.public_fields); !fit) return refuse(std::move(fit.error()));
    const auto& caller = *asker.caller;
    made.created_by = caller.on_behalf_of.empty() ? caller.principal : caller.on_behalf_of;
    made.owner = made.scope.kind == vocabulary::ScopeKind::personal ? made.scope.user.text() : made.created_by;
    made.now = house.wall();
    return made;
}

} // namespace

runtime::Task<result::Result<Answer>> create_credential(Unsealed& house, Asker asker, wire::CreateCredential asked) {
    const auto scope = read_scope(house, *asker.caller, asked.scope);
    if (!scope) co_return refuse(scope.error());
    auto keys = gate_keys(asker, {gate_key(*scope)});
    auto pass = co_await take_turn(house, asker, std::move(keys));
    if (!pass) co_return refuse(std::move(pass.error()));
    auto before = co_await find_outcome(house, asker);
    if (!before) co_return refuse(std::move(before.error()));
    if (*before) co_return std::move(**before);
    auto made = read_all(house, asker, asked);
    if (!made) co_return refuse(std::move(made.error()));
    const auto now = made->now;

    store::Batch batch;
    auto change = house.vault->stage_create(std::move(*made), batch);
    if (!change) co_return refuse(std::move(change.error()));
    const auto& credential = change->after();
    Answer answer{.body_digest = asker.body_digest,
                  .at = now,
                  .status = 201,
                  .location = "/v1/credentials/" + credential.id.text(),
                  .revision = credential.revision,
                  .body = credential_json(house, credential, std::nullopt)};
    house.outcomes.stage(asker, answer, batch);
    auto record = record_of(asker, vocabulary::Action::credential_created);
    concern(record, credential);
    const auto detail = credential.scope.text();
    record.detail = detail;
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    house.events->credential_created(change->after());
    const auto created = change->after().id;
    house.vault->apply(std::move(*change));
    house.outcomes.apply(asker, now);
    schedule_expiry(house);
    if (const auto* entry = house.vault->find({&*scope, 1}, created)) house.refresher->plan(*entry);
    co_return answer;
}

} // namespace credlease::broker
