#include "client/event_text.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

using namespace credlease;

/// A stream of events, behind a byte that says where it is cut: the same events whole and in pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto events_in = [&](std::size_t piece) {
        client::EventText reader;
        std::size_t events = 0;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            reader.take(text.substr(at, piece), [&](const Event&) {
                ++events;
                return true;
            });
        }
        return std::pair(events, reader.last_id());
    };
    if (events_in(text.size() + 1) != events_in(std::size_t{data[0]} % 7 + 1)) std::abort();
    return 0;
}
