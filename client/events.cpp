#include "client/client_state.hpp"
#include "client/event_connection.hpp"
#include "client/refusal.hpp"

namespace credlease {
namespace {

using namespace std::chrono_literals;

/// Until the broker is back, for as long as a request may take.
Result<void> open_again(client::EventConnection& connection, std::chrono::milliseconds patience) {
    const client::Deadline deadline(patience);
    auto pause = 10ms;
    while (true) {
        auto opened = connection.open(deadline);
        const bool may_come_back = !opened && opened.error().code == "unreachable";
        if (!may_come_back || deadline.left() < pause) return opened;
        connection.pause(pause);
        pause = std::min<std::chrono::milliseconds>(pause * 2, 500ms);
    }
}

} // namespace

Result<void> Client::events(Door door, const std::string& last_event_id,
                            const std::function<bool(const Event&)>& show) {
    return client::at_the_boundary([&]() -> Result<void> {
        State& state = live();
        const auto session = state.door(door);
        if (!session) return session.error();
        client::EventConnection connection((*session)->settings());
        connection.begin_behind(last_event_id);
        bool is_wanted = true;
        const auto show_one = [&](const Event& event) { return is_wanted = show(event); };
        auto opened = connection.open(client::Deadline(state.options.timeout));
        while (opened) {
            if (auto read = connection.read(show_one); !read) return read;
            if (!is_wanted) return {};
            opened = open_again(connection, state.options.timeout);
        }
        return opened;
    });
}

} // namespace credlease
