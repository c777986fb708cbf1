#pragma once

#include "mac/mac.hpp"
#include "result/result.hpp"
#include "vocabulary/audit_record.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace credlease::audit {

using Bytes = std::span<const std::byte>;
using Buffer = std::vector<std::byte>;

/// Appends to a buffer that keeps its capacity: no allocation in steady state.
class Encoder {
  public:
    explicit Encoder(Buffer& out) : out_(out) {}

    void byte(std::uint8_t value) { out_.push_back(static_cast<std::byte>(value)); }
    /// LEB128: seven bits a byte, the lowest first.
    void number(std::uint64_t value);
    /// Zigzag: small negative numbers are short too.
    void signed_number(std::int64_t value);
    void bytes(Bytes value) { out_.insert(out_.end(), value.begin(), value.end()); }
    void text(std::string_view value);
    template <std::size_t N> void fixed(const std::array<std::uint8_t, N>& value) {
        bytes(std::as_bytes(std::span<const std::uint8_t>(value)));
    }

  private:
    Buffer& out_;
};

/// Reads untrusted bytes. Past the end, or after anything malformed, it gives zeros and `failed` tells.
class Decoder {
  public:
    explicit Decoder(Bytes in) : in_(in) {}

    std::uint8_t byte();
    std::uint64_t number();
    /// At most `most`, or it has failed.
    std::uint64_t number(std::uint64_t most);
    std::int64_t signed_number();
    Bytes bytes(std::uint64_t size);
    std::string_view text();
    template <std::size_t N> std::array<std::uint8_t, N> fixed() {
        std::array<std::uint8_t, N> value{};
        const Bytes read = bytes(N);
        if (read.size() == N) std::memcpy(value.data(), read.data(), N);
        return value;
    }
    std::uint64_t fixed_number(); ///< 8 bytes, little-endian
    void fail() { failed_ = true; }
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] std::size_t left() const { return in_.size(); }

  private:
    Bytes in_;
    bool failed_ = false;
};

/// Appends the record's binary form: what is absent or has its usual value costs nothing. The sequence number is not in
/// it, since a record's place tells it.
void write_record(Encoder& out, const vocabulary::AuditRecord& record);

/// A record that was read, with what its views need. It views the bytes that it was read from.
struct Decoded {
    Decoded() = default;
    Decoded(const Decoded&) = delete;
    Decoded& operator=(const Decoded&) = delete;

    vocabulary::AuditRecord record;
    vocabulary::LeaseView lease;
    std::vector<vocabulary::ChangeView> changes;
};
/// `damaged` when the bytes are no record. They end with it.
[[nodiscard]] result::Result<> read_record(Bytes bytes, std::uint64_t seq, Decoded& into);

} // namespace credlease::audit
