#pragma once

#include "outbound/failures.hpp"
#include "outbound/outbound.hpp"
#include "outbound/step.hpp"

#include <expected>
#include <memory>

namespace credlease::outbound {

/// Reads one answer (RFC 9112) where it lies: in one buffer in the arena, at whose front the body gathers. The buffer
/// is there before a request is sent, so that a full arena can't lose a usual answer, and doubles for a larger one.
class AnswerReader {
  public:
    enum class Progress : std::uint8_t { more, whole };
    using Read = std::expected<Progress, BadAnswer>;

    /// Whether there is room for one, and for the request whose answer it reads.
    [[nodiscard]] static bool has_room_in(const secret::Arena& arena);
    /// The bytes of the arena that all of them together may take.
    [[nodiscard]] static std::size_t room_in(const secret::Arena& arena);
    [[nodiscard]] static result::Result<AnswerReader> make(secret::Arena& arena);
    AnswerReader(AnswerReader&&) noexcept;
    ~AnswerReader();

    /// Without room, `grow` comes first: `too_large` ones are known by then.
    [[nodiscard]] bool has_room() const;
    /// False while the arena is full: later it may not be.
    [[nodiscard]] std::expected<bool, BadAnswer> grow();
    /// Lets `read` put bytes behind those that are there; what its Step counts is then looked at by `go_on`.
    template <class Reading> Step fill(Reading&& read) {
        const Step step = buffer_.expose_to_write([&](std::span<std::byte> all) { return read(all.subspan(filled_)); });
        filled_ += step.count;
        received_ += step.count;
        return step;
    }
    [[nodiscard]] Read go_on();
    /// The provider has said that nothing more comes: whether the answer is whole by that.
    [[nodiscard]] bool ends_here();

    /// Of a whole one: the connection is good for another request. It is HTTP/1.1's, nobody wants it closed, and
    /// nothing lies behind the answer.
    [[nodiscard]] bool leaves_open() const;

    [[nodiscard]] std::size_t received() const { return received_; }
    /// Of a whole one, once.
    [[nodiscard]] Answer take();

  private:
    class Parser;
    AnswerReader(secret::Arena& arena, secret::SecretBuffer buffer);
    [[nodiscard]] Read parse(std::span<std::byte> all);

    secret::Arena* arena_;
    secret::SecretBuffer buffer_; ///< body, then what was not parsed yet, then room
    std::size_t filled_ = 0;
    std::size_t received_ = 0;
    std::unique_ptr<Parser> parser_;
};

} // namespace credlease::outbound
