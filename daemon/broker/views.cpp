#include "broker/views.hpp"

#include "broker/lease_plan.hpp"
#include "broker/oauth_view.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

template <class... Ts> struct Overloaded : Ts... {
    using Ts::operator()...;
};

void write_value(wire::JsonWriter& writer, const vocabulary::PublicValue& value) {
    std::visit(Overloaded{[&](const std::vector<std::string>& list) {
                              writer.array();
                              for (const auto& item : list) writer.value(item);
                              writer.close();
                          },
                          [&](const std::map<std::string, std::string>& map) {
                              writer.object();
                              for (const auto& [key, item] : map) writer.member(key, item);
                              writer.close();
                          },
                          [&](const std::string& text) { writer.value(std::string_view(text)); },
                          [&](std::int64_t number) { writer.value(number); }, [&](bool flag) { writer.value(flag); }},
               value);
}

/// The access tokens are fields of a connected one, as the catalog names them.
void write_token_fields(wire::JsonWriter& writer, const Unsealed& house, const vault::Entry& entry) {
    const auto kind = kind_of(house, entry.credential);
    if (!kind || !kind->auth->oauth) return;
    for (const auto& slot : kind->auth->oauth->slots) {
        const auto& held = entry.tokens->state.tokens;
        if (std::ranges::find(held, slot.name, &vocabulary::TokenState::slot) == held.end()) continue;
        writer.key(kind->auth->fields[slot.access_token].name).object().member("set", true).close();
    }
}

void write_fields(wire::JsonWriter& writer, const Unsealed& house, const vocabulary::Credential& credential,
                  const vault::Entry* entry) {
    writer.key("fields").object();
    for (const auto& [name, value] : credential.fields) {
        writer.key(name);
        write_value(writer, value);
    }
    for (const auto& name : credential.secret_fields) writer.key(name).object().member("set", true).close();
    if (entry != nullptr && entry->tokens) write_token_fields(writer, house, *entry);
    writer.close();
}

void write_rotation(wire::JsonWriter& writer, const Unsealed& house, const vocabulary::Credential& credential) {
    const auto every = credential.rotate_every ? credential.rotate_every : house.settings().rotation.every;
    writer.key("rotation");
    if (!every) {
        writer.null();
        return;
    }
    const auto due = credential.rotated_at + *every;
    writer.object().member("every", vocabulary::text_of(*every)).member("due_at", due);
    writer.member("overdue", due <= house.wall()).close();
}

void write_members(wire::JsonWriter& writer, const Unsealed& house, const vocabulary::Credential& credential,
                   std::optional<vocabulary::Time> last_used_at) {
    writer.member("id", credential.id.text()).member("name", credential.name.text());
    writer.member("service", credential.service.text()).member("auth", credential.auth).key("scope");
    write_scope(writer, credential.scope);
    writer.member("owner", credential.owner).member("notes", credential.notes);
    const auto* entry = house.vault->find({&credential.scope, 1}, credential.id);
    write_fields(writer, house, credential, entry);
    writer.member("status", vocabulary::name_of(vault::effective_status(credential, house.wall())));
    writer.member_or_null("status_reason", credential.status_reason);
    writer.member("version", credential.version).member("generation", credential.generation);
    writer.member("revision", credential.revision).member("created_at", credential.created_at);
    writer.member("created_by", credential.created_by).member("updated_at", credential.updated_at);
    writer.member("last_used_at", last_used_at).member("expires_at", credential.expires_at);
    write_rotation(writer, house, credential);
    writer.key("last_test").null();
    if (entry != nullptr && entry->tokens) write_oauth(writer, house, *entry);
}

} // namespace

void write_scope(wire::JsonWriter& writer, const vocabulary::Scope& scope) {
    writer.object();
    switch (scope.kind) {
    case vocabulary::ScopeKind::organization:
        writer.member("kind", "organization");
        break;
    case vocabulary::ScopeKind::workspace:
        writer.member("kind", "workspace").member("workspace", scope.workspace.text());
        break;
    case vocabulary::ScopeKind::personal:
        writer.member("kind", "personal").member("user", scope.user.text());
        break;
    }
    writer.close();
}

void write_credential(wire::JsonWriter& writer, const Unsealed& house, const vocabulary::Credential& credential,
                      std::optional<vocabulary::Time> last_used_at, bool with_usable) {
    writer.object();
    write_members(writer, house, credential, last_used_at);
    if (with_usable) {
        const auto leasable = check_leasable(house, credential);
        writer.member("usable", leasable.has_value());
        writer.member_or_null("reason", leasable ? std::string_view() : result::name_of(leasable.error().code));
    }
    writer.close();
}

std::string credential_json(const Unsealed& house, const vocabulary::Credential& credential,
                            std::optional<vocabulary::Time> last_used_at, const Members& more) {
    std::string text;
    wire::JsonWriter writer(text);
    writer.object();
    write_members(writer, house, credential, last_used_at);
    if (more) more(writer);
    writer.close();
    return text;
}

void write_lease(wire::JsonWriter& writer, const Unsealed& house, const leases::Lease& lease) {
    writer.object().member("lease", lease.id.text()).key("credential").object();
    writer.member("id", lease.credential.text());
    if (const auto scope = vocabulary::Scope::find(lease.scope)) {
        if (const auto* entry = house.vault->find({&*scope, 1}, lease.credential)) {
            writer.member("name", entry->credential.name.text()).member("service", entry->credential.service.text());
        }
    }
    writer.member("version", lease.version).member("generation", lease.generation).close();
    writer.member("principal", lease.principal).member_or_null("on_behalf_of", lease.on_behalf_of);
    writer.member_or_null("grant", lease.grant == vocabulary::GrantId() ? std::string() : lease.grant.text());
    writer.key("holder");
    if (lease.binding == vocabulary::Binding::process) {
        writer.object().member("pid", lease.holder.pid).member("uid", lease.uid).close();
    } else {
        writer.null();
    }
    writer.member("bind", vocabulary::name_of(lease.binding)).key("purpose").object();
    writer.member_or_null("workflow", lease.workflow).member_or_null("run", lease.run);
    writer.member_or_null("node", lease.node).member("claimed", lease.claimed).close();
    writer.member("issued_at", lease.issued_at).member("expires_at", lease.expires_at);
    writer.member("renewable_until", lease.renewable_until);
    writer.member("limited_by", vocabulary::name_of(lease.limited_by)).close();
}

void write_grant(wire::JsonWriter& writer, const vocabulary::Grant& grant) {
    writer.object().member("id", grant.id.text()).member("minted_by", grant.minted_by);
    writer.member_or_null("on_behalf_of", grant.on_behalf_of).member("workspace", grant.workspace.text());
    writer.member_or_null("user", grant.user ? grant.user->text() : std::string());
    writer.member("workflow", grant.workflow).member_or_null("run", grant.run).member("all", grant.reach.all);
    writer.key("credentials").array();
    for (const auto& id : grant.reach.credentials) writer.value(id.text());
    writer.close().key("services").array();
    for (const auto& id : grant.reach.services) writer.value(id.text());
    writer.close().key("fields").array();
    for (const auto& name : grant.fields) writer.value(name);
    writer.close().member("created_at", grant.created_at).member("expires_at", grant.expires_at).key("max_ttl");
    grant.max_ttl ? writer.value(vocabulary::text_of(*grant.max_ttl)) : writer.null();
    writer.member("max_leases", grant.max_leases)
        .member("leases_taken", grant.leases_taken)
        .member("uid", grant.uid)
        .close();
}

void write_workspace(wire::JsonWriter& writer, const access::Workspace& workspace) {
    writer.object().member("id", workspace.id.text()).key("members").array();
    for (const auto& [user, member] : workspace.members) {
        writer.object().member("user", user.text()).member("role", settings::name_of(member.first)).close();
    }
    writer.close().close();
}

} // namespace credlease::broker
