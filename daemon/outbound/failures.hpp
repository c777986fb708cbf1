#pragma once

#include "outbound/url.hpp"
#include "result/error.hpp"

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>

namespace credlease::outbound {

/// How far an exchange has come.
enum class Stage : std::uint8_t { look_up, connect, handshake, request, answer };

/// Why a body or a head is not taken as it came.
enum class BadAnswer : std::uint8_t { not_http, header_too_large, too_large, too_large_for_arena, encoded };

// What is said of a provider that gave no answer, each with the host and port it is about.

[[nodiscard]] result::Error late(const Url& url, Stage stage);
[[nodiscard]] result::Error stopped(const Url& url);
[[nodiscard]] result::Error not_looked_up(const Url& url, int failure); ///< of getaddrinfo(3)
[[nodiscard]] result::Error not_public(const Url& url);
[[nodiscard]] result::Error not_encrypted(const Url& url);
[[nodiscard]] result::Error not_connected(const Url& url, boost::system::error_code why);
[[nodiscard]] result::Error not_trusted(const Url& url, long verification); ///< X509_V_ERR_…
[[nodiscard]] result::Error no_tls(const Url& url, const char* why);        ///< OpenSSL's words; may be null
[[nodiscard]] result::Error dropped(const Url& url, Stage stage, std::size_t received);
[[nodiscard]] result::Error bad_answer(const Url& url, BadAnswer why);

} // namespace credlease::outbound
