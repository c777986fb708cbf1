#pragma once

#include "audit/change.hpp"
#include "audit/file.hpp"
#include "mac/mac.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace credlease::audit {

/// A segment is a header and frames. A frame: length (u32, of kind and payload), kind (1 byte), payload, and the first
/// 16 bytes of its chain value, which is the keyed hash over the chain value before and the frame. Zeros follow the
/// last frame, or the end of the file. Numbers are little-endian.
namespace segment {
inline constexpr std::uint32_t format_version = 1;
inline constexpr std::size_t header_size = 128;
inline constexpr std::size_t length_size = 4;
inline constexpr std::size_t mac_size = 16;
inline constexpr std::size_t overhead = length_size + 1 + mac_size;
} // namespace segment

struct SegmentHeader {
    std::uint64_t first = 1;    ///< sequence number of its first record
    vocabulary::Time created{}; ///< no record of an earlier segment is later (as the clock went)
    mac::Digest chain_before{}; ///< chain value of the record before `first`
};
[[nodiscard]] Buffer make_header(const mac::ChainMac& mac, const SegmentHeader& header);

/// The chain value after a frame; `frame` is its length, kind and payload.
[[nodiscard]] mac::Digest chain_after(const mac::ChainMac& mac, const mac::Digest& before, Bytes frame);

/// "00000000000000000001.log"
[[nodiscard]] std::string segment_name(std::uint64_t first);
struct SegmentFile {
    std::uint64_t first = 0; ///< by its name
    std::filesystem::path path;
};
/// All of a directory, in order. Empty when it can't be read.
[[nodiscard]] std::vector<SegmentFile> list_segments(const std::filesystem::path& directory);

struct Frame {
    std::uint64_t seq = 0;
    FrameKind kind = FrameKind::record;
    Bytes payload; ///< until the next frame is read
};

/// A place between two frames.
struct Mark {
    std::uint64_t seq = 1; ///< of the frame that follows
    std::uint64_t offset = 0;
    mac::Digest chain{}; ///< before it
};

/// Reads one segment forward and checks the chain over all that it shows.
class SegmentReader {
  public:
    /// Refuses with `damaged` (header), `configuration` (a newer format), `store_unavailable` (the disk).
    [[nodiscard]] static result::Result<SegmentReader> open(const SegmentFile& file, const mac::ChainMac& mac);

    enum class Next {
        frame,
        end,    ///< nothing more is there
        bad,    ///< something is there that is no whole, authentic frame
        failed, ///< the disk
    };
    [[nodiscard]] Next next(Frame& frame);
    /// Goes on from a place that an earlier reading passed, or that is authenticated otherwise.
    void go_to(const Mark& mark);

    [[nodiscard]] const SegmentHeader& header() const { return header_; }
    /// Where the next frame begins.
    [[nodiscard]] const Mark& at() const { return at_; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    SegmentReader(File file, std::filesystem::path path, const mac::ChainMac& mac)
        : file_(std::move(file)), path_(std::move(path)), mac_(&mac) {}
    [[nodiscard]] result::Result<> read_header(std::uint64_t first);
    /// Makes `size` bytes from the next frame's begin on available; what is there, if it is less.
    [[nodiscard]] std::optional<Bytes> have(std::size_t size);
    /// Is the file that long? Asked before memory is taken for a frame that may be garbage.
    [[nodiscard]] bool fits(std::uint64_t length) const;

    File file_;
    std::filesystem::path path_;
    const mac::ChainMac* mac_;
    SegmentHeader header_;
    Mark at_;
    Buffer buffer_;
    std::uint64_t buffer_offset_ = 0; ///< in the file
};

/// Reads a range of segments as one log: each must begin where the one before ended.
class LogReader {
  public:
    LogReader(std::vector<SegmentFile> files, const mac::ChainMac& mac) : files_(std::move(files)), mac_(&mac) {}

    /// As SegmentReader::next; `bad` also for a segment that does not follow the one before.
    [[nodiscard]] SegmentReader::Next next(Frame& frame);

    /// Chain value of the record that was shown last.
    [[nodiscard]] const mac::Digest& chain() const { return chain_; }
    [[nodiscard]] std::uint64_t expected() const { return expected_; } ///< sequence number that comes next
    /// The segment in which reading goes on, and where in it; nullptr before the first.
    [[nodiscard]] const SegmentReader* reader() const { return reader_ ? &*reader_ : nullptr; }
    [[nodiscard]] std::size_t segment() const { return segment_; } ///< index of the one that is open or was refused
    /// Why the last answer was `bad` or `failed`, where a segment could not be begun.
    [[nodiscard]] const std::optional<result::Error>& error() const { return error_; }
    [[nodiscard]] std::string place() const; ///< "record 812 in 00000000000000000001.log"

  private:
    [[nodiscard]] SegmentReader::Next begin_segment(std::size_t index);

    std::vector<SegmentFile> files_;
    const mac::ChainMac* mac_;
    std::optional<SegmentReader> reader_;
    std::size_t segment_ = 0;
    std::uint64_t expected_ = 0;
    mac::Digest chain_{};
    std::optional<result::Error> error_;
};

} // namespace credlease::audit
