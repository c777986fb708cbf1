#pragma once

#include "attestation/peer.hpp"
#include "result/result.hpp"
#include "vocabulary/audit_record.hpp"
#include "vocabulary/lease.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace credlease::leases {

/// The process that a lease is bound to: all three must match after a restart of the daemon.
struct Holder {
    std::int32_t pid = 0;
    std::uint64_t start_time = 0;
    std::array<std::uint8_t, 16> boot_id{};
    bool operator==(const Holder&) const = default;
};

/// A live lease, seen. Texts live until the lease ends.
struct Lease {
    vocabulary::LeaseId id;
    vocabulary::CredentialId credential;
    std::string_view scope; ///< Scope::text() of the credential when it was issued
    std::uint32_t version = 0;
    std::uint64_t generation = 0; ///< version and generation that were last delivered
    std::string_view principal;
    std::string_view on_behalf_of;
    vocabulary::GrantId grant;
    Holder holder;
    std::uint32_t uid = 0;
    vocabulary::Binding binding = vocabulary::Binding::process;
    vocabulary::LimitedBy limited_by = vocabulary::LimitedBy::ttl;
    std::uint32_t fields = 0;      ///< bit set, in the order of the service's entry in the catalog
    std::uint32_t field_order = 0; ///< … at that time (catalog::AuthType::order_of)
    std::string_view workflow, run, node;
    bool claimed = true;
    vocabulary::Time issued_at{};
    vocabulary::Time expires_at{};
    vocabulary::Time renewable_until{};
};

/// Which live leases: all members that are set must match.
struct Which {
    std::optional<vocabulary::CredentialId> credential{};
    std::optional<vocabulary::GrantId> grant{};
    std::optional<Holder> holder{}; ///< process-bound leases of that process
    std::string_view principal{};   ///< empty: any
    std::string_view on_behalf_of{};
    std::string_view workflow{}, run{};
};

/// The live leases: at most 150 bytes each, expiry by a timing wheel, reached by id, credential, holder and principal.
/// A lease that has ended is forgotten here but for the reason of the last ones. Owned by the loop thread; no clock of
/// its own.
class Book {
  public:
    explicit Book(std::uint32_t per_principal = 4096);
    ~Book();
    Book(const Book&) = delete;
    Book& operator=(const Book&) = delete;

    /// `rate_limited` when the principal has as many as it may. No heap allocation in steady state.
    [[nodiscard]] result::Result<> issue(const Lease& lease);
    /// What a renewal moves: the end, what limits it, and what was delivered. Fields that it takes away stay away.
    struct Terms {
        vocabulary::Time expires_at{};
        vocabulary::LimitedBy limited_by = vocabulary::LimitedBy::ttl;
        std::uint32_t version = 0;
        std::uint64_t generation = 0;
        std::uint32_t fields = 0;
        std::uint32_t field_order = 0;
        bool operator==(const Terms&) const = default;
    };
    [[nodiscard]] static Terms terms_of(const Lease& lease);
    /// False: no such live lease.
    bool renew(const vocabulary::LeaseId& id, const Terms& terms);
    /// Ends one; false: no such live lease.
    bool end(const vocabulary::LeaseId& id, vocabulary::EndReason reason, vocabulary::Time now);
    /// As if it had never been issued (its record could not be written).
    void forget(const vocabulary::LeaseId& id);

    [[nodiscard]] std::optional<Lease> find(const vocabulary::LeaseId& id) const;
    [[nodiscard]] bool is_live(const vocabulary::LeaseId& id) const;
    /// In no order.
    [[nodiscard]] std::vector<vocabulary::LeaseId> matching(const Which& which) const;

    /// Ends at most `most` leases whose time has come (as of `now`) and shows each before it goes.
    std::size_t expire(vocabulary::Time now, std::size_t most, const std::function<void(const Lease&)>& show);
    /// When expire() has something to do next; nullopt: nothing lives.
    [[nodiscard]] std::optional<vocabulary::Time> next_expiry() const;

    /// Why a lease that lived here ended, and of which credential: for 24 h, the last 100,000.
    static constexpr vocabulary::Duration known_for = std::chrono::hours(24);
    struct Ended {
        vocabulary::EndReason reason;
        vocabulary::CredentialId credential;
        std::string_view principal;
        std::string_view on_behalf_of;
    };
    [[nodiscard]] std::optional<Ended> find_ended(const vocabulary::LeaseId& id) const;
    /// An id that is unknown here may be that of a lease which ended within 24 h, before the last 100,000: the log
    /// knows.
    [[nodiscard]] bool may_have_forgotten(const vocabulary::LeaseId& id) const;
    /// All of them that are still known, in the order in which they ended.
    void
    visit_ended(const std::function<void(const vocabulary::LeaseId&, const Ended&, vocabulary::Time at)>& show) const;

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] std::size_t held_by(std::string_view principal) const;
    void set_per_principal(std::uint32_t most);
    /// `told` hears of each process whose last bound lease has gone, in whatever way.
    void tell_idle(std::function<void(const Holder&)> told);
    void clear(); ///< forgets all, the ended too

    // ---- the journal, replayed
    /// Takes a lease.* record as it was written: issues, renews or ends. Leases that have expired by `now` are left
    /// out.
    void replay(const vocabulary::AuditRecord& record, vocabulary::Time now);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace credlease::leases
