#include "api/rows.hpp"

#include "api/api.hpp"
#include "broker/cursor.hpp"

namespace credlease::api {

using result::refuse;

result::Result<Reply> page_of(const broker::Unsealed& house, const broker::Asker& asker, std::string_view query,
                              const Rows& rows) {
    auto parameters = Query::read(query, {{.name = "limit"}, {.name = "cursor"}});
    if (!parameters) return refuse(std::move(parameters.error()));
    auto page = read_page(*parameters);
    if (!page) return refuse(std::move(page.error()));
    std::string position;
    if (!page->cursor.empty()) {
        auto read = broker::read_cursor(house.cursors, asker, rows.list, page->cursor, house.wall());
        if (!read) return refuse(std::move(read.error()));
        position = std::move(*read);
    }
    std::string items, last;
    std::size_t shown = 0;
    std::optional<std::string> next;
    wire::JsonWriter writer(items);
    writer.array();
    for (std::size_t i = 0; i < rows.count; ++i) {
        auto key = rows.key(i);
        if (!position.empty() && key <= position) continue;
        if (shown++ == page->limit) {
            next = broker::make_cursor(house.cursors, asker, rows.list, last, house.wall());
            break;
        }
        rows.write(writer, i);
        last = std::move(key);
    }
    writer.close();
    return list_reply(std::move(items), next);
}

void answer_page(const broker::Unsealed& house, const broker::Asker& asker, const Request& request, const Rows& rows,
                 Responder responder) {
    auto reply = page_of(house, asker, request.query, rows);
    reply ? responder.answer(std::move(*reply)) : responder.refuse(reply.error());
}

} // namespace credlease::api
