#pragma once

#include "support/socket_client.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace credlease::tests {

inline constexpr int connections_per_uid = 40; ///< as the config of RudeHouse says

/// What a rude client does, without end. `under_way` is called once the harm is done for the first time.
using Life = std::function<void(const std::function<void()>& under_way)>;

[[nodiscard]] std::vector<test::SocketClient> connect(const std::filesystem::path& door, int count);

/// Requests as fast as they are answered, several ahead on each of many connections: each has a request of its own.
[[nodiscard]] Life flood(const std::filesystem::path& door, const std::vector<std::string>& requests);
/// The same request on sixteen connections.
[[nodiscard]] Life flood(const std::filesystem::path& door, const std::string& request);
/// The same text on every connection, and then nothing: neither the rest nor a look at the answers.
[[nodiscard]] Life stall(const std::filesystem::path& door, const std::string& text, int count = connections_per_uid);
/// A byte now and then on every connection.
[[nodiscard]] Life trickle(const std::filesystem::path& door);
/// Connects and leaves, over and over.
[[nodiscard]] Life come_and_go(const std::filesystem::path& door);

/// The header of a grant; nothing without one.
[[nodiscard]] std::string as_grant(const std::string& grant);
/// A body of 16 KiB of which half comes.
[[nodiscard]] std::string half_a_body();

} // namespace credlease::tests
