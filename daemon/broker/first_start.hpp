#pragma once

#include "result/result.hpp"
#include "settings/settings.hpp"

namespace credlease::broker {

// A store that is not there yet: what must hold before the first write, and what a start that was cut off leaves.

/// Without DATA/seal: nothing was stored that it would open, and the audit head can be put in its place, which is free
/// of another store's. Nothing was written when it is refused.
[[nodiscard]] result::Result<> check_first_start(const settings::Settings& settings);
/// The store holds records and no DATA/seal.
[[nodiscard]] result::Failure no_seal_file(const std::filesystem::path& data);

/// Does the journal hold a record? A segment that was begun and no more is what a first start leaves that was cut off.
[[nodiscard]] bool holds_log(const std::filesystem::path& data);
/// A first start that was cut off before there was a head goes on as if it had never begun a log. Call it when the
/// store holds no record: the head's absence says nothing then.
void drop_empty_log(const settings::Settings& settings);

/// The store has never served: what made it this key's own goes, and the next start or unseal is the first again.
void take_back_first_start(const settings::Settings& settings);

} // namespace credlease::broker
