#pragma once

#include "credlease/client.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace credlease::client {

/// Reads a stream of events as its bytes come (WHATWG HTML §9.2.6).
class EventText {
  public:
    /// Shows each event that is whole. False: `show` said so, and nothing more is shown.
    bool take(std::string_view bytes, const std::function<bool(const Event&)>& show);
    /// The id that came last, also without an event: to come back with.
    [[nodiscard]] const std::string& last_id() const { return last_id_; }
    void begin_behind(std::string id) { last_id_ = std::move(id); }
    /// A new connection: what the one before left unfinished is dropped.
    void begin_anew();

  private:
    bool take_line(std::string_view line, const std::function<bool(const Event&)>& show);
    void take_field(std::string_view name, std::string_view value);

    std::string line_;
    bool after_return_ = false; ///< a newline that follows belongs to it
    std::string last_id_;
    Event event_;
    bool has_data_ = false;
};

} // namespace credlease::client
