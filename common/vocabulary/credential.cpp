#include "vocabulary/credential.hpp"

#include "vocabulary/words.hpp"

namespace credlease::vocabulary {
namespace {

constexpr Words<CredentialStatus, 5> statuses = {{{CredentialStatus::active, "active"},
                                                  {CredentialStatus::expired, "expired"},
                                                  {CredentialStatus::failing, "failing"},
                                                  {CredentialStatus::revoked, "revoked"},
                                                  {CredentialStatus::pending, "pending"}}};

} // namespace

std::string_view name_of(CredentialStatus status) { return word_of(statuses, status).view(); }

std::optional<CredentialStatus> find_status(std::string_view name) { return find_word(statuses, name); }

} // namespace credlease::vocabulary
