#include "broker/expiry.hpp"
#include "broker/find_credential.hpp"
#include "broker/grants.hpp"
#include "wire/json_writer.hpp"

#include <algorithm>
#include <charconv>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::invalid;
using result::refuse;

/// The scopes that a grant for this workspace and user reaches.
std::vector<vocabulary::Scope> reached_scopes(const vocabulary::Grant& grant) {
    std::vector<vocabulary::Scope> scopes;
    if (grant.user) scopes.push_back(vocabulary::Scope::of(*grant.user));
    scopes.push_back(vocabulary::Scope::of(grant.workspace));
    scopes.push_back(vocabulary::Scope::organization());
    return scopes;
}

/// Anyone mints within their own use: the workspace must be one of the minter's, the user the actor.
result::Result<> read_whom(const Unsealed& house, const access::Caller& caller, const wire::MintGrant& asked,
                           vocabulary::Grant& grant) {
    auto scope =
        read_scope(house, caller, wire::ScopeMessage{.kind = "workspace", .workspace = asked.workspace, .user = {}});
    if (!scope) return refuse(std::move(scope.error()));
    grant.workspace = scope->workspace;
    if (!asked.user) return {};
    auto user = vocabulary::UserId::read(*asked.user);
    if (!user) return refuse(invalid("user", "This is not a user id. Write user:DIRECTORY/NAME."));
    if (!caller.user || *caller.user != *user) {
        return refuse({.code = ErrorCode::forbidden,
                       .sentence = "A grant for a user is minted by that user, or by an engine acting for it.",
                       .next_step = "Send Credlease-Actor with the user's name, or leave `user` out."});
    }
    grant.user = std::move(*user);
    return {};
}

result::Result<> read_labels(const wire::MintGrant& asked, vocabulary::Grant& grant) {
    auto workflow = vocabulary::Label::read(asked.workflow);
    if (!workflow) return refuse(invalid("workflow", workflow.error().sentence));
    grant.workflow = workflow->text();
    if (!asked.run) return {};
    auto run = vocabulary::Label::read(*asked.run);
    if (!run) return refuse(invalid("run", run.error().sentence));
    grant.run = run->text();
    return {};
}

/// Exactly one of `credentials`, `services` and `all`. Names become ids now: what they mean later does not matter.
result::Result<> read_reach(Unsealed& house, const access::Caller& caller, const wire::MintGrant& asked,
                            vocabulary::Grant& grant) {
    const int given =
        int{asked.credentials.has_value()} + int{asked.services.has_value()} + int{asked.all.value_or(false)};
    if (given != 1) return refuse(invalid("credentials", "Say one of credentials, services or all."));
    if ((asked.credentials && asked.credentials->empty()) || (asked.services && asked.services->empty())) {
        return refuse(invalid(asked.credentials ? "credentials" : "services", "Name at least one."));
    }
    grant.reach.all = asked.all.value_or(false);
    const auto scopes = reached_scopes(grant);
    const auto operation = caller.every_scope ? access::Operation::view : access::Operation::use;
    for (const auto& name : asked.credentials.value_or(std::vector<std::string>())) {
        auto found = find_credential(house, caller, operation, scopes, name);
        if (!found) return refuse(std::move(found.error()));
        grant.reach.credentials.push_back((*found)->credential.id);
    }
    for (const auto& name : asked.services.value_or(std::vector<std::string>())) {
        const auto* service = house.rules.catalog->find(name);
        if (service == nullptr) {
            return refuse({.code = ErrorCode::service_not_found,
                           .sentence = "The catalog has no such service.",
                           .about = result::PublicText::of(name)});
        }
        grant.reach.services.push_back(service->id);
    }
    return {};
}

/// The auth types that a grant's leases can be of.
std::vector<const catalog::AuthType*> reached_types(const Unsealed& house, const vocabulary::Grant& grant) {
    std::vector<const catalog::AuthType*> types;
    for (const auto& id : grant.reach.credentials) {
        const auto* entry = house.vault->find(reached_scopes(grant), id);
        if (const auto kind = entry != nullptr ? kind_of(house, entry->credential) : Kind{}; kind)
            types.push_back(kind->auth);
    }
    return types;
}

/// Which fields, by name. None at all would be a grant for nothing.
result::Result<> read_fields(const Unsealed& house, const wire::MintGrant& asked, vocabulary::Grant& grant) {
    if (!asked.fields) return {};
    if (asked.fields->empty())
        return refuse(invalid("fields", "Name at least one field, or leave `fields` out for all."));
    grant.fields = *asked.fields;
    const auto types = reached_types(house, grant);
    if (types.empty()) return {}; // of services and of all: what there will be is not known
    for (const auto& name : grant.fields) {
        const auto has_it = [&](const catalog::AuthType* type) { return type->find_field(name).has_value(); };
        if (std::ranges::any_of(types, has_it)) continue;
        auto error = invalid("fields", "None of the grant's credentials has a field of this name.");
        error.about = result::PublicText::of(name);
        return refuse(std::move(error));
    }
    return {};
}

/// Absent: the minter's uid; null: anyone who holds the token; else that uid.
result::Result<> read_uid(const Asker& asker, const wire::MintGrant& asked, vocabulary::Grant& grant) {
    if (!asked.uid) {
        grant.uid = asker.peer->uid;
        return {};
    }
    if (asked.uid->is_null()) return {};
    const auto* number = asked.uid->if_int64();
    if (number == nullptr || *number < 0 || *number > UINT32_MAX - 1)
        return refuse(invalid("uid", "A uid is a number, or null."));
    grant.uid = static_cast<std::uint32_t>(*number);
    return {};
}

result::Result<vocabulary::Grant> read_grant(Unsealed& house, const Asker& asker, const wire::MintGrant& asked) {
    const auto& caller = *asker.caller;
    vocabulary::Grant grant;
    grant.minted_by = caller.principal;
    grant.on_behalf_of = caller.on_behalf_of;
    if (auto read = read_whom(house, caller, asked, grant); !read) return refuse(std::move(read.error()));
    if (auto read = read_labels(asked, grant); !read) return refuse(std::move(read.error()));
    if (auto read = read_reach(house, caller, asked, grant); !read) return refuse(std::move(read.error()));
    if (auto read = read_uid(asker, asked, grant); !read) return refuse(std::move(read.error()));
    if (auto read = read_fields(house, asked, grant); !read) return refuse(std::move(read.error()));
    if (asked.max_leases && *asked.max_leases == 0)
        return refuse(invalid("max_leases", "A grant gives at least one lease."));
    grant.max_leases = asked.max_leases;
    grant.max_ttl = asked.max_ttl;
    grant.created_at = house.time.now();
    grant.expires_at = grant.created_at + asked.ttl;
    return grant;
}

result::Result<secret::SecretBuffer> write_minted(Unsealed& house, const vocabulary::Grant& grant,
                                                  const secret::SecretBuffer& token) {
    constexpr std::size_t most = 256;
    auto body = secret::SecretBuffer::make(house.parts.arena, most, secret::Share::leases);
    if (!body) return body;
    std::size_t size = 0;
    body->expose_to_write([&](std::span<std::byte> bytes) {
        wire::SecretJsonWriter writer(reinterpret_cast<char*>(bytes.data()), bytes.size());
        writer.raw(R"({"grant":")");
        token.expose([&](std::span<const std::byte> text) { writer.raw(secret::as_text(text)); });
        writer.raw(R"(","id":")");
        if (char* out = writer.take(vocabulary::GrantId::text_size)) grant.id.write_text(out);
        writer.raw(R"(","expires_at":)");
        writer.time(grant.expires_at);
        writer.raw("}");
        size = writer.size();
    });
    body->shrink(size);
    return body;
}

std::string grant_named_in(const Answer& minted) { return minted.location.substr(minted.location.rfind('/') + 1); }

/// The grant that this key minted before, if it lives; then its token is replaced under the same id.
const vocabulary::Grant* minted_before(const Unsealed& house, const Answer& before) {
    const auto id = vocabulary::GrantId::find(grant_named_in(before));
    return id ? house.grants->find(*id) : nullptr;
}

vocabulary::AuditRecord mint_record(const Asker& asker, const vocabulary::Grant& grant) {
    auto record = record_of(asker, vocabulary::Action::grant_minted);
    record.grant = grant.id;
    record.workflow = grant.workflow;
    record.run = grant.run;
    record.detail = grant.uid ? std::string_view() : std::string_view("bearer: whoever holds the token");
    return record;
}

} // namespace

runtime::Task<result::Result<Minted>> mint_grant(Unsealed& house, Asker asker, wire::MintGrant asked) {
    auto keys = gate_keys(asker, {});
    auto pass = co_await take_turn(house, asker, std::move(keys));
    if (!pass) co_return refuse(std::move(pass.error()));
    auto before = co_await find_outcome(house, asker);
    if (!before) co_return refuse(std::move(before.error()));
    if (*before) { // the grant that was minted then is changed: nobody withdraws or counts it meanwhile
        auto with_grant = gate_keys(asker, {"grant:" + grant_named_in(**before)});
        pass->leave();
        pass = co_await take_turn(house, asker, std::move(with_grant));
        if (!pass) co_return refuse(std::move(pass.error()));
    }
    auto grant = read_grant(house, asker, asked);
    if (!grant) co_return refuse(std::move(grant.error()));

    store::Batch batch;
    grant->id = vocabulary::GrantId(house.next_id());
    if (*before) {
        const auto* first = minted_before(house, **before);
        if (first == nullptr) {
            co_return refuse({.code = ErrorCode::grant_not_found,
                              .sentence = "The grant that this Idempotency-Key minted has ended.",
                              .next_step = "Mint a new one with a new key."});
        }
        grant = *first;
    }
    auto token = crypto::make_grant_token(house.parts.arena);
    if (!token) co_return refuse(std::move(token.error()));
    house.grants->stage_mint(*grant, *token, batch);
    const auto now = house.wall();
    if (!*before) {
        house.outcomes.stage(
            asker,
            {.body_digest = asker.body_digest, .at = now, .status = 201, .location = "/v1/grants/" + grant->id.text()},
            batch);
    }
    auto record = mint_record(asker, *grant);
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    house.grants->apply_mint(*grant, *token);
    if (!*before) house.outcomes.apply(asker, now);
    expire_by(house, grant->expires_at);
    auto body = write_minted(house, *grant, *token);
    if (!body) co_return refuse(std::move(body.error()));
    co_return Minted{.id = grant->id, .body = std::move(*body)};
}

} // namespace credlease::broker
