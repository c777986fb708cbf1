#pragma once

#include "client/memory.hpp"
#include "credlease/client.hpp"
#include "secret/secret_buffer.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::client {

/// One request as it is sent (RFC 9112). All views live as long as the exchange.
struct Message {
    std::string_view method{};
    std::string_view path{}; ///< with query
    std::string_view actor{};
    std::string_view if_match{};
    std::string_view idempotency_key{};
    std::string_view accept = "application/json";
    std::string_view last_event_id{};
    const secret::SecretBuffer* grant = nullptr;
    std::string_view body{};                           ///< one without secrets, or …
    const secret::SecretBuffer* secret_body = nullptr; ///< … one with
    bool secret_answer = false;                        ///< the answer is read into locked memory

    [[nodiscard]] std::size_t body_size() const { return secret_body != nullptr ? secret_body->size() : body.size(); }
};

/// The request line and the header fields, in locked memory for the grant. `invalid_request` for a value that would
/// break out of its line.
[[nodiscard]] Result<secret::SecretBuffer> write_head(const Message& message);

struct Reply {
    unsigned status = 0;
    std::string etag{};
    std::string request_id{};
    std::optional<std::chrono::seconds> retry_after{};
    bool keeps_alive = true;
    std::string text{};                           ///< the body of an answer without secrets
    std::optional<secret::SecretBuffer> secret{}; ///< the body of one that may hold some

    template <class Use> decltype(auto) expose(Use&& use) const {
        if (!secret) return std::forward<Use>(use)(std::string_view(text));
        return secret->expose([&](std::span<const std::byte> body) -> decltype(auto) {
            return std::forward<Use>(use)(secret::as_text(body));
        });
    }
};

/// Reads one answer as its bytes come.
class ReplyReader {
  public:
    enum class Body { text, secret, stream }; ///< `stream`: it may go on for ever, and is taken as it comes
    explicit ReplyReader(Body body);
    ~ReplyReader();
    ReplyReader(const ReplyReader&) = delete;
    ReplyReader& operator=(const ReplyReader&) = delete;

    /// Takes from the front of `bytes` and returns how many; what is left has to come again with more behind it.
    /// `internal` for bytes that are no answer.
    [[nodiscard]] Result<std::size_t> take(std::string_view bytes);
    [[nodiscard]] bool is_done() const;
    [[nodiscard]] Reply reply() &&;
    /// 0 until the whole head is there.
    [[nodiscard]] unsigned status() const;
    /// What came of the body since it was taken last.
    [[nodiscard]] std::string take_text();

  private:
    class Parser;
    std::unique_ptr<Parser> parser_;
};

} // namespace credlease::client
