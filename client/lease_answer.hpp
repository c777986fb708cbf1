#pragma once

#include "credlease/client.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace credlease::client {

using WallTime = std::chrono::system_clock::time_point;

/// How long a lease lives (every answer has it).
struct LeaseTimes {
    WallTime expires_at{};
    WallTime renewable_until{};
    std::string limited_by{};
};

/// What of a lease's answer may be seen by anyone.
struct LeaseFacts {
    std::string id{};
    std::string credential{};
    std::string service{};
    std::uint32_t version = 0;
    std::uint64_t generation = 0;
    bool may_blip = false;
    std::map<std::string, std::string> fields{}; ///< public ones, as text
    std::vector<std::string> secret_fields{};    ///< names
    std::string base_url{};
    std::vector<std::string> allowed_hosts{};
};

/// Empty where the answer has none.
[[nodiscard]] std::string read_lease_id(const boost::json::value& answer);
/// Unknown members are ignored; `internal` when one is missing without which a lease is none.
[[nodiscard]] Result<LeaseTimes> read_lease_times(const boost::json::value& answer);
[[nodiscard]] Result<LeaseFacts> read_lease_facts(const boost::json::value& answer);
/// Whether the answer brings the secret (a renewal does when it has changed).
[[nodiscard]] bool has_secret(const boost::json::value& answer);

/// The member at a path of member names; nullptr where there is none.
[[nodiscard]] const boost::json::value* find_at(const boost::json::value& value,
                                                std::initializer_list<std::string_view> path);

/// … as text and as a number; "" and 0 where there is none such.
[[nodiscard]] std::string text_at(const boost::json::value& value, std::initializer_list<std::string_view> path);
[[nodiscard]] std::uint64_t read_number(const boost::json::value& value, std::initializer_list<std::string_view> path);

} // namespace credlease::client
