#include "secret/secret_buffer.hpp"

#include <algorithm>

namespace credlease::secret {

result::Result<SecretBuffer> SecretBuffer::make(Arena& arena, std::size_t size, Share share) {
    SecretBuffer made;
    if (size == 0) return made;
    made.slot_ = arena.allocate(size, share);
    if (made.slot_.empty()) {
        return result::refuse({.code = result::ErrorCode::overloaded,
                               .sentence = "The locked memory for secrets is full.",
                               .next_step = "Try again in a moment.",
                               .retry_after_seconds = 1});
    }
    made.arena_ = &arena;
    made.size_ = size;
    return made;
}

result::Result<SecretBuffer> SecretBuffer::copy(Arena& arena, std::span<const std::byte> bytes, Share share) {
    auto made = make(arena, bytes.size(), share);
    if (made) std::ranges::copy(bytes, made->slot_.begin());
    return made;
}

result::Result<SecretBuffer> SecretBuffer::copy(Arena& arena, std::string_view text, Share share) {
    return copy(arena, as_bytes(text), share);
}

void SecretBuffer::shrink(std::size_t size) {
    if (size >= size_) return;
    wipe(slot_.subspan(size, size_ - size));
    size_ = size;
}

void SecretBuffer::reset() noexcept {
    if (arena_ != nullptr) arena_->release(slot_);
    arena_ = nullptr;
    slot_ = {};
    size_ = 0;
}

} // namespace credlease::secret
