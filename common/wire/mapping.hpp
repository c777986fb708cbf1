#pragma once

#include "wire/messages.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace credlease::wire {

/// Unknown members: a daemon refuses them, a client ignores them.
enum class Unknown : std::uint8_t { refuse, ignore };

/// The one mapping between described structs and JSON. Required members must be there and of their type; `field` of the
/// error names the wrong one ("scope.kind"). Instantiated in mapping.cpp for each message of messages.hpp.
template <class Message>
[[nodiscard]] result::Result<Message> read_message(const boost::json::value& value, Unknown unknown = Unknown::refuse);

/// JSON text; absent optionals are left out. For messages without secrets.
template <class Message> [[nodiscard]] std::string write_message(const Message& message);

} // namespace credlease::wire
