#include "api/long_list.hpp"

#include "broker/cursor.hpp"
#include "broker/slices.hpp"

namespace credlease::api {
namespace {

/// What a slice writes: some 20 microseconds' worth.
constexpr std::size_t bytes_a_slice = std::size_t{16} << 10;

} // namespace

runtime::Task<bool> next_slice(broker::Unsealed& house, broker::Asker& asker, Responder& responder) {
    const auto still = co_await broker::wait_for_slice(house, asker);
    if (!still) responder.refuse(still.error());
    co_return still.has_value() && responder.is_connected();
}

result::Result<std::string> read_position(const broker::Unsealed& house, const broker::Asker& asker,
                                          std::string_view list, std::string_view cursor) {
    if (cursor.empty()) return std::string();
    return broker::read_cursor(house.cursors, asker, list, cursor, house.wall());
}

runtime::Task<> answer_long_page(broker::Unsealed& house, broker::Asker asker, LongPage page, Responder responder) {
    // One page of a uid is being written at a time: until it is charged to the connection, it is memory of ours.
    std::vector<std::string> keys{"page:" + std::to_string(asker.peer->uid)};
    const auto pass = co_await house.gate.enter(std::move(keys));
    Reply reply;
    wire::JsonWriter writer(reply.body);
    writer.object().key("items").array();
    std::size_t slice_end = 0;
    for (std::size_t i = 0; i < page.count; ++i) {
        if (reply.body.size() >= slice_end) {
            slice_end = reply.body.size() + bytes_a_slice;
            const bool goes_on = co_await next_slice(house, asker, responder);
            if (!goes_on) co_return;
        }
        page.write(writer, asker, i);
    }
    writer.close();
    std::string next;
    if (page.next) next = broker::make_cursor(house.cursors, asker, page.list, *page.next, house.wall());
    writer.member_or_null("next_cursor", next).close();
    responder.answer(std::move(reply));
}

} // namespace credlease::api
