#include "vault/encode.hpp"
#include "vault/scope_index.hpp"
#include "vault/sealing.hpp"
#include "vault/standing.hpp"

#include <algorithm>

namespace credlease::vault {
namespace {

using catalog::AuthType;
using catalog::Field;
using result::refuse;
using result::Result;

using Fields = vocabulary::PublicFields;

/// Public fields after the edit: given ones replace, cleared ones go or get their default.
Fields merged(const AuthType& auth, Fields fields, const GivenFields& given) {
    for (std::size_t i = 0; i < auth.fields.size(); ++i) {
        const Field& field = auth.fields[i];
        if (field.secret || (given.cleared >> i & 1) == 0) continue;
        fields.erase(field.name);
        if (field.default_value) fields.emplace(field.name, *field.default_value);
    }
    for (const auto& [name, value] : given.public_fields) fields.insert_or_assign(name, value);
    return fields;
}

bool is_same(const Fields& left, const Fields& right, const std::string& name) {
    const auto in_left = left.find(name);
    const auto in_right = right.find(name);
    if (in_left == left.end() || in_right == right.end()) return (in_left == left.end()) == (in_right == right.end());
    return in_left->second == in_right->second;
}

/// A secret destination counts as changed whenever it is given: it is not compared.
bool moves_destination(const AuthType& auth, const Fields& before, const Fields& after, std::uint32_t touched) {
    for (std::size_t i = 0; i < auth.fields.size(); ++i) {
        const Field& field = auth.fields[i];
        if (!field.destination) continue;
        if (field.secret ? (touched >> i & 1) != 0 : !is_same(before, after, field.name)) return true;
    }
    return false;
}

/// Every secret field that is set must be given anew, or cleared: the old value never goes to the new place.
Result<> check_all_anew(const AuthType& auth, const std::vector<std::string>& secret_fields, std::uint32_t touched) {
    for (const std::string& name : secret_fields) {
        const auto index = auth.find_field(name);
        if (!index || (touched >> *index & 1) != 0) continue;
        return refuse(
            {.code = result::ErrorCode::secret_required,
             .sentence = "A field that decides where the secret goes is only changed together with the secret.",
             .next_step = "Give every secret field anew in the same request.",
             .about = result::PublicText::of(name),
             .field = result::PublicText::of("fields." + name)});
    }
    return {};
}

/// A public field whose secret changes with it (an access key's id, a user's name) is not changed without it.
Result<> check_groups(const AuthType& auth, const Fields& before, const Fields& after, std::uint32_t touched) {
    const auto changes = [&](const std::string& name) { return !is_same(before, after, name); };
    for (const auto& group : auth.together) {
        if (std::ranges::none_of(group, changes)) continue;
        for (const std::string& name : group) {
            const auto index = *auth.find_field(name);
            if (!auth.fields[index].secret || (touched >> index & 1) != 0) continue;
            return refuse({.code = result::ErrorCode::secret_required,
                           .sentence = "These fields change together with their secret.",
                           .next_step = "Store them as a credential of its own, and delete this one.",
                           .about = result::PublicText::of(name),
                           .field = result::PublicText::of("fields." + name)});
        }
    }
    return {};
}

/// What the broker itself authenticates with may be another: no lease holds it, so no holder has to be told.
Result<> refuse_leased_secrets(const AuthType& auth, std::uint32_t touched) {
    for (std::size_t i = 0; i < auth.fields.size(); ++i) {
        if (!auth.fields[i].secret || !auth.fields[i].leased || (touched >> i & 1) == 0) continue;
        auto error = result::invalid("fields." + auth.fields[i].name, "An edit does not change a secret field.");
        error.next_step = "Store the new secret as a credential of its own, and delete this one.";
        return refuse(std::move(error));
    }
    return {};
}

std::uint32_t touched_by(const GivenFields& given) { return given.given | given.cleared; }

/// The public fields as they will be, and whether the secret ones go to another place.
struct EditedFields {
    Fields fields;
    bool has_moved = false;
};

Result<EditedFields> edited_fields(const AuthType& auth, const vocabulary::Credential& before,
                                   const GivenFields& given) {
    const std::uint32_t touched = touched_by(given);
    EditedFields edited{.fields = merged(auth, before.fields, given)};
    if (auto whole = check_groups(auth, before.fields, edited.fields, touched); !whole)
        return refuse(std::move(whole.error()));
    if (moves_destination(auth, before.fields, edited.fields, touched)) {
        auto checked = check_all_anew(auth, before.secret_fields, touched);
        if (!checked) return refuse(std::move(checked.error()));
        edited.has_moved = true;
        return edited;
    }
    auto checked = refuse_leased_secrets(auth, touched);
    if (!checked) return refuse(std::move(checked.error()));
    return edited;
}

/// Given ones replace, cleared ones go; the others stay, also those that the catalog does not know any more.
Result<FieldSet> merged(const AuthType& auth, const FieldSet& held, const GivenFields& given, secret::Arena& arena) {
    const auto stays = [&](std::string_view name) {
        const auto index = auth.find_field(name);
        return !index || (touched_by(given) >> *index & 1) == 0;
    };
    auto encoded = held.encoded().expose([&](std::span<const std::byte> before) {
        return given.secret_fields.encoded().expose([&](std::span<const std::byte> anew) {
            return encode(arena, secret::Share::leases, [&](auto& out) {
                SecretValues values(before);
                while (const auto value = values.next()) {
                    if (stays(value->name)) write_value(out, *value);
                }
                ByteWriter(out).raw(secret::as_text(anew));
            });
        });
    });
    if (!encoded) return refuse(std::move(encoded.error()));
    return FieldSet(std::move(*encoded));
}

/// Of the credential's own client: what a person says of it; of a secret that is new and of which nobody says it, the
/// entry's rule.
void change_secret_end(const AuthType& auth, const Edit& edit, vocabulary::OAuthState& state) {
    if (edit.client_secret_ends_at) {
        state.client_secret_ends_at = *edit.client_secret_ends_at;
        return;
    }
    const bool is_own = state.terms.client == vocabulary::ClientOwner::credential;
    if (!is_own || !edit.fields || !auth.oauth || !auth.oauth->client_secret) return;
    const auto field = std::uint32_t{1} << *auth.oauth->client_secret;
    if ((touched_by(*edit.fields) & field) == 0) return;
    state.client_secret_ends_at.reset();
    const auto& lives = auth.oauth->clocks.client_secret;
    if (lives && (edit.fields->given & field) != 0) state.client_secret_ends_at = edit.now + *lives;
}

void change_members(const Edit& edit, vocabulary::Credential& credential) {
    if (edit.name) credential.name = *edit.name;
    if (edit.notes) credential.notes = *edit.notes;
    if (edit.scope) credential.scope = *edit.scope;
    if (edit.expires_at) credential.expires_at = *edit.expires_at;
    if (edit.rotate_every) credential.rotate_every = *edit.rotate_every;
    credential.revision += 1;
    credential.updated_at = edit.now;
}

/// The tokens were got for another destination.
void await_authorization(Stored& stored) {
    stored.tokens.reset();
    stored.credential.generation = 0;
    const auto standing = standing_of(stored.credential);
    standing.status = vocabulary::CredentialStatus::pending;
    standing.reason = "A field that decides where its tokens go was changed.";
}

} // namespace

Result<Change> Vault::stage_edit(const Entry& entry, const AuthType& auth, Edit edit, store::Batch& batch) {
    auto change = state_->begin(entry);
    vocabulary::Credential& after = change->next->credential;
    change_members(edit, after);
    if (auto free = state_->check_name(after); !free) return refuse(std::move(free.error()));

    FieldSet secrets;
    bool has_moved = false;
    if (edit.fields) {
        auto edited = edited_fields(auth, entry.credential, *edit.fields);
        if (!edited) return refuse(std::move(edited.error()));
        after.fields = std::move(edited->fields);
        has_moved = edited->has_moved;
    }
    if (has_moved) {
        secrets = std::move(edit.fields->secret_fields);
        state_->erase_tokens(*change, batch);
        if (auth.oauth) await_authorization(*change->next);
    } else {
        auto held = state_->open_given(entry, secret::Share::leases);
        if (held && edit.fields) held = merged(auth, *held, *edit.fields, state_->arena);
        if (!held) return refuse(std::move(held.error()));
        secrets = std::move(*held);
    }
    after.secret_fields = names_in(secrets);
    change->next->fingerprint = fingerprint_of(state_->keys.fingerprint, secrets);
    auto staged = state_->stage(*change, secrets, batch);
    if (!staged) return refuse(std::move(staged.error()));
    if (change->next->tokens) {
        auto tokens = state_->open_token_set(entry, secret::Share::leases);
        if (!tokens) return refuse(std::move(tokens.error()));
        auto known = entry.tokens->state;
        change_secret_end(auth, edit, known);
        staged = state_->stage_token_set(*change, std::move(known), *tokens, batch);
        if (!staged) return refuse(std::move(staged.error()));
    }
    return Change(std::move(change));
}

} // namespace credlease::vault
