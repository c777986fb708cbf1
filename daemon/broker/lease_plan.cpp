#include "broker/lease_plan.hpp"

#include "broker/change.hpp"
#include "broker/lease_record.hpp"
#include "broker/refresher.hpp"
#include "vault/lease_text.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

/// A token is new for a tenth of its life: so who asks for one that lives longer than any does not use up the
/// provider's budget, nor kill the tokens of others.
constexpr int new_for = 10;

/// A refresh of this kind leaves a moment in which the old token is refused already.
bool may_blip(const vault::Entry& entry, const catalog::AuthType& auth) {
    if (!entry.tokens || !auth.oauth) return false;
    if (entry.tokens->state.may_be_refused_for.count() > 0) return true;
    const auto& chosen = auth.oauth->refresh_class;
    constexpr auto kills = catalog::RefreshClass::kills_access_token;
    const auto& fields = entry.credential.fields;
    const auto word = chosen.field ? fields.find(auth.fields[*chosen.field].name) : fields.end();
    if (word == fields.end()) return chosen.value == kills;
    const auto* text = std::get_if<std::string>(&word->second);
    return text != nullptr && *text == catalog::name_of(kills);
}

void write_head(wire::SecretJsonWriter& writer, const leases::Lease& lease, const vocabulary::Credential& credential) {
    writer.raw(R"({"lease":")");
    if (char* out = writer.take(vocabulary::LeaseId::text_size)) lease.id.write_text(out);
    writer.raw(R"(","expires_at":)");
    writer.time(lease.expires_at);
    writer.raw(R"(,"renewable_until":)");
    writer.time(lease.renewable_until);
    writer.raw(R"(,"limited_by":")");
    writer.raw(vocabulary::name_of(lease.limited_by));
    writer.raw(R"(","credential":{"id":")");
    if (char* out = writer.take(vocabulary::CredentialId::text_size)) credential.id.write_text(out);
    writer.raw(R"(","name":)");
    writer.quoted(credential.name.text());
    writer.raw(R"(,"service":)");
    writer.quoted(credential.service.text());
    writer.raw(R"(,"auth":)");
    writer.quoted(credential.auth);
    writer.raw(R"(,"version":)");
    writer.number(credential.version);
    writer.raw(R"(,"generation":)");
    writer.number(static_cast<std::int64_t>(credential.generation));
    writer.raw("}");
}

} // namespace

ScopeText::ScopeText(const vocabulary::Scope& scope) {
    const auto put = [this](std::string_view part) {
        const auto fits = std::min(part.size(), text_.size() - size_);
        part.copy(text_.data() + size_, fits);
        size_ += fits;
    };
    switch (scope.kind) {
    case vocabulary::ScopeKind::organization:
        put("organization");
        break;
    case vocabulary::ScopeKind::workspace:
        put("workspace:");
        put(scope.workspace.text());
        break;
    case vocabulary::ScopeKind::personal:
        put("personal:");
        put(scope.user.directory.text());
        put("/");
        put(scope.user.name.text());
        break;
    }
}

Term term_of(const Unsealed& house, const access::Caller& caller, const vocabulary::Credential& credential,
             std::optional<vocabulary::Duration> asked, vocabulary::Time issued_at,
             std::optional<vocabulary::Time> token_ends) {
    const auto& limits = house.settings().leases;
    const auto now = house.time.now();
    const auto most = caller.max_ttl.count() > 0 ? caller.max_ttl : limits.max_ttl;
    const auto ttl = asked.value_or(limits.default_ttl);

    Term term{.expires_at = now + std::min(ttl, most), .renewable_until = issued_at + limits.max_total};
    if (ttl > most) term.limited_by = vocabulary::LimitedBy::max_ttl;
    const auto clip = [&term](vocabulary::Time end, vocabulary::LimitedBy limit) {
        term.renewable_until = std::min(term.renewable_until, end);
        if (end >= term.expires_at) return;
        term.expires_at = end;
        term.limited_by = limit;
    };
    if (caller.grant) clip(caller.grant->expires_at, vocabulary::LimitedBy::grant);
    if (credential.expires_at) clip(*credential.expires_at, vocabulary::LimitedBy::credential);
    if (term.expires_at > term.renewable_until) {
        term.expires_at = term.renewable_until;
        term.limited_by = vocabulary::LimitedBy::max_ttl;
    }
    // A renewal brings the next token: only this end is the token's. It is wall time, which can be set.
    const auto end = token_ends ? std::optional(now + (*token_ends - house.wall())) : std::nullopt;
    if (end && *end < term.expires_at) {
        term.expires_at = *end;
        term.limited_by = vocabulary::LimitedBy::token;
    }
    return term;
}

namespace {

/// Of the access tokens among these fields; nullptr: there is none that ends.
const vocabulary::TokenState* first_to_end(const vault::Entry& entry, const catalog::AuthType& auth,
                                           std::uint32_t fields) {
    const vocabulary::TokenState* first = nullptr;
    if (!entry.tokens || !auth.oauth) return first;
    for (const auto& slot : auth.oauth->slots) {
        if ((fields >> slot.access_token & 1) == 0) continue;
        const auto& tokens = entry.tokens->state.tokens;
        const auto token = std::ranges::find(tokens, slot.name, &vocabulary::TokenState::slot);
        if (token == tokens.end() || !token->access_ends_at) continue;
        if (first == nullptr || token->access_ends_at < first->access_ends_at) first = &*token;
    }
    return first;
}

/// What is still to be waited for after a refresh.
std::optional<TokenWait> next_wait(const Unsealed& house, const TokenWait& done) {
    const auto* entry = house.vault->find({&done.scope, 1}, done.id);
    if (done.is_by_person || entry == nullptr) return std::nullopt;
    const auto kind = kind_of(house, entry->credential);
    return kind ? token_wait(house, *entry, *kind->auth, done.fields, done.min_valid) : std::nullopt;
}

} // namespace

std::optional<vocabulary::Time> token_end(const vault::Entry& entry, const catalog::AuthType& auth,
                                          std::uint32_t fields) {
    const auto* first = first_to_end(entry, auth, fields);
    return first != nullptr ? first->access_ends_at : std::nullopt;
}

std::optional<TokenWait> token_wait(const Unsealed& house, const vault::Entry& entry, const catalog::AuthType& auth,
                                    std::uint32_t fields, vocabulary::Duration min_valid) {
    const auto now = house.wall();
    const auto* first = first_to_end(entry, auth, fields);
    if (first == nullptr || *first->access_ends_at > now + min_valid) return std::nullopt;
    const auto ends = *first->access_ends_at;
    const auto got_at = vocabulary::got_at(entry.tokens->state, *first);
    const bool is_new = now - got_at < (ends - got_at) / new_for;
    if (is_new && ends > now) return std::nullopt; // another would hardly live longer
    return TokenWait{.scope = entry.credential.scope,
                     .id = entry.credential.id,
                     .is_by_person = false,
                     .fields = fields,
                     .min_valid = min_valid};
}

runtime::Task<result::Result<>> wait_for_token(Unsealed& house, Asker& asker, TokenWait wait) {
    // The request itself may take twice as long: it goes on for whoever asks next.
    const auto deadline = house.parts.clock.boot() + house.settings().outbound.timeout / 2;
    const auto by = wait.is_by_person ? Refresher::By::person : Refresher::By::lease;
    std::optional<TokenWait> next = std::move(wait);
    for (std::size_t slots = 0; next && slots < catalog::slots_most; ++slots) {
        auto refreshed = co_await house.refresher->refresh(next->scope, next->id, deadline, by);
        if (!refreshed) co_return refuse(std::move(refreshed.error()));
        next = next_wait(house, *next);
    }
    co_return look_again(house, asker);
}

result::Result<> check_token(const Unsealed& house, std::optional<vocabulary::Time> token_ends) {
    if (!token_ends || *token_ends > house.wall()) return {};
    return refuse({.code = ErrorCode::upstream_failed,
                   .sentence = "The provider gave a token that has ended already.",
                   .next_step = "Look at the clocks: the broker's and the provider's differ."});
}

result::Result<> check_leasable(const Unsealed& house, const vocabulary::Credential& credential) {
    using vocabulary::CredentialStatus;
    const bool past = credential.expires_at && *credential.expires_at <= house.wall();
    if (credential.status == CredentialStatus::revoked) {
        return refuse({.code = ErrorCode::credential_revoked,
                       .sentence = "credential revoked",
                       .next_step = "Ask its owner to restore it or to give you another."});
    }
    if (credential.status == CredentialStatus::pending) {
        return refuse({.code = ErrorCode::credential_pending,
                       .sentence = "The credential is not authorized yet.",
                       .next_step = "Finish its authorization first; credlease show may say what is in its way."});
    }
    if (credential.status == CredentialStatus::expired || past) {
        return refuse({.code = ErrorCode::credential_expired,
                       .sentence = "The credential has expired.",
                       .next_step = past ? result::StaticText("Give it a new secret or a later end.")
                                         : result::StaticText("Authorize it anew (credlease reauthorize).")});
    }
    return {};
}

namespace {

/// Those that could be asked for are named.
result::Failure no_such_field(const catalog::AuthType& auth, std::uint32_t allowed) {
    std::string names;
    for (std::size_t i = 0; i < auth.fields.size(); ++i) {
        if ((allowed >> i & 1) != 0) names += (names.empty() ? "it has " : ", ") + auth.fields[i].name;
    }
    auto error = result::invalid("fields", "The credential's service has no field of this name.");
    error.about = result::PublicText::of(names);
    return refuse(std::move(error));
}

} // namespace

result::Result<std::uint32_t> fields_for(const access::Caller& caller, const catalog::AuthType& auth,
                                         std::span<const std::string_view> names, bool given) {
    const auto bit = [](std::size_t index) { return std::uint32_t{1} << index; };
    std::uint32_t allowed = 0;
    for (std::size_t i = 0; i < auth.fields.size(); ++i) {
        const auto& name = auth.fields[i].name;
        if (!auth.fields[i].leased) continue;
        if (caller.fields.empty() || std::ranges::find(caller.fields, name) != caller.fields.end()) allowed |= bit(i);
    }
    if (!given) return allowed;
    std::uint32_t wanted = 0;
    for (const auto name : names) {
        const auto index = auth.find_field(name);
        if (!index) return no_such_field(auth, allowed);
        if (!auth.fields[*index].leased) {
            return refuse(result::invalid("fields", "The broker keeps this field to itself: no lease holds it."));
        }
        if ((allowed & bit(*index)) == 0) {
            return refuse({.code = ErrorCode::forbidden,
                           .sentence = "Your rule or grant does not reach this field.",
                           .next_step = "Ask for the fields that it names, or leave `fields` out.",
                           .about = result::PublicText::of(name)});
        }
        wanted |= bit(*index);
    }
    return wanted;
}

result::Result<secret::SecretBuffer> write_lease_reply(Unsealed& house, const leases::Lease& lease,
                                                       const vault::Entry& entry, const catalog::AuthType& auth) {
    auto opened = house.vault->open(entry, auth);
    if (!opened) return refuse(std::move(opened.error()));
    std::size_t size = 0;
    bool whole = true;
    house.reply_scratch.expose_to_write([&](std::span<std::byte> scratch) {
        wire::SecretJsonWriter writer(reinterpret_cast<char*>(scratch.data()), scratch.size());
        write_head(writer, lease, entry.credential);
        if (may_blip(entry, auth)) writer.raw(R"(,"may_blip":true)");
        whole = opened->encoded().expose([&](std::span<const std::byte> plaintext) {
            return vault::write_lease_members(writer, auth, entry, plaintext, lease.fields);
        });
        writer.raw("}");
        size = writer.size();
        whole = whole && !writer.overflowed();
    });
    auto reply = house.reply_scratch.expose_to_write([&](std::span<std::byte> scratch) {
        const auto written = scratch.first(size);
        auto copied = secret::SecretBuffer::copy(house.parts.arena, written, secret::Share::leases);
        secret::wipe(written);
        return copied;
    });
    if (whole) return reply;
    return refuse({.code = ErrorCode::damaged,
                   .sentence = "The stored fields do not fit the service's entry in the catalog.",
                   .next_step = "Put back the entry that the credential was made with, or give the credential anew."});
}

vocabulary::AuditRecord lease_record(const Asker& asker, vocabulary::Action action, const leases::Lease& lease,
                                     const vault::Entry& entry, vocabulary::LeaseView& view) {
    view = view_of(lease);
    view.idempotency_key = asker.idempotency_key;
    view.body_digest = asker.body_digest;
    auto record = record_of(asker, action);
    concern(record, entry.credential);
    record.fingerprint = vault::leased_fingerprint(entry);
    record.lease = lease.id;
    record.workflow = lease.workflow;
    record.run = lease.run;
    record.node = lease.node;
    record.claimed = lease.claimed;
    record.lease_view = &view;
    return record;
}

} // namespace credlease::broker
