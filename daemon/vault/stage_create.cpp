#include "vault/scope_index.hpp"
#include "vault/sealing.hpp"

namespace credlease::vault {
namespace {

using result::refuse;
using result::Result;

Result<> check_required(const catalog::AuthType& auth, const GivenFields& fields) {
    for (std::size_t i = 0; i < auth.fields.size(); ++i) {
        const bool is_given = (fields.given >> i & 1) != 0;
        if (!auth.fields[i].required || auth.fields[i].source != catalog::Source::person || is_given) continue;
        return refuse(result::invalid("fields." + auth.fields[i].name, "The service needs this field."));
    }
    return {};
}

vocabulary::PublicFields with_defaults(const catalog::AuthType& auth, vocabulary::PublicFields fields) {
    for (const catalog::Field& field : auth.fields) {
        if (field.default_value) fields.try_emplace(field.name, *field.default_value);
    }
    return fields;
}

vocabulary::Credential made_from(NewCredential& created) {
    vocabulary::Credential made;
    made.id = created.id;
    made.name = std::move(created.name);
    made.service = created.service->id;
    made.auth = created.auth->name;
    made.scope = std::move(created.scope);
    made.owner = std::move(created.owner);
    made.notes = std::move(created.notes);
    made.fields = with_defaults(*created.auth, std::move(created.fields.public_fields));
    made.secret_fields = names_in(created.fields.secret_fields);
    if (created.auth->oauth) made.status = vocabulary::CredentialStatus::pending;
    made.created_at = created.now;
    made.created_by = std::move(created.created_by);
    made.updated_at = created.now;
    made.expires_at = created.expires_at;
    made.rotate_every = created.rotate_every;
    made.rotated_at = created.now;
    return made;
}

} // namespace

Result<Change> Vault::stage_create(NewCredential created, store::Batch& batch) {
    if (auto complete = check_required(*created.auth, created.fields); !complete) return refuse(complete.error());
    auto change = std::make_unique<Change::State>();
    change->before = created.scope;
    change->next = std::make_unique<Stored>();
    change->next->credential = made_from(created);
    change->next->fingerprint = fingerprint_of(state_->keys.fingerprint, created.fields.secret_fields);
    if (auto free = state_->check_name(change->next->credential); !free) return refuse(free.error());
    auto staged = state_->stage(*change, created.fields.secret_fields, batch);
    if (!staged) return refuse(std::move(staged.error()));
    return Change(std::move(change));
}

} // namespace credlease::vault
