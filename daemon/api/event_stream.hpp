#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace credlease::api {

class Traffic;

/// What the other side of a stream hears of it, from a turn of the loop of its own.
struct StreamWatch {
    std::function<void()> drained{}; ///< all that was written is sent
    std::function<void()> closed{};  ///< the client has gone
};

/// An answer of type `text/event-stream` (WHATWG HTML §9.2) that lasts until the client goes or this dies: then it ends
/// once all is sent.
class EventStream {
  public:
    EventStream() = default;
    EventStream(std::shared_ptr<Traffic> traffic, std::uint32_t slot, std::uint32_t generation)
        : traffic_(std::move(traffic)), slot_(slot), generation_(generation) {}
    EventStream(EventStream&& other) noexcept = default;
    EventStream& operator=(EventStream&&) = delete;
    ~EventStream();

    /// Whole lines; sent in the connection's turn. False: the client has gone, or was dropped because it reads too
    /// slowly.
    bool write(const std::shared_ptr<const std::string>& text);
    [[nodiscard]] std::size_t unsent() const; ///< bytes

  private:
    std::shared_ptr<Traffic> traffic_; ///< none: moved away
    std::uint32_t slot_ = 0;
    std::uint32_t generation_ = 0;
};

} // namespace credlease::api
