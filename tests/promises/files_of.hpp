#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace credlease::tests {

/// Every file below a folder, byte by byte; its folders and links too, so that a new one shows.
inline std::map<std::string, std::string> files_of(const std::filesystem::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        auto& content = files[entry.path()];
        if (entry.is_symlink() || !entry.is_regular_file()) continue;
        std::ifstream in(entry.path(), std::ios::binary);
        content = {std::istreambuf_iterator<char>(in), {}};
    }
    return files;
}

/// Flips one bit of the byte there.
inline void flip(const std::filesystem::path& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char byte = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 1));
}

} // namespace credlease::tests
