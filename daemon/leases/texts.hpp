#pragma once

#include "leases/chains.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace credlease::leases {

/// SipHash-1-3 (Aumasson and Bernstein, 2012) under a random key of this process: clients choose the texts that are
/// hashed here, and must not be able to make them collide.
class KeyedHash {
  public:
    KeyedHash();
    explicit KeyedHash(std::array<std::uint64_t, 2> key) : key_(key) {}
    [[nodiscard]] std::uint64_t of(std::string_view text) const;

  private:
    std::array<std::uint64_t, 2> key_;
};

/// Texts that many leases share (principals, workflows, runs, scopes), each kept once while somebody counts on it. The
/// empty text is `none` and costs nothing. What was given back is used again: in steady state nothing is allocated.
class Texts {
  public:
    Texts() = default;
    ~Texts();
    Texts(const Texts&) = delete;
    Texts& operator=(const Texts&) = delete;

    /// One more counts on `text`.
    [[nodiscard]] Slot keep(std::string_view text);
    void keep_also(Slot slot);
    /// One less does; the last one takes the text along.
    void release(Slot slot);

    [[nodiscard]] Slot find(std::string_view text) const; ///< `none`: nobody keeps it, or it is empty
    [[nodiscard]] std::string_view view(Slot slot) const;
    [[nodiscard]] std::size_t size() const { return chains_.size(); }

  private:
    struct Text {
        char* bytes = nullptr;
        std::uint32_t size = 0;
        std::uint32_t kept = 0;
        std::uint32_t hash = 0;
        Slot chain = none;
        [[nodiscard]] std::uint64_t keyed_hash() const { return hash; }
    };
    struct FreeBlock {
        FreeBlock* next;
    };
    static constexpr std::array<std::size_t, 7> block_sizes = {16, 32, 64, 128, 256, 512, 1024};
    static constexpr std::size_t refill_bytes = 4096;

    [[nodiscard]] Slot find(std::string_view text, std::uint32_t hash) const;
    [[nodiscard]] char* take_block(std::size_t size);
    void give_back_block(char* block, std::size_t size);
    void refill(std::size_t size_class);

    KeyedHash hash_;
    Slab<Text> texts_;
    Chains<Text, &Text::chain, &Text::keyed_hash> chains_;
    std::array<FreeBlock*, block_sizes.size()> free_{};
    std::vector<std::unique_ptr<char[]>> chunks_;
};

} // namespace credlease::leases
