#include "broker/renew_lease.hpp"

#include "broker/events.hpp"
#include "broker/expiry.hpp"
#include "broker/gone_lease.hpp"
#include "broker/held_lease.hpp"
#include "broker/lease_plan.hpp"
#include "broker/lease_record.hpp"
#include "wire/json_writer.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

/// Of a lease that was the asker's, or that an operator asks for.
std::optional<leases::Book::Ended> find_own_end(const Unsealed& house, const Asker& asker,
                                                const vocabulary::LeaseId& id) {
    auto end = house.book.find_ended(id);
    if (!end || asker.caller->is_operator()) return end;
    const leases::Idempotency::Whose was{.principal = end->principal, .on_behalf_of = end->on_behalf_of};
    return was == whose(*asker.caller) ? end : std::nullopt;
}

result::Result<secret::SecretBuffer> write_renewal(Unsealed& house, const leases::Lease& lease, const Held& held,
                                                   bool with_secret) {
    const auto& entry = *held.entry;
    if (with_secret) return write_lease_reply(house, lease, entry, *held.auth);
    std::string text;
    wire::JsonWriter writer(text);
    writer.object().member("lease", lease.id.text()).member("expires_at", lease.expires_at);
    writer.member("renewable_until", lease.renewable_until).member("limited_by", vocabulary::name_of(lease.limited_by));
    writer.key("credential").object().member("id", entry.credential.id.text());
    writer.member("name", entry.credential.name.text()).member("service", entry.credential.service.text());
    writer.member("auth", entry.credential.auth).member("version", entry.credential.version);
    writer.member("generation", entry.credential.generation).close().close();
    return secret::SecretBuffer::copy(house.parts.arena, std::string_view(text), secret::Share::leases);
}

vocabulary::AuditRecord renewal_record(const Asker& asker, vocabulary::Action action, const leases::Lease& lease,
                                       const vault::Entry& entry, vocabulary::LeaseView& view, bool with_secret) {
    auto record = lease_record(asker, action, lease, entry, view);
    if (!with_secret) record.fingerprint = {};
    record.detail = with_secret ? "secret delivered" : "";
    return record;
}

/// Under a grant that counts its leases what becomes of them is on the disk before it is answered.
result::Result<std::uint64_t> append(Unsealed& house, const Asker& asker, const vocabulary::AuditRecord& record,
                                     audit::Waiter waiter) {
    return is_counted(asker) ? house.journal->append_synced(record, waiter) : house.journal->append(record, waiter);
}

/// The same key and body again: what the first renewal answered, nothing moved.
result::Result<StagedReply> stage_again(Unsealed& house, const Asker& asker, const leases::Idempotency::Seen& seen,
                                        const leases::Lease& lease, const Held& held, audit::Waiter waiter) {
    if (auto same = check_same(seen, asker, true); !same) return refuse(std::move(same.error()));
    auto body = write_renewal(house, lease, held, seen.with_secret);
    if (!body) return refuse(std::move(body.error()));
    vocabulary::LeaseView view;
    auto staged =
        append(house, asker,
               renewal_record(asker, vocabulary::Action::lease_redelivered, lease, *held.entry, view, seen.with_secret),
               waiter);
    if (!staged) return refuse(std::move(staged.error()));
    return StagedReply{.lease = lease.id, .status = 200, .body = std::move(*body)};
}

} // namespace

result::Result<leases::Lease> find_lease(const Unsealed& house, const Asker& asker, std::string_view text) {
    const auto id = vocabulary::LeaseId::find(text);
    if (!id) return refuse(lease_not_found());
    auto lease = house.book.find(*id);
    if (lease && (is_own(house, asker, *lease) || asker.caller->is_operator())) {
        // Its time may have come in this very turn, before the wheel's.
        if (lease->expires_at <= house.time.now()) return refuse(lease_ended(vocabulary::EndReason::expired));
        return std::move(*lease);
    }
    if (!lease) {
        if (const auto end = find_own_end(house, asker, *id)) return refuse(lease_ended(end->reason));
    }
    return refuse(lease_not_found());
}

RefusedSubject subject_of(const Unsealed& house, const Asker& asker, std::string_view text) {
    const auto id = vocabulary::LeaseId::find(text);
    if (!id) return {};
    if (const auto lease = house.book.find(*id);
        lease && (is_own(house, asker, *lease) || asker.caller->is_operator())) {
        return {.credential = lease->credential, .lease = *id};
    }
    if (const auto end = find_own_end(house, asker, *id)) return {.credential = end->credential, .lease = *id};
    return {};
}

result::Result<StagedReply> stage_renew(Unsealed& house, const Asker& asker, std::string_view id,
                                        const wire::RenewLease& asked, audit::Waiter waiter, bool has_waited) {
    auto found = find_lease(house, asker, id);
    if (!found) return refuse(std::move(found.error()));
    if (!is_own(house, asker, *found)) {
        return refuse({.code = ErrorCode::forbidden,
                       .sentence = "A lease is renewed by its holder only.",
                       .next_step = "An operator may end it with DELETE /v1/leases/{id} (credlease leases end)."});
    }
    auto held = still_held(house, asker, *found);
    if (!held) return refuse(std::move(held.error()));
    const auto& credential = held->entry->credential;
    auto lease = *found;
    lease.fields = held->fields;
    lease.field_order = held->auth->order_of(held->fields);
    if (const auto seen = find_seen(house, asker)) return stage_again(house, asker, *seen, lease, *held, waiter);

    const auto token_ends = token_end(*held->entry, *held->auth, lease.fields);
    auto wait =
        has_waited ? std::nullopt : token_wait(house, *held->entry, *held->auth, lease.fields, vocabulary::Duration(0));
    if (wait) return StagedReply{.wait = std::move(wait)};
    if (auto good = check_token(house, token_ends); !good) return refuse(std::move(good.error()));
    const auto term = term_of(house, *asker.caller, credential, asked.ttl, lease.issued_at, token_ends);
    lease.expires_at = std::min(term.expires_at, lease.renewable_until);
    lease.limited_by = term.limited_by;
    const bool changed = lease.version != credential.version || lease.generation != credential.generation;
    const bool with_secret = changed || asked.secret.value_or(false);
    lease.version = credential.version;
    lease.generation = credential.generation;
    auto body = write_renewal(house, lease, *held, with_secret);
    if (!body) return refuse(std::move(body.error()));

    vocabulary::LeaseView view;
    auto staged = append(
        house, asker, renewal_record(asker, vocabulary::Action::lease_renewed, lease, *held->entry, view, with_secret),
        waiter);
    if (!staged) return refuse(std::move(staged.error()));
    const auto terms = leases::Book::terms_of(lease);
    house.book.renew(lease.id, terms);
    house.lease_keys.note(
        whose(*asker.caller), asker.idempotency_key,
        {.lease = lease.id, .body_digest = asker.body_digest, .renewal = true, .with_secret = with_secret},
        house.time.now());
    expire_by(house, lease.expires_at);
    house.events->lease_begun(lease);
    return StagedReply{.lease = lease.id,
                       .status = 200,
                       .body = std::move(*body),
                       .renewal = Renewal{.before = leases::Book::terms_of(*found),
                                          .after = terms,
                                          .caller = asker.caller,
                                          .key = asker.idempotency_key}};
}

result::Result<std::optional<StagedReply>> stage_release(Unsealed& house, const Asker& asker, std::string_view id,
                                                         audit::Waiter waiter) {
    auto found = find_lease(house, asker, id);
    if (!found) {
        if (found.error().code != ErrorCode::lease_ended) return refuse(std::move(found.error()));
        if (!house.journal->is_healthy()) return refuse(ends_not_written());
        return std::nullopt;
    }
    const bool own = is_own(house, asker, *found);
    const auto reason = own ? vocabulary::EndReason::released : vocabulary::EndReason::ended_by_operator;
    auto view = view_of(*found);
    view.reason = reason;
    auto record = record_of(asker, own ? vocabulary::Action::lease_released : vocabulary::Action::lease_ended);
    record.credential = found->credential;
    record.version = found->version;
    record.generation = found->generation;
    record.lease = found->id;
    record.workflow = found->workflow;
    record.run = found->run;
    record.node = found->node;
    record.claimed = found->claimed;
    record.detail = vocabulary::text_of(reason).view();
    record.lease_view = &view;
    auto staged = append(house, asker, record, waiter);
    if (!staged) return refuse(std::move(staged.error()));
    house.events->lease_ended(*found, reason);
    house.book.end(found->id, reason, house.time.now());
    return StagedReply{.lease = found->id, .status = 204, .released = true};
}

result::Result<std::size_t> end_matching(Unsealed& house, const Asker& asker, const leases::Which& which) {
    if (asker.caller->is_operator()) return end_leases(house, which, vocabulary::EndReason::ended_by_operator);
    if (asker.caller->kind != access::CallerKind::engine) {
        return refuse({.code = ErrorCode::forbidden,
                       .sentence = "Only an operator or an engine ends the leases of others.",
                       .next_step = "Release your own with DELETE /v1/leases/{id} (credlease leases end ID)."});
    }
    std::size_t count = 0;
    for (const auto* grant : house.grants->minted_by(asker.caller->principal)) {
        if (which.grant && *which.grant != grant->id) continue;
        // Whoever acts for a user ends what was taken under that user's grants alone.
        const auto& actor = asker.caller->on_behalf_of;
        if (!actor.empty() && grant->on_behalf_of != actor) continue;
        auto under_grant = which;
        under_grant.grant = grant->id;
        count += end_leases(house, under_grant, vocabulary::EndReason::ended_by_operator);
    }
    return count;
}

} // namespace credlease::broker
