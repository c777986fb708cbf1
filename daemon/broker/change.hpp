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

/// Waits until nobody else changes what the keys name. Meanwhile rights may have gone, and the broker may have begun to
/// close: who asks is found anew. `sealed`, or as Callers::find.
[[nodiscard]] runtime::Task<result::Result<runtime::Gate::Pass>> take_turn(Unsealed& house, Asker& asker,
                                                                           std::vector<std::string> keys);

/// The first outcome, when this request was made before under its key. Call it in its turn; who asks is found anew.
[[nodiscard]] runtime::Task<result::Result<std::optional<Answer>>> find_outcome(Unsealed& house, Asker& asker);

/// Who asks, by what holds now: to be called after each wait, before rights are looked at. `sealed`, or as
/// Callers::find.
[[nodiscard]] result::Result<> look_again(Unsealed& house, Asker& asker);

/// The scope that a request names; left out: personal for a user, workspace `default` for an operator. Unknown to the
/// caller and absent are the same.
[[nodiscard]] result::Result<vocabulary::Scope> read_scope(const Unsealed& house, const access::Caller& caller,
                                                           const std::optional<wire::ScopeMessage>& given);

/// A time that a member says, or null.
[[nodiscard]] result::Result<std::optional<vocabulary::Time>> read_time_or_null(std::string_view member,
                                                                                const boost::json::value& given);

/// `If-Match` (`"7"`, `*` or empty) against the record's revision: `version_conflict`.
[[nodiscard]] result::Result<> check_match(std::string_view if_match, std::uint64_t revision);

} // namespace credlease::broker
