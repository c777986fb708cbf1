#pragma once

#include "broker/asker.hpp"
#include "broker/get_tokens.hpp"
#include "broker/token_client.hpp"

namespace credlease::broker {

/// The first tokens of a credential, or those of its re-authorization, durable when it returns. They may be the only
/// ones that the provider will ever take: until the store takes them they stay in the arena, and the broker neither
/// stops nor seals. `by`: who authorized it; nullptr: the broker itself. `credential_not_found`: it was deleted
/// meanwhile.
[[nodiscard]] runtime::Task<result::Result<>> connect(Unsealed& house, const Refreshed& what, const TokenClient& client,
                                                      const vault::NewConnection& made, const Asker* by);
/// A refresh's answer, likewise; `of`: whose tokens they follow. Where the credential has others by now they are
/// dropped.
[[nodiscard]] runtime::Task<> keep_refreshed(Unsealed& house, const Refreshed& what, const TokenClient& client,
                                             const vault::Generation& of, const vault::NewTokens& made);

} // namespace credlease::broker
