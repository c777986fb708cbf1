#pragma once

#include "crypto/crypto.hpp"
#include "result/result.hpp"
#include "settings/settings.hpp"

#include <array>
#include <filesystem>
#include <optional>

namespace credlease::broker {

/// DATA/seal: how the store is sealed, and a value that tells the right root key from a wrong one. No secret.
struct SealFile {
    settings::SealMethod method = settings::SealMethod::key_file;
    std::array<std::uint8_t, 32> check{};
    crypto::PassphraseParameters passphrase{}; ///< of method `passphrase`
};

[[nodiscard]] std::filesystem::path seal_file_in(const std::filesystem::path& data);
/// nullopt: there is none yet. `configuration`: written by a newer version; `damaged`: not readable.
[[nodiscard]] result::Result<std::optional<SealFile>> read_seal_file(const std::filesystem::path& data);
/// Written beside, synced, renamed, its folder synced.
[[nodiscard]] result::Result<> write_seal_file(const std::filesystem::path& data, const SealFile& seal);

} // namespace credlease::broker
