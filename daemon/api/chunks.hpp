#pragma once

#include "result/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace credlease::api {

[[nodiscard]] result::Error body_too_large();

/// Takes the framing off a chunked body (RFC 9112 §7.1) as it comes, and copies nothing. Extensions and trailers are
/// read past: none means anything here (§7.1.1, §7.1.2). What the grammar does not allow is refused, a bare LF above
/// all: where two readers see a chunk end in different places, a second request can hide.
class ChunkReader {
  public:
    /// `most`: bytes of the body.
    explicit ChunkReader(std::size_t most) : room_(most) {}

    struct Piece {
        std::size_t taken = 0;   ///< bytes that were read
        std::string_view data{}; ///< the last of them; none at the end of the body or of what has come
    };
    /// Reads as far as the next piece of the body. A chunk that has no room is refused before it comes.
    [[nodiscard]] result::Result<Piece> read(std::string_view bytes);
    [[nodiscard]] bool is_done() const { return at_ == At::end; }

  private:
    enum class At : std::uint8_t {
        size_begin,
        size,
        before_extension,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer,
        trailer_name,
        trailer_value,
        trailer_lf,
        last_lf,
        end,
    };
    [[nodiscard]] bool take(char c);
    [[nodiscard]] bool take_size(char c);
    [[nodiscard]] bool take_trailer(char c);
    /// To `next`, whether or not that was allowed: after a refusal nothing is read any more.
    [[nodiscard]] bool go(At next, bool is_allowed) {
        at_ = next;
        return is_allowed;
    }

    At at_ = At::size_begin;
    std::size_t room_;        ///< for more of the body
    std::size_t chunk_ = 0;   ///< bytes of the chunk that are still to come
    std::size_t framing_ = 0; ///< bytes that were not of the body
};

} // namespace credlease::api
