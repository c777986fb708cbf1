#pragma once

#include "access/caller.hpp"
#include "attestation/peer.hpp"
#include "leases/idempotency.hpp"
#include "vocabulary/audit_record.hpp"

#include <memory>
#include <string>

namespace credlease::broker {

/// Who asks for something, and in which request: what every use case needs and every audit record says.
struct Asker {
    access::CallerRef caller;
    std::shared_ptr<const attestation::Peer> peer;
    vocabulary::RequestId request{};
    std::string idempotency_key{};
    std::array<std::uint8_t, 16> body_digest{}; ///< keyed, of method, path and body
};

/// Whose leases and keys are this caller's alone: of an engine's actors, each one's own.
[[nodiscard]] inline leases::Idempotency::Whose whose(const access::Caller& caller) {
    return {.principal = caller.principal, .on_behalf_of = caller.on_behalf_of};
}

/// A record that says who: it views the asker, which must live until the record is staged.
[[nodiscard]] inline vocabulary::AuditRecord record_of(const Asker& asker, vocabulary::Action action) {
    vocabulary::AuditRecord record;
    record.action = action;
    record.request = asker.request;
    if (asker.caller) {
        record.principal = asker.caller->principal;
        record.on_behalf_of = asker.caller->on_behalf_of;
        if (asker.caller->grant) {
            record.grant = asker.caller->grant->id;
            record.workflow = asker.caller->grant->workflow;
            record.run = asker.caller->grant->run;
        }
    }
    if (asker.peer) {
        record.peer = {.pid = asker.peer->pid,
                       .uid = asker.peer->uid,
                       .exe = asker.peer->executable_path,
                       .unit = asker.peer->unit};
    }
    return record;
}

/// … and about which credential.
inline void concern(vocabulary::AuditRecord& record, const vocabulary::Credential& credential) {
    record.credential = credential.id;
    record.version = credential.version;
    record.generation = credential.generation;
}

} // namespace credlease::broker
