#pragma once

#include "broker/asker.hpp"
#include "broker/find_credential.hpp"
#include "broker/unsealed.hpp"
#include "wire/messages.hpp"

namespace credlease::broker {

/// The text of a scope without an allocation.
class ScopeText {
  public:
    explicit ScopeText(const vocabulary::Scope& scope);
    [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

  private:
    std::array<char, 160> text_;
    std::size_t size_ = 0;
};

/// How long a lease may live, and what limits it.
struct Term {
    vocabulary::Time expires_at{};
    vocabulary::Time renewable_until{};
    vocabulary::LimitedBy limited_by = vocabulary::LimitedBy::ttl;
};
/// `issued_at` is when the lease was first issued (now, for a new one); `token_ends` as token_end says. Clips, never
/// refuses.
[[nodiscard]] Term term_of(const Unsealed& house, const access::Caller& caller,
                           const vocabulary::Credential& credential, std::optional<vocabulary::Duration> asked,
                           vocabulary::Time issued_at, std::optional<vocabulary::Time> token_ends);

/// When the first of the access tokens ends that a lease of these fields holds; nullopt: it holds none, or they don't
/// end. By the wall clock.
[[nodiscard]] std::optional<vocabulary::Time> token_end(const vault::Entry& entry, const catalog::AuthType& auth,
                                                        std::uint32_t fields);

/// Whose tokens must be refreshed before a lease can be answered.
struct TokenWait {
    vocabulary::Scope scope;
    vocabulary::CredentialId id;
    bool is_by_person = false;         ///< who asked for the refresh itself
    std::uint32_t fields = 0;          ///< of the lease
    vocabulary::Duration min_valid{0}; ///< that its tokens are to be good for
};
/// nullopt: the tokens are good for `min_valid`, or new, or nothing can be done about it.
[[nodiscard]] std::optional<TokenWait> token_wait(const Unsealed& house, const vault::Entry& entry,
                                                  const catalog::AuthType& auth, std::uint32_t fields,
                                                  vocabulary::Duration min_valid);
/// Refreshes, as long as a request waits for that, and looks again who asks. A refresh brings the tokens of one slot:
/// one after the other, as far as the lease holds several.
[[nodiscard]] runtime::Task<result::Result<>> wait_for_token(Unsealed& house, Asker& asker, TokenWait wait);
/// After a refresh, a token that has ended all the same.
[[nodiscard]] result::Result<> check_token(const Unsealed& house, std::optional<vocabulary::Time> token_ends);

/// Refuses what may not be leased now: revoked, expired, pending.
[[nodiscard]] result::Result<> check_leasable(const Unsealed& house, const vocabulary::Credential& credential);

/// The bit set of the fields that this caller gets when it asks for `names` (none given: all that it may have).
[[nodiscard]] result::Result<std::uint32_t> fields_for(const access::Caller& caller, const catalog::AuthType& auth,
                                                       std::span<const std::string_view> names, bool given);

/// The reply's JSON with the secret, decrypted anew, in an arena slot of its own size.
[[nodiscard]] result::Result<secret::SecretBuffer> write_lease_reply(Unsealed& house, const leases::Lease& lease,
                                                                     const vault::Entry& entry,
                                                                     const catalog::AuthType& auth);

/// The journal's record of a lease; it views `lease`, `view` and `asker`.
[[nodiscard]] vocabulary::AuditRecord lease_record(const Asker& asker, vocabulary::Action action,
                                                   const leases::Lease& lease, const vault::Entry& entry,
                                                   vocabulary::LeaseView& view);

} // namespace credlease::broker
