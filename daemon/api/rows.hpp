#pragma once

#include "api/reply.hpp"
#include "api/request.hpp"
#include "broker/asker.hpp"
#include "broker/unsealed.hpp"
#include "wire/json_writer.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace credlease::api {

/// A list whose rows are all at hand, ordered by key.
struct Rows {
    std::string_view list; ///< which list: a cursor of another is refused
    std::size_t count = 0;
    std::function<std::string(std::size_t)> key;
    std::function<void(wire::JsonWriter&, std::size_t)> write;
};
/// The page that `query` (limit, cursor) asks for.
[[nodiscard]] result::Result<Reply> page_of(const broker::Unsealed& house, const broker::Asker& asker,
                                            std::string_view query, const Rows& rows);
/// … sent.
void answer_page(const broker::Unsealed& house, const broker::Asker& asker, const Request& request, const Rows& rows,
                 Responder responder);

} // namespace credlease::api
