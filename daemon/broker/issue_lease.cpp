#include "broker/issue_lease.hpp"

#include "broker/change.hpp"
#include "broker/events.hpp"
#include "broker/expiry.hpp"
#include "broker/gone_lease.hpp"
#include "broker/held_lease.hpp"
#include "broker/lease_plan.hpp"

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

/// Everything about a lease but that it is issued.
struct Plan {
    const vault::Entry* entry = nullptr;
    const catalog::AuthType* auth = nullptr;
    leases::Lease lease{};
    std::optional<TokenWait> wait{};
};

/// The scopes to look in: the caller's own, or those of the workspace that an operator names.
result::Result<std::vector<vocabulary::Scope>> operator_scopes(const Unsealed& house, const access::Caller& caller,
                                                               std::string_view workspace) {
    const auto* found = house.directory.find(workspace.empty() ? "default" : workspace);
    if (found == nullptr) {
        return refuse({.code = ErrorCode::workspace_not_found,
                       .sentence = "There is no such workspace.",
                       .next_step = "See what there is with GET /v1/workspaces (credlease workspaces).",
                       .about = result::PublicText::of(workspace)});
    }
    std::vector<vocabulary::Scope> scopes;
    if (caller.user) scopes.push_back(vocabulary::Scope::of(*caller.user));
    scopes.push_back(vocabulary::Scope::of(found->id));
    scopes.push_back(vocabulary::Scope::organization());
    return scopes;
}

result::Result<const vault::Entry*> find_asked(Unsealed& house, const access::Caller& caller,
                                               const wire::IssueLeaseView& asked) {
    if (!caller.is_operator()) {
        if (!asked.workspace.empty()) {
            return refuse(result::invalid("workspace",
                                          "Only an operator names a workspace; yours comes from your rule or grant."));
        }
        return find_credential(house, caller, access::Operation::use, caller.scopes, asked.credential);
    }
    auto scopes = operator_scopes(house, caller, asked.workspace);
    if (!scopes) return refuse(std::move(scopes.error()));
    return find_credential(house, caller, access::Operation::use, *scopes, asked.credential);
}

/// With a grant, workflow and run are the grant's; otherwise they are the caller's claim.
result::Result<> fill_purpose(leases::Lease& lease, const access::Caller& caller, const wire::IssueLeaseView& asked) {
    lease.workflow = asked.workflow;
    lease.run = asked.run;
    lease.node = asked.node;
    if (!caller.grant) return {};
    const auto& grant = *caller.grant;
    const auto differs = [](std::string_view claim, std::string_view granted) {
        return !claim.empty() && !granted.empty() && claim != granted;
    };
    if (differs(asked.workflow, grant.workflow)) {
        return refuse(result::invalid("purpose.workflow", "The grant is for another workflow."));
    }
    if (differs(asked.run, grant.run)) return refuse(result::invalid("purpose.run", "The grant is for another run."));
    lease.workflow = grant.workflow;
    if (!grant.run.empty()) lease.run = grant.run;
    lease.claimed = false;
    return {};
}

void fill_holder(Unsealed& house, leases::Lease& lease, const Asker& asker, const wire::IssueLeaseView& asked) {
    const auto& caller = *asker.caller;
    lease.principal = caller.principal;
    lease.on_behalf_of = caller.on_behalf_of;
    if (caller.grant) lease.grant = caller.grant->id;
    lease.holder = {.pid = asker.peer->pid, .start_time = asker.peer->start_time, .boot_id = house.boot};
    lease.uid = asker.peer->uid;
    lease.binding = asked.bind.value_or(vocabulary::Binding::process);
}

/// `scope` must live as long as the plan: the lease views its text.
result::Result<Plan> plan_issue(Unsealed& house, const Asker& asker, const wire::IssueLeaseView& asked,
                                bool has_waited) {
    const auto& caller = *asker.caller;
    auto found = find_asked(house, caller, asked);
    if (!found) return refuse(std::move(found.error()));
    Plan plan{.entry = *found};
    const auto& credential = plan.entry->credential;
    if (auto leasable = check_leasable(house, credential); !leasable) return refuse(std::move(leasable.error()));
    auto kind = kind_of(house, credential);
    if (!kind) return refuse(std::move(kind.error()));
    plan.auth = kind->auth;
    auto fields = fields_for(caller, *plan.auth, {asked.field_names.data(), asked.field_count}, asked.fields_given);
    if (!fields) return refuse(std::move(fields.error()));
    const auto token_ends = token_end(*plan.entry, *plan.auth, *fields);
    if (!has_waited) {
        const auto min_valid = asked.min_valid.value_or(vocabulary::Duration(0));
        plan.wait = token_wait(house, *plan.entry, *plan.auth, *fields, min_valid);
        if (plan.wait) return plan;
    }
    if (auto good = check_token(house, token_ends); !good) return refuse(std::move(good.error()));

    auto& lease = plan.lease;
    lease.issued_at = house.time.now();
    const auto term = term_of(house, caller, credential, asked.ttl, lease.issued_at, token_ends);
    lease.id = vocabulary::LeaseId(house.next_id());
    lease.credential = credential.id;
    lease.version = credential.version;
    lease.generation = credential.generation;
    lease.fields = *fields;
    lease.field_order = plan.auth->order_of(*fields);
    lease.expires_at = term.expires_at;
    lease.renewable_until = term.renewable_until;
    lease.limited_by = term.limited_by;
    fill_holder(house, lease, asker, asked);
    if (auto filled = fill_purpose(lease, caller, asked); !filled) return refuse(std::move(filled.error()));
    return plan;
}

result::Failure ended(vocabulary::EndReason reason) {
    if (reason == vocabulary::EndReason::credential_revoked) return refuse(lease_ended(reason));
    return refuse({.code = ErrorCode::lease_ended,
                   .sentence = "The lease that this Idempotency-Key gave has ended.",
                   .next_step = "Ask for a new one with a new key.",
                   .reason = vocabulary::text_of(reason)});
}

result::Failure key_of_another_process() {
    return refuse({.code = ErrorCode::idempotency_mismatch,
                   .sentence = "This Idempotency-Key gave a lease to another process.",
                   .next_step = "Use a new key in each process."});
}

/// The same key and body again: the same lease, its secret decrypted anew, as far as the caller may still have it.
struct Redelivery {
    leases::Lease lease{};
    const vault::Entry* entry = nullptr;
    secret::SecretBuffer body{};
};

result::Result<Redelivery> redeliver(Unsealed& house, const Asker& asker, const leases::Idempotency::Seen& seen) {
    if (auto same = check_same(seen, asker, false); !same) return refuse(std::move(same.error()));
    auto lease = house.book.find(seen.lease);
    if (!lease) return ended(house.book.find_ended(seen.lease)->reason);
    if (lease->expires_at <= house.time.now()) return ended(vocabulary::EndReason::expired);
    if (!is_own(house, asker, *lease)) return key_of_another_process();
    auto held = still_held(house, asker, *lease);
    if (!held) return refuse(std::move(held.error()));
    lease->fields = held->fields;
    lease->field_order = held->auth->order_of(held->fields);
    auto body = write_lease_reply(house, *lease, *held->entry, *held->auth);
    if (!body) return refuse(std::move(body.error()));
    return Redelivery{.lease = *lease, .entry = held->entry, .body = std::move(*body)};
}

result::Result<StagedReply> stage_redelivery(Unsealed& house, const Asker& asker, const leases::Idempotency::Seen& seen,
                                             audit::Waiter waiter) {
    auto again = redeliver(house, asker, seen);
    if (!again) return refuse(std::move(again.error()));
    vocabulary::LeaseView view;
    auto staged = house.journal->append(
        lease_record(asker, vocabulary::Action::lease_redelivered, again->lease, *again->entry, view), waiter);
    if (!staged) return refuse(std::move(staged.error()));
    return StagedReply{.lease = again->lease.id, .status = 201, .body = std::move(again->body)};
}

runtime::Task<result::Result<StagedReply>> redeliver_durably(Unsealed& house, const Asker& asker,
                                                             const leases::Idempotency::Seen& seen) {
    auto again = redeliver(house, asker, seen);
    if (!again) co_return refuse(std::move(again.error()));
    vocabulary::LeaseView view;
    auto record = lease_record(asker, vocabulary::Action::lease_redelivered, again->lease, *again->entry, view);
    const auto id = again->lease.id;
    auto written = co_await house.journal->append_durably(record);
    if (!written) co_return refuse(std::move(written.error()));
    if (auto live = check_live(house, id); !live) co_return refuse(std::move(live.error()));
    co_return StagedReply{.lease = id, .status = 201, .body = std::move(again->body)};
}

result::Failure holder_has_gone() {
    return refuse({.code = ErrorCode::overloaded,
                   .sentence = "The broker cannot watch the process that asks: it has gone, or no descriptor is left.",
                   .next_step = "Ask again from a running process in a moment.",
                   .retry_after_seconds = 1});
}

/// Puts the lease into the book and makes its reply; takes it out again when that fails.
result::Result<StagedReply> enter(Unsealed& house, const Asker& asker, const Plan& plan) {
    const auto& lease = plan.lease;
    if (lease.binding == vocabulary::Binding::process && !house.holders->watch(lease.holder, *asker.peer)) {
        return holder_has_gone();
    }
    if (auto issued = house.book.issue(lease); !issued) return refuse(std::move(issued.error()));
    auto body = write_lease_reply(house, lease, *plan.entry, *plan.auth);
    if (!body) {
        house.book.forget(lease.id);
        return refuse(std::move(body.error()));
    }
    return StagedReply{.lease = lease.id, .status = 201, .body = std::move(*body), .issued = true};
}

void settle(Unsealed& house, const Asker& asker, const leases::Lease& lease, const vocabulary::Scope& scope) {
    if (!asker.idempotency_key.empty()) {
        house.lease_keys.note(whose(*asker.caller), asker.idempotency_key,
                              {.lease = lease.id, .body_digest = asker.body_digest}, house.time.now());
    }
    house.vault->note_use(lease.credential, scope, house.wall());
    expire_by(house, lease.expires_at);
    house.events->lease_begun(lease);
}

} // namespace

std::optional<leases::Idempotency::Seen> find_seen(const Unsealed& house, const Asker& asker) {
    if (asker.idempotency_key.empty()) return std::nullopt;
    auto seen = house.lease_keys.find(whose(*asker.caller), asker.idempotency_key, house.time.now());
    if (seen && !house.book.find(seen->lease) && !house.book.find_ended(seen->lease)) return std::nullopt;
    return seen;
}

result::Result<> check_same(const leases::Idempotency::Seen& seen, const Asker& asker, bool is_renewal) {
    if (seen.renewal == is_renewal && seen.body_digest == asker.body_digest) return {};
    return sent_before_with_another_request();
}

result::Result<StagedReply> stage_issue(Unsealed& house, const Asker& asker, const wire::IssueLeaseView& asked,
                                        audit::Waiter waiter, bool has_waited) {
    if (const auto seen = find_seen(house, asker)) return stage_redelivery(house, asker, *seen, waiter);
    auto plan = plan_issue(house, asker, asked, has_waited);
    if (!plan) return refuse(std::move(plan.error()));
    if (plan->wait) return StagedReply{.wait = std::move(plan->wait)};
    const ScopeText scope(plan->entry->credential.scope);
    plan->lease.scope = scope.view();
    auto reply = enter(house, asker, *plan);
    if (!reply) return reply;
    vocabulary::LeaseView view;
    auto staged = house.journal->append(
        lease_record(asker, vocabulary::Action::lease_issued, plan->lease, *plan->entry, view), waiter);
    if (!staged) {
        house.book.forget(reply->lease);
        return refuse(std::move(staged.error()));
    }
    settle(house, asker, plan->lease, plan->entry->credential.scope);
    return reply;
}

void undo(Unsealed& house, const StagedReply& reply) {
    if (reply.issued) house.book.forget(reply.lease);
    if (reply.released) note_lost_end(house, reply.lease);
    if (!reply.renewal) return;
    const auto& renewal = *reply.renewal;
    const auto lease = house.book.find(reply.lease);
    // A later renewal whose record is on its own way counts.
    if (lease && leases::Book::terms_of(*lease) == renewal.after) house.book.renew(reply.lease, renewal.before);
    house.lease_keys.forget(whose(*renewal.caller), renewal.key);
}

RefusedSubject subject_of(Unsealed& house, const Asker& asker, const wire::IssueLeaseView& asked) {
    if (const auto found = find_asked(house, *asker.caller, asked)) return {.credential = (*found)->credential.id};
    return {.credential = vocabulary::CredentialId::find(asked.credential).value_or(vocabulary::CredentialId())};
}

bool is_counted(const Asker& asker) { return asker.caller->grant && asker.caller->grant->max_leases; }

runtime::Task<result::Result<StagedReply>> issue_counted(Unsealed& house, Asker asker,
                                                         const wire::IssueLeaseView& asked) {
    std::vector<std::string> keys{"grant:" + asker.caller->grant->id.text()};
    auto pass = co_await take_turn(house, asker, std::move(keys));
    if (!pass) co_return refuse(std::move(pass.error()));
    if (const auto seen = find_seen(house, asker)) co_return co_await redeliver_durably(house, asker, *seen);
    const auto* grant = house.grants->find(asker.caller->grant->id);
    if (grant == nullptr || grant->expires_at <= house.time.now()) {
        co_return refuse({.code = ErrorCode::unauthenticated,
                          .sentence = "The grant has ended.",
                          .next_step = "Ask the engine for a new grant."});
    }
    if (grant->leases_taken >= grant->max_leases.value_or(0)) {
        co_return refuse({.code = ErrorCode::unauthenticated,
                          .sentence = "The grant is spent: it has given all the leases it may.",
                          .next_step = "Ask the engine for a new grant."});
    }
    auto plan = plan_issue(house, asker, asked, false);
    if (plan && plan->wait) {
        auto refreshed = co_await wait_for_token(house, asker, *plan->wait);
        if (!refreshed) co_return refuse(std::move(refreshed.error()));
        plan = plan_issue(house, asker, asked, true);
        grant = house.grants->find(asker.caller->grant->id);
        if (plan && grant == nullptr) co_return refuse(lease_ended(vocabulary::EndReason::grant_ended));
    }
    if (!plan) co_return refuse(std::move(plan.error()));
    const auto scope = plan->entry->credential.scope; // the entry may go while the disk is waited for
    const ScopeText scope_text(scope);
    plan->lease.scope = scope_text.view();
    auto reply = enter(house, asker, *plan);
    if (!reply) co_return reply;

    store::Batch batch;
    house.grants->stage_count(*grant, batch);
    const auto taken = grant->leases_taken + 1;
    vocabulary::LeaseView view;
    auto record = lease_record(asker, vocabulary::Action::lease_issued, plan->lease, *plan->entry, view);
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) {
        house.book.forget(reply->lease);
        co_return refuse(std::move(committed.error()));
    }
    house.grants->apply_count(asker.caller->grant->id, taken);
    settle(house, asker, plan->lease, scope);
    // It may have been ended while its record was on the way: then the secret stays here.
    if (auto live = check_live(house, plan->lease.id); !live) co_return refuse(std::move(live.error()));
    co_return reply;
}

} // namespace credlease::broker
