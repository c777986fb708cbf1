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

using Ids = std::vector<std::string>;
/// GET of one of the ids, over RESP. `connection` decides which ones: the same in every run.
[[nodiscard]] std::unique_ptr<Protocol> make_redis(const Ids& ids, std::size_t connection);
/// POST /v1/leases of one of the ids; `with_keys`: with an Idempotency-Key, as the client library does.
[[nodiscard]] std::unique_ptr<Protocol> make_lease(const Ids& ids, std::size_t connection, bool with_keys);
/// POST /v1/credentials: http-bearer credentials named "FIRST", "FIRST+1" …; appends each id to `ids`.
[[nodiscard]] std::unique_ptr<Protocol> make_filling(std::uint64_t first, Ids& ids);

} // namespace credlease::bench
