#pragma once

#include "credlease/client.hpp"
#include "secret/secret_buffer.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace credlease::client {

/// The library's locked memory: arenas of 256 KiB or more, made as they are needed, kept to the end of the process.
///
/// mlock(2), not memfd_secret(2), which would keep the host from hibernating for as long as any program uses the
/// library. Where the limit (RLIMIT_MEMLOCK, 64 KiB in many containers) does not allow that, the memory is not locked:
/// it can be swapped, but is still excluded from core dumps, wiped in forked children, and wiped after use.
class Memory {
  public:
    /// A forked child gets one of its own.
    [[nodiscard]] static Memory& of_this_process();

    [[nodiscard]] Result<secret::SecretBuffer> make(std::size_t size, secret::Share share);

  private:
    std::mutex lock_;
    std::vector<std::unique_ptr<secret::Arena>> arenas_;
};

/// Bytes that come in pieces, in locked memory.
class GrowingSecret {
  public:
    explicit GrowingSecret(std::size_t most) : most_(most) {}

    /// Makes room for `size` bytes more; `invalid_request` past the most.
    Result<void> reserve(std::size_t size);
    Result<void> append(std::string_view bytes);
    /// Lets `read` (as read(2)) write into the room that was reserved; returns what it returns.
    template <class Read> ssize_t fill(Read&& read) {
        const ssize_t count = buffer_.expose_to_write([&](std::span<std::byte> bytes) {
            const std::span<std::byte> room = bytes.subspan(size_);
            return read(reinterpret_cast<char*>(room.data()), room.size());
        });
        if (count > 0) size_ += static_cast<std::size_t>(count);
        return count;
    }
    void drop_front(std::size_t size);
    /// Cuts one "\n" or "\r\n" off the end.
    void cut_newline();
    [[nodiscard]] std::size_t size() const { return size_; }
    template <class Use> decltype(auto) expose(Use&& use) const {
        return buffer_.expose([&](std::span<const std::byte> bytes) -> decltype(auto) {
            return std::forward<Use>(use)(secret::as_text(bytes.first(size_)));
        });
    }
    [[nodiscard]] secret::SecretBuffer take() &&;

  private:
    secret::SecretBuffer buffer_;
    std::size_t size_ = 0;
    std::size_t most_;
};

/// Reads JSON text whose values lie in locked memory, and wipes them when `use` returns.
Result<void> with_json(std::string_view text, const std::function<Result<void>(const boost::json::value&)>& use);

/// Shows a value as text: a string as it is, anything else as JSON in locked memory.
Result<void> show_value(const boost::json::value& value, const std::function<void(std::string_view)>& use);

} // namespace credlease::client
