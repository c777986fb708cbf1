#pragma once

#include "api/reply.hpp"
#include "broker/asker.hpp"
#include "broker/unsealed.hpp"
#include "wire/json_writer.hpp"

#include <functional>
#include <optional>
#include <string>

namespace credlease::api {

/// A page of a list that may be long. Found and written in slices (broker/slices.hpp), between which what it shows may
/// change: rows are remembered by their ids, and looked up when they are written.
struct LongPage {
    std::string list; ///< which list: a cursor of another is refused
    std::size_t count = 0;
    /// Writes a row; nothing where it has gone meanwhile, or who asks may not see it any more.
    std::function<void(wire::JsonWriter&, const broker::Asker&, std::size_t)> write;
    std::optional<std::string> next{}; ///< what the next page begins behind
};

/// Waits for the next slice. False: there is none, since nobody waits for the answer any more or it was refused.
[[nodiscard]] runtime::Task<bool> next_slice(broker::Unsealed& house, broker::Asker& asker, Responder& responder);

/// What the cursor of a page of that list stands for; empty where it is the first.
[[nodiscard]] result::Result<std::string> read_position(const broker::Unsealed& house, const broker::Asker& asker,
                                                        std::string_view list, std::string_view cursor);

[[nodiscard]] runtime::Task<> answer_long_page(broker::Unsealed& house, broker::Asker asker, LongPage page,
                                               Responder responder);

} // namespace credlease::api
