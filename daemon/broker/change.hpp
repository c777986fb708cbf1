#pragma once

#include "broker/asker.hpp"
#include "broker/unsealed.hpp"
#include "wire/messages.hpp"

namespace credlease::broker {

/// What a change answers: without secrets, kept under its Idempotency-Key.
using Answer = Outcomes::Outcome;

/// Keys that two changes must not hold at the same time: the credential, the scope whose names move, the
/// Idempotency-Key.
[[nodiscard]] std::vector<std::string> gate_keys(const Asker& asker, std::vector<std::string> keys);
[[nodiscard]] std::string gate_key(const vocabulary::CredentialId& id);
[[nodiscard]] std::string gate_key(const vocabulary::Scope& scope);

/// The first outcome, when this request was made before under its key. Call it inside the gate.
[[nodiscard]] runtime::Task<result::Result<std::optional<Answer>>> find_outcome(Unsealed& house, const Asker& asker);

/// The scope that a request names; left out: personal for a user, workspace `default` for an operator. Unknown to the
/// caller and absent are the same.
[[nodiscard]] result::Result<vocabulary::Scope> read_scope(const Unsealed& house, const access::Caller& caller,
                                                           const std::optional<wire::ScopeMessage>& given);

/// `If-Match` (`"7"`, `*` or empty) against the record's revision: `version_conflict`.
[[nodiscard]] result::Result<> check_match(std::string_view if_match, std::uint64_t revision);

} // namespace credlease::broker
