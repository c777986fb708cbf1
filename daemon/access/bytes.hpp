#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace credlease::access {

/// Appends numbers (little-endian) and length-prefixed texts: the binary form of this room's stored records.
class ByteWriter {
  public:
    void u8(std::uint8_t number) { bytes_.push_back(static_cast<char>(number)); }
    void u32(std::uint32_t number) { put(number, sizeof number); }
    void u64(std::uint64_t number) { put(number, sizeof number); }
    /// u32 length, bytes
    void text(std::string_view text) {
        u32(static_cast<std::uint32_t>(text.size()));
        raw(text);
    }
    void raw(std::string_view bytes) { bytes_.append(bytes); }
    [[nodiscard]] std::string take() { return std::move(bytes_); }

  private:
    void put(std::uint64_t number, std::size_t size) {
        for (; size > 0; --size, number >>= 8) bytes_.push_back(static_cast<char>(number & 0xff));
    }

    std::string bytes_;
};

/// Reads back what ByteWriter wrote. Past the end everything reads as zero or empty and `is_broken` says so: checked
/// once, at the end.
class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : left_(bytes) {}

    [[nodiscard]] std::uint8_t u8() { return static_cast<std::uint8_t>(take(1)); }
    [[nodiscard]] std::uint32_t u32() { return static_cast<std::uint32_t>(take(4)); }
    [[nodiscard]] std::uint64_t u64() { return take(8); }
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

    void give_up() {
        broken_ = true;
        left_ = {};
    }
    [[nodiscard]] bool is_broken() const { return broken_; }
    /// All was read and all was there.
    [[nodiscard]] bool is_whole() const { return !broken_ && left_.empty(); }

  private:
    std::uint64_t take(std::size_t size) {
        const std::string_view bytes = raw(size);
        std::uint64_t number = 0;
        for (std::size_t i = bytes.size(); i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[i]);
        return number;
    }

    std::string_view left_;
    bool broken_ = false;
};

} // namespace credlease::access
