#include "attestation/unit.hpp"

#include <algorithm>
#include <array>

namespace credlease::attestation {
namespace {

/// Takes the next piece up to `separator` off `text`.
std::string_view next_piece(std::string_view& text, char separator) {
    const auto piece = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(piece.size() + 1, text.size()));
    return piece;
}

/// systemd.unit(5): at most 255 of these characters.
bool is_unit_name(std::string_view name) {
    constexpr std::string_view allowed = ":-_.\\@0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return name.size() <= 255 && name.find_first_not_of(allowed) == std::string_view::npos;
}

/// Units other than slices that have a cgroup of their own. (A bare ".service" is no unit.)
bool has_unit_suffix(std::string_view name) {
    constexpr std::array<std::string_view, 5> suffixes = {".service", ".scope", ".socket", ".mount", ".swap"};
    return std::ranges::any_of(
        suffixes, [&](std::string_view suffix) { return name.size() > suffix.size() && name.ends_with(suffix); });
}

} // namespace

// Only what root's systemd made is on the way to the first unit: its slices. Whoever owns that unit's cgroup (a user's
// manager, a container) may name everything below as it likes; so does whoever made a directory that is no slice.
std::string unit_of_cgroup(std::string_view path) {
    if (!path.starts_with('/')) return {};
    path.remove_prefix(1);
    while (!path.empty()) {
        auto name = next_piece(path, '/');
        if (name.starts_with('_')) name.remove_prefix(1); // systemd escapes names like the kernel's own files ("cpu.…")
        if (!is_unit_name(name)) return {};
        if (has_unit_suffix(name)) return std::string(name);
        if (!name.ends_with(".slice")) return {};
    }
    return {};
}

std::string_view cgroup_path(std::string_view lines) {
    std::string_view named;
    std::string_view unified;
    while (!lines.empty()) {
        auto line = next_piece(lines, '\n');
        const auto hierarchy = next_piece(line, ':');
        const auto controllers = next_piece(line, ':');
        if (hierarchy == "0" && controllers.empty()) unified = line;
        if (controllers == "name=systemd") named = line;
    }
    return unified.size() > 1 ? unified : named;
}

} // namespace credlease::attestation
