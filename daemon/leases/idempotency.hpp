#pragma once

#include "vocabulary/audit_record.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace credlease::leases {

/// Which lease an Idempotency-Key gave: for 10 minutes, the last 4,096 a caller. The records are in the journal
/// (each lease's holds key and digest), so a restart brings them back.
class Idempotency {
  public:
    explicit Idempotency(vocabulary::Duration kept_for = std::chrono::minutes(10), std::size_t per_caller = 4096);
    ~Idempotency();
    Idempotency(const Idempotency&) = delete;
    Idempotency& operator=(const Idempotency&) = delete;

    /// Whose key it is: two users behind one engine never share one.
    struct Whose {
        std::string_view principal;
        std::string_view on_behalf_of{};
        bool operator==(const Whose&) const = default;
    };
    struct Seen {
        vocabulary::LeaseId lease;
        std::array<std::uint8_t, 16> body_digest{};
        bool renewal = false;
        bool with_secret = true; ///< what it answered had the secret in it
    };
    [[nodiscard]] std::optional<Seen> find(const Whose& whose, std::string_view key, vocabulary::Time now) const;
    /// No heap allocation in steady state. An empty key is not noted.
    void note(const Whose& whose, std::string_view key, const Seen& seen, vocabulary::Time now);
    /// What was noted did not come to pass.
    void forget(const Whose& whose, std::string_view key);
    void replay(const vocabulary::AuditRecord& record);
    void clear();
    /// All that are kept, the oldest first.
    void
    visit(const std::function<void(const Whose&, std::string_view key, const Seen&, vocabulary::Time at)>& show) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace credlease::leases
