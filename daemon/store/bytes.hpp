#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace credlease::store {

/// Appends numbers (little-endian) and length-prefixed texts to `out`: the one binary form of what rooms keep in the
/// store, and of associated data. `Out` has `append(const char*, std::size_t)`.
template <class Out> class ByteWriter {
  public:
    explicit ByteWriter(Out& out) : out_(out) {}

    void u8(std::uint8_t number) { put(number); }
    void u16(std::uint16_t number) { put(number); }
    void u32(std::uint32_t number) { put(number); }
    void u64(std::uint64_t number) { put(number); }
    void i64(std::int64_t number) { put(static_cast<std::uint64_t>(number)); }
    /// u32 length, bytes
    void text(std::string_view text) {
        u32(static_cast<std::uint32_t>(text.size()));
        raw(text);
    }
    void raw(std::string_view bytes) { out_.append(bytes.data(), bytes.size()); }

  private:
    template <std::unsigned_integral Number> void put(Number number) {
        char bytes[sizeof(Number)];
        for (std::size_t i = 0; i < sizeof(Number); ++i) bytes[i] = static_cast<char>(std::uint64_t{number} >> (8 * i));
        out_.append(bytes, sizeof bytes);
    }

    Out& out_;
};

/// Reads back what ByteWriter wrote. Past the end everything reads as zero and `is_broken` says so: checked once, at
/// the end.
class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : left_(bytes) {}

    [[nodiscard]] std::uint8_t u8() { return take_number<std::uint8_t>(); }
    [[nodiscard]] std::uint16_t u16() { return take_number<std::uint16_t>(); }
    [[nodiscard]] std::uint32_t u32() { return take_number<std::uint32_t>(); }
    [[nodiscard]] std::uint64_t u64() { return take_number<std::uint64_t>(); }
    [[nodiscard]] std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
    [[nodiscard]] std::string_view text() { return raw(u32()); }
    [[nodiscard]] std::string_view raw(std::size_t size) {
        if (size > left_.size()) {
            give_up();
            return {};
        }
        const std::string_view taken = left_.substr(0, size);
        left_.remove_prefix(size);
        return taken;
    }
    [[nodiscard]] std::string_view rest() { return raw(left_.size()); }

    void give_up() {
        broken_ = true;
        left_ = {};
    }
    [[nodiscard]] bool is_at_end() const { return left_.empty(); }
    [[nodiscard]] bool is_broken() const { return broken_; }
    /// All was read and all was there.
    [[nodiscard]] bool is_whole() const { return !broken_ && left_.empty(); }

  private:
    template <std::unsigned_integral Number> Number take_number() {
        const std::string_view bytes = raw(sizeof(Number));
        std::uint64_t number = 0;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            number |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
        }
        return static_cast<Number>(number);
    }

    std::string_view left_;
    bool broken_ = false;
};

} // namespace credlease::store
