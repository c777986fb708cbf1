#include "leases/texts.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <random>

namespace credlease::leases {
namespace {

struct SipState {
    std::uint64_t v0, v1, v2, v3;

    void round() {
        v0 += v1;
        v2 += v3;
        v1 = std::rotl(v1, 13) ^ v0;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 = std::rotl(v0, 32) + v3;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 = std::rotl(v2, 32);
    }
    void take(std::uint64_t word) {
        v3 ^= word;
        round();
        v0 ^= word;
    }
};

std::uint64_t random_word(std::random_device& device) {
    const std::uint64_t high = device();
    return high << 32 | device();
}

template <std::size_t N> std::size_t class_of(const std::array<std::size_t, N>& block_sizes, std::size_t size) {
    return static_cast<std::size_t>(std::ranges::lower_bound(block_sizes, size) - block_sizes.begin());
}

} // namespace

KeyedHash::KeyedHash() {
    std::random_device device;
    key_ = {random_word(device), random_word(device)};
}

std::uint64_t KeyedHash::of(std::string_view text) const {
    SipState state{key_[0] ^ 0x736f6d6570736575ULL, key_[1] ^ 0x646f72616e646f6dULL, key_[0] ^ 0x6c7967656e657261ULL,
                   key_[1] ^ 0x7465646279746573ULL};
    const std::uint64_t length = text.size();
    while (text.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data(), 8);
        state.take(word);
        text.remove_prefix(8);
    }
    std::uint64_t last = length << 56;
    if (!text.empty()) std::memcpy(&last, text.data(), text.size());
    state.take(last);
    state.v2 ^= 0xff;
    for (int i = 0; i < 3; ++i) state.round();
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

Texts::~Texts() {
    for (Slot slot = 0; slot < texts_.made(); ++slot) {
        if (texts_[slot].size > block_sizes.back()) delete[] texts_[slot].bytes;
    }
}

Slot Texts::find(std::string_view text, std::uint32_t hash) const {
    return chains_.find(texts_, hash, [&](const Text& kept) {
        return kept.hash == hash && std::string_view(kept.bytes, kept.size) == text;
    });
}

Slot Texts::find(std::string_view text) const {
    return text.empty() ? none : find(text, static_cast<std::uint32_t>(hash_.of(text)));
}

std::string_view Texts::view(Slot slot) const {
    return slot == none ? std::string_view{} : std::string_view(texts_[slot].bytes, texts_[slot].size);
}

Slot Texts::keep(std::string_view text) {
    if (text.empty()) return none;
    const auto hash = static_cast<std::uint32_t>(hash_.of(text));
    Slot slot = find(text, hash);
    if (slot == none) {
        char* bytes = take_block(text.size());
        text.copy(bytes, text.size());
        slot = texts_.take();
        texts_[slot] = {.bytes = bytes, .size = static_cast<std::uint32_t>(text.size()), .hash = hash};
        chains_.insert(texts_, slot);
    }
    ++texts_[slot].kept;
    return slot;
}

void Texts::keep_also(Slot slot) {
    if (slot != none) ++texts_[slot].kept;
}

void Texts::release(Slot slot) {
    if (slot == none || --texts_[slot].kept > 0) return;
    chains_.erase(texts_, slot);
    give_back_block(texts_[slot].bytes, texts_[slot].size);
    texts_.give_back(slot);
}

char* Texts::take_block(std::size_t size) {
    const std::size_t size_class = class_of(block_sizes, size);
    if (size_class == block_sizes.size()) return new char[size];
    if (free_[size_class] == nullptr) refill(size_class);
    FreeBlock* block = free_[size_class];
    free_[size_class] = block->next;
    return reinterpret_cast<char*>(block);
}

void Texts::give_back_block(char* block, std::size_t size) {
    const std::size_t size_class = class_of(block_sizes, size);
    if (size_class == block_sizes.size()) {
        delete[] block;
    } else {
        free_[size_class] = new (block) FreeBlock{free_[size_class]};
    }
}

void Texts::refill(std::size_t size_class) {
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(refill_bytes));
    for (std::size_t at = 0; at < refill_bytes; at += block_sizes[size_class]) {
        free_[size_class] = new (chunks_.back().get() + at) FreeBlock{free_[size_class]};
    }
}

} // namespace credlease::leases
