#pragma once

#include "closed_loop.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace credlease::bench {

/// Ids of the stored credentials, one a line.
[[nodiscard]] std::vector<std::string> read_ids(const std::filesystem::path& file);

/// So many bytes are answered with so many bytes.
[[nodiscard]] std::unique_ptr<Protocol> make_echo(std::size_t request, std::size_t reply);
/// GET of one of the ids, over RESP.
[[nodiscard]] std::unique_ptr<Protocol> make_redis(std::size_t connections, std::vector<std::string> ids);
/// POST /v1/leases of one of the ids; `with_keys`: with an Idempotency-Key, as the client library does.
[[nodiscard]] std::unique_ptr<Protocol> make_lease(std::size_t connections, std::vector<std::string> ids,
                                                   bool with_keys);
/// POST /v1/credentials: http-bearer credentials named "NUMBER"; appends each id to `ids`.
[[nodiscard]] std::unique_ptr<Protocol> make_filling(std::size_t connections, std::vector<std::string>& ids);

} // namespace credlease::bench
