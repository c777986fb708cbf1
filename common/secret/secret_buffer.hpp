#pragma once

#include "secret/arena.hpp"
#include "secret/wipe.hpp"

#include <concepts>
#include <functional>
#include <span>
#include <string_view>
#include <utility>

namespace credlease::secret {

/// Bytes that must not be seen: in the arena, wiped when they die. Move-only; not comparable, streamable, formattable,
/// convertible or a range. `expose` is the one door: `grep 'expose('` lists every place that sees plaintext.
class SecretBuffer {
  public:
    SecretBuffer() = default;

    /// A buffer of `size` zero bytes; `overloaded` when the share is full.
    [[nodiscard]] static result::Result<SecretBuffer> make(Arena& arena, std::size_t size, Share share);
    /// A copy of `bytes` (the caller wipes its own).
    [[nodiscard]] static result::Result<SecretBuffer> copy(Arena& arena, std::span<const std::byte> bytes, Share share);
    [[nodiscard]] static result::Result<SecretBuffer> copy(Arena& arena, std::string_view text, Share share);

    ~SecretBuffer() { reset(); }
    SecretBuffer(SecretBuffer&& other) noexcept { swap(other); }
    SecretBuffer& operator=(SecretBuffer&& other) noexcept {
        if (this != &other) {
            reset();
            swap(other);
        }
        return *this;
    }
    SecretBuffer(const SecretBuffer&) = delete;
    SecretBuffer& operator=(const SecretBuffer&) = delete;
    bool operator==(const SecretBuffer&) const = delete;

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }

    /// Shows the bytes to `use` and returns what it returns, which must not point into them.
    template <std::invocable<std::span<const std::byte>> Use> decltype(auto) expose(Use&& use) const {
        return std::invoke(std::forward<Use>(use), std::span<const std::byte>(slot_.data(), size_));
    }
    template <std::invocable<std::span<std::byte>> Use> decltype(auto) expose_to_write(Use&& use) {
        return std::invoke(std::forward<Use>(use), std::span<std::byte>(slot_.data(), size_));
    }

    /// Forgets the bytes past `size`.
    void shrink(std::size_t size);
    void reset() noexcept;

  private:
    void swap(SecretBuffer& other) noexcept {
        std::swap(arena_, other.arena_);
        std::swap(slot_, other.slot_);
        std::swap(size_, other.size_);
    }

    Arena* arena_ = nullptr;
    std::span<std::byte> slot_{};
    std::size_t size_ = 0;
};

/// Exposed bytes as text, inside a `use`.
[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
[[nodiscard]] inline std::span<const std::byte> as_bytes(std::string_view text) {
    return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

} // namespace credlease::secret
