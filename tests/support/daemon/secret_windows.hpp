#pragma once

#include <algorithm>
#include <bitset>
#include <compare>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace credlease::tests {

/// So many consecutive bytes of a secret are a trace of it (guarantee 3).
inline constexpr std::size_t window_size = 12;

/// A window as it is kept: behind a mask, so that a process that looks into itself does not find what it looks for.
struct Window {
    static constexpr std::uint64_t mask = 0xa5a5a5a5a5a5a5a5;
    std::uint64_t first = 0;
    std::uint32_t last = 0;

    static Window at(const char* bytes) {
        Window made;
        std::memcpy(&made.first, bytes, sizeof made.first);
        std::memcpy(&made.last, bytes + sizeof made.first, sizeof made.last);
        made.first ^= mask;
        made.last ^= static_cast<std::uint32_t>(mask);
        return made;
    }
    auto operator<=>(const Window&) const = default;
};

/// Finds any of many windows in memory, at about a nanosecond a byte. None of them holds a zero byte.
class SecretWindows {
  public:
    explicit SecretWindows(std::vector<Window> wanted) : wanted_(std::move(wanted)) {
        std::ranges::sort(wanted_);
        wanted_.erase(std::ranges::unique(wanted_).begin(), wanted_.end());
        for (const auto& window : wanted_) begins_->set(place_of(window));
    }

    /// Calls `found` with the place of each.
    template <class Found> void look(std::string_view bytes, const Found& found) const {
        for (std::size_t at = 0; at + window_size <= bytes.size();) {
            if (bytes[at + window_size - 1] == 0) {
                at += window_size;
                continue;
            }
            const auto window = Window::at(bytes.data() + at);
            if (begins_->test(place_of(window)) && std::ranges::binary_search(wanted_, window)) found(at);
            ++at;
        }
    }
    [[nodiscard]] bool are_in(std::string_view bytes) const {
        bool any = false;
        look(bytes, [&](std::size_t) { any = true; });
        return any;
    }
    [[nodiscard]] std::span<const Window> all() const { return wanted_; }

  private:
    static constexpr std::size_t bits = 22;
    static std::size_t place_of(const Window& window) {
        return static_cast<std::size_t>(window.first * 0x9e3779b97f4a7c15 >> (64 - bits));
    }

    std::vector<Window> wanted_;
    std::unique_ptr<std::bitset<std::size_t{1} << bits>> begins_ =
        std::make_unique<std::bitset<std::size_t{1} << bits>>();
};

} // namespace credlease::tests
