#pragma once

#include "crypto/crypto.hpp"

#include <filesystem>

namespace credlease::crypto {

/// The root key from its file: 32 bytes, read into the arena. Refused with `configuration`, each reason in a sentence
/// of its own, unless it is a regular file of one name that belongs to this process's user or root, that nobody else
/// may read or write, and that is exactly as long. Writes nothing.
[[nodiscard]] result::Result<RootKey> read_key_file(const std::filesystem::path& path, secret::Arena& arena);

/// Makes a new random root key at `path` (0400), with the directories that it needs (0700). File and directories are
/// synced when it returns: no power loss takes the key from under the first record. What is there already is never
/// replaced; `configuration` then, and where the file system refuses.
[[nodiscard]] result::Result<> make_key_file(const std::filesystem::path& path, secret::Arena& arena);

/// The folders that a file needs, 0700 each and synced, where they are not there yet.
[[nodiscard]] result::Result<> make_folder_of(const std::filesystem::path& file);

} // namespace credlease::crypto
