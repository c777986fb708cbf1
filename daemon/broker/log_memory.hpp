#pragma once

#include "broker/lease_time.hpp"
#include "broker/unsealed.hpp"

#include <map>
#include <string>

namespace credlease::broker {

/// Where a replay of the log leaves what is remembered of it: which leases live, why others ended, which
/// Idempotency-Keys gave them, when credentials were last used, and the time line of this boot.
struct LogMemory {
    leases::Book& book;
    leases::Idempotency& lease_keys;
    LeaseTime& time;
    std::function<void(const vocabulary::CredentialId&, const vocabulary::Scope&, vocabulary::Time)> note_use;
};
void replay(const LogMemory& into, const vocabulary::AuditRecord& record);

/// The detail of broker.started: this boot, and the offset of its time line.
[[nodiscard]] std::string started_detail(const LeaseTime& time);

/// Remembers what a replay of the log would, and tells it by fewer records. On a thread of its own.
class LogDigest {
  public:
    explicit LogDigest(const LeaseTime& time) : time_(time) {}

    void take(const vocabulary::AuditRecord& record);
    using Put = std::function<void(const vocabulary::AuditRecord&)>;
    void give(const Put& put) const;

  private:
    struct Use {
        vocabulary::Scope scope;
        vocabulary::Time at{};
    };
    void give_start(const Put& put) const;
    void give_leases(const Put& put) const;
    void give_keys(const Put& put, bool of_live) const;
    void give_ended(const Put& put) const;
    void give_uses(const Put& put) const;

    leases::Book book_;
    leases::Idempotency lease_keys_;
    LeaseTime time_;
    std::map<vocabulary::CredentialId, Use> uses_;
    vocabulary::Time started_at_{};
};

/// Makes the log's newest checkpoint, where it is missing, beside the loop.
[[nodiscard]] runtime::Task<> make_checkpoint(Unsealed& house);

} // namespace credlease::broker
