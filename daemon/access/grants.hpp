#pragma once

#include "access/caller.hpp"
#include "mac/mac.hpp"
#include "secret/secret_buffer.hpp"
#include "store/store.hpp"
#include "vocabulary/grant.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace credlease::access {

/// Live grants, found by the keyed hash of their token; the token is never stored. Stage, then apply once durable.
class Grants {
  public:
    explicit Grants(mac::GrantMac mac);
    ~Grants();
    Grants(const Grants&) = delete;
    Grants& operator=(const Grants&) = delete;

    [[nodiscard]] result::Result<> accept(const store::Record& record); ///< Table::grants
    /// A record that was taken turned out to be damaged (dropped, replayed, added): its grant is none.
    void forget(std::string_view key);

    /// The grant of a token, expired or not; the same work for unknown tokens; digests compared in constant time.
    [[nodiscard]] const vocabulary::Grant* find_by_token(std::string_view token) const;
    [[nodiscard]] const vocabulary::Grant* find(const vocabulary::GrantId& id) const;
    /// In the order of ids; empty: whoever minted them.
    [[nodiscard]] std::vector<const vocabulary::Grant*> minted_by(std::string_view principal) const;
    /// So many of them from behind `after`, of those that `keep` says true to.
    [[nodiscard]] std::vector<const vocabulary::Grant*>
    list(std::string_view principal, const vocabulary::GrantId& after, std::size_t limit,
         const std::function<bool(const vocabulary::Grant&)>& keep) const;
    [[nodiscard]] std::size_t size() const;

    /// Puts a grant under its token's hash; one that is there already gets this token instead of its old one.
    void stage_mint(const vocabulary::Grant& grant, const secret::SecretBuffer& token, store::Batch& batch);
    void stage_withdraw(const vocabulary::Grant& grant, store::Batch& batch);
    /// A lease more taken, for grants with `max_leases`.
    void stage_count(const vocabulary::Grant& grant, store::Batch& batch);
    void apply_mint(vocabulary::Grant grant, const secret::SecretBuffer& token);
    void apply_withdraw(const vocabulary::GrantId& id);
    /// Nobody may use it from now on, and its time is no longer waited for: its withdrawal is under way. False: there
    /// is no such grant, or it ends already.
    bool begin_end(const vocabulary::GrantId& id, vocabulary::Time now);
    /// The withdrawal could not be stored: it is `expired` again then, and unusable still.
    void end_again_at(const vocabulary::GrantId& id, vocabulary::Time when);
    void apply_count(const vocabulary::GrantId& id, std::uint32_t leases_taken);
    /// Grants that have ended by `now` and whose withdrawal has not begun, at most `most`: to be withdrawn and told.
    [[nodiscard]] std::vector<vocabulary::GrantId> expired(vocabulary::Time now, std::size_t most) const;
    [[nodiscard]] std::optional<vocabulary::Time> next_expiry() const; ///< nullopt: no grant's time is waited for
    void clear();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace credlease::access
