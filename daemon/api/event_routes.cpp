#include "api/api.hpp"
#include "api/event_stream.hpp"
#include "broker/events.hpp"

namespace credlease::api {
namespace {

/// A listener's connection, as the broker writes to it.
class ConnectionSink final : public broker::EventSink {
  public:
    explicit ConnectionSink(EventStream stream) : stream_(std::move(stream)) {}
    bool write(const std::shared_ptr<const std::string>& text) override { return stream_.write(text); }
    [[nodiscard]] std::size_t unsent() const override { return stream_.unsent(); }

  private:
    EventStream stream_;
};

/// The stream outlives a seal by what it has still to send: by then nobody is told.
StreamWatch watch_for(const std::weak_ptr<broker::Events>& events, broker::ListenerId id) {
    return {.drained =
                [events, id] {
                    if (const auto still = events.lock()) still->drained(id);
                },
            .closed =
                [events, id] {
                    if (const auto still = events.lock()) still->leave(id);
                }};
}

void listen(const Request& request, broker::Unsealed& house, const broker::Asker& asker, Responder responder) {
    if (const auto query = Query::read(request.query, {}); !query) {
        responder.refuse(query.error());
        return;
    }
    const auto id = house.events->next_listener();
    auto stream = responder.open_stream(watch_for(house.events, id));
    if (!stream) {
        responder.refuse(stream.error());
        return;
    }
    house.events->listen(id, asker, request.door == Door::admin, request.last_event_id,
                         std::make_unique<ConnectionSink>(std::move(*stream)));
}

} // namespace

void Api::add_event_routes(std::vector<Route>& rows) {
    rows.push_back(row(Method::get, "/v1/events", true,
                       [](const Request& request, const Parts&, broker::Unsealed& house, const broker::Asker& asker,
                          Responder responder) { listen(request, house, asker, std::move(responder)); }));
}

} // namespace credlease::api
