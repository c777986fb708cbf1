#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace credlease::broker {

/// Where a listener's events go. When it dies, the listener's stream ends once all is sent.
class EventSink {
  public:
    virtual ~EventSink() = default;
    /// Never waits, and calls nobody back. False: the listener has gone, or was dropped because it reads too slowly.
    virtual bool write(const std::shared_ptr<const std::string>& text) = 0;
    [[nodiscard]] virtual std::size_t unsent() const = 0; ///< bytes
};

} // namespace credlease::broker
