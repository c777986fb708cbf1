#include "client/event_text.hpp"

#include <algorithm>
#include <utility>

namespace credlease::client {

bool EventText::take(std::string_view bytes, const std::function<bool(const Event&)>& show) {
    for (const char byte : bytes) {
        const bool ends_pair = std::exchange(after_return_, byte == '\r') && byte == '\n';
        if (ends_pair) continue;
        if (byte != '\n' && byte != '\r') {
            line_ += byte;
            continue;
        }
        const std::string line = std::exchange(line_, {});
        if (!take_line(line, show)) return false;
    }
    return true;
}

bool EventText::take_line(std::string_view line, const std::function<bool(const Event&)>& show) {
    if (line.empty()) {
        Event event = std::exchange(event_, {});
        if (!std::exchange(has_data_, false)) return true;
        event.id = last_id_;
        return show(event);
    }
    const auto colon = line.find(':');
    if (colon == 0) return true; // a comment
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    take_field(line.substr(0, colon), value);
    return true;
}

void EventText::take_field(std::string_view name, std::string_view value) {
    if (name == "event") event_.type = value;
    if (name == "id") last_id_ = value;
    if (name != "data") return;
    if (std::exchange(has_data_, true)) event_.json += '\n';
    event_.json += value;
}

void EventText::begin_anew() {
    line_.clear();
    event_ = {};
    has_data_ = after_return_ = false;
}

} // namespace credlease::client
