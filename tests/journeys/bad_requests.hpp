#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace credlease::tests {

enum class Then : std::uint8_t { closed, served_on };

/// What a broker must refuse, and how.
struct BadRequest {
    std::string what;
    std::string text;
    unsigned status = 400;
    std::string code = "invalid_request";
    Then then = Then::closed;
};

/// A lease asked for, byte by byte: headers that end in CR LF, and a body.
[[nodiscard]] std::string post(const std::string& headers, const std::string& body = {});
/// The same, with a body in chunks.
[[nodiscard]] std::string chunked(const std::string& body, const std::string& headers = {});

[[nodiscard]] std::vector<BadRequest> bad_heads();
/// What two readers of one stream could take for different requests. The second one must never be looked at.
[[nodiscard]] std::vector<BadRequest> smuggling();
[[nodiscard]] std::vector<BadRequest> unknown_places();
/// Bodies that no route takes, and what each is.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> bad_bodies();
[[nodiscard]] std::vector<BadRequest> bad_leases();

} // namespace credlease::tests
