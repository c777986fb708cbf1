#include "promises/memory_scan.hpp"

#include "support/daemon/secret_windows.hpp"

#include <sodium.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace credlease::tests {
namespace {

std::string base64(std::string_view text, int variant) {
    std::string out(sodium_base64_encoded_len(text.size(), variant), '\0');
    sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                      variant);
    out.resize(std::strlen(out.c_str()));
    return out;
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || std::strchr("-._~", c) != nullptr)
            out += c;
        else
            out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return out;
}

std::string json_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out;
}

/// Every window of the encoded text: a fragment is as bad as the whole.
void add_windows(std::vector<std::string>& traces, const std::string& encoded) {
    for (std::size_t at = 0; at + window_size <= encoded.size(); ++at)
        traces.push_back(encoded.substr(at, window_size));
}

/// What has a zero byte in it is left out: a key's bytes alone have any.
SecretWindows windows_of(const std::vector<std::string>& traces) {
    std::vector<Window> windows;
    for (const auto& trace : traces) {
        if (!trace.contains('\0')) windows.push_back(Window::at(trace.data()));
    }
    return SecretWindows(std::move(windows));
}

struct Region {
    std::uint64_t begin = 0, end = 0;
    std::string name;
};

std::vector<Region> regions_of(pid_t pid) {
    std::vector<Region> regions;
    std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
    for (std::string line; std::getline(maps, line);) {
        std::istringstream in(line);
        std::string range, rights, offset, device, inode;
        in >> range >> rights >> offset >> device >> inode;
        if (rights.empty() || rights[0] != 'r') continue;
        Region region;
        const auto dash = range.find('-');
        region.begin = std::stoull(range.substr(0, dash), nullptr, 16);
        region.end = std::stoull(range.substr(dash + 1), nullptr, 16);
        region.name = line;
        if (line.find("[vvar") == std::string::npos && line.find("[vsyscall") == std::string::npos)
            regions.push_back(region);
    }
    return regions;
}

} // namespace

std::vector<std::string> traces_of(std::string_view secret) {
    std::vector<std::string> traces;
    add_windows(traces, std::string(secret));
    // base64 of a text depends on where in a group of three it begins: inside `Basic user:…` it may be any of the
    // three.
    for (std::size_t shift = 0; shift < 3; ++shift) {
        const auto shifted = secret.substr(shift);
        add_windows(traces, base64(shifted, sodium_base64_VARIANT_ORIGINAL_NO_PADDING));
        add_windows(traces, base64(shifted, sodium_base64_VARIANT_URLSAFE_NO_PADDING));
    }
    add_windows(traces, percent_encoded(secret));
    add_windows(traces, json_escaped(secret));
    std::ranges::sort(traces);
    traces.erase(std::unique(traces.begin(), traces.end()), traces.end());
    return traces;
}

std::vector<std::string> traces_of_bytes(std::string_view secret) {
    std::vector<std::string> traces;
    add_windows(traces, std::string(secret));
    add_windows(traces, std::string(secret.rbegin(), secret.rend())); // a number begins with its last byte
    return traces;
}

std::vector<std::string> find_in_memory(pid_t pid, const std::vector<std::string>& traces) {
    std::vector<std::string> found;
    const auto wanted = windows_of(traces);
    const int memory = ::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
    if (memory < 0) return {"the memory could not be opened"};
    std::vector<char> bytes(std::size_t{1} << 20);
    for (const auto& region : regions_of(pid)) {
        // Overlapping reads, so that nothing hides on a border.
        for (auto at = region.begin; at < region.end; at += bytes.size() - window_size) {
            const auto size = std::min<std::uint64_t>(bytes.size(), region.end - at);
            const auto got = ::pread(memory, bytes.data(), size, static_cast<off_t>(at));
            if (got < static_cast<ssize_t>(window_size)) break;
            wanted.look({bytes.data(), static_cast<std::size_t>(got)}, [&](std::size_t place) {
                found.push_back(region.name + ": " + std::string(bytes.data() + place, window_size));
            });
            if (at + size >= region.end) break;
        }
    }
    ::close(memory);
    return found;
}

bool holds(std::string_view bytes, const std::vector<std::string>& traces) { return windows_of(traces).are_in(bytes); }

} // namespace credlease::tests
