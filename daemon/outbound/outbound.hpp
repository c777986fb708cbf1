#pragma once

#include "result/result.hpp"
#include "runtime/loop.hpp"
#include "runtime/task.hpp"
#include "secret/secret_buffer.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::outbound {

struct Options {
    std::chrono::milliseconds timeout{20'000}; ///< of a whole exchange: look-up, connection, TLS, request, answer
    std::filesystem::path ca_file{};           ///< beside the system's; empty: none
    bool allow_private = false;                ///< private, loopback, link-local and other special addresses
    std::vector<std::string> allowed_hosts{};  ///< whose addresses may be private all the same
};

enum class Method : std::uint8_t { get, post, del };

/// Header values and body may hold secrets: they lie in the arena. The URL never does.
struct Header {
    std::string name;
    secret::SecretBuffer value;
};
struct Request {
    Method method = Method::post;
    std::string url; ///< https; http on loopback alone
    std::vector<Header> headers{};
    std::string content_type{};
    secret::SecretBuffer body{};
    /// Who gets it twice does no harm: it may go over a connection that was kept, and whoever sends it leaves its own
    /// to the next.
    bool may_be_repeated = false;
    /// Whose it is: the threads that look names up are shared out between owners.
    std::string on_behalf_of{};
};

/// What came back whole, whatever its status says. Redirects are not followed: a 3xx is an answer.
struct Answer {
    unsigned status = 0;
    std::string content_type{};               ///< "application/json", or another one that is known; else empty
    std::chrono::milliseconds retry_after{0}; ///< Retry-After, as seconds or a date (RFC 9110 §10.2.3); 0: none
    std::chrono::seconds date_ahead{0};       ///< how far the server's clock goes ahead of ours, by its Date header
    secret::SecretBuffer body{};              ///< in the arena; at most wire::limits::provider_answer bytes
};

/// Why there is no answer. `was_sent` false: not a byte of the request left this process, so that nothing it carries
/// can have been spent.
struct Failed {
    /// `upstream_failed`; or, before anything was sent, `invalid_request` (URL, headers) and `overloaded` (the arena is
    /// full). Never holds a secret, nor anything that the provider said.
    result::Error error;
    bool was_sent = true;
};
using Outcome = std::expected<Answer, Failed>;

/// HTTPS requests to the world, on a thread and a loop of its own: values in, values out. Verifies certificates and
/// host names (TLS 1.2 or later), refuses private addresses after the name was looked up, bounds everything. A
/// connection that is kept may be closed by the provider just as a request is written, and then nobody knows whether a
/// token was spent. So each request has a connection of its own, unless it may be repeated: that one may go over a kept
/// one, and is made anew, once and within the same deadline, when that ends before a byte of an answer came.
class Client {
  public:
    /// `configuration` where `ca_file` cannot be used; `internal` after OpenSSL was used without wiping what it frees.
    [[nodiscard]] static result::Result<std::unique_ptr<Client>> make(runtime::Loop& loop, secret::Arena& arena,
                                                                      Options options);
    /// What is under way ends with `was_sent` as it stood: whoever awaits it goes on in a later turn of the loop.
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// From the loop thread. Never throws. A task that is cancelled while it waits goes on waiting and gets what comes,
    /// which may be the only copy of a token; its next `co_await` then throws.
    [[nodiscard]] runtime::Task<Outcome> send(Request request);
    /// What is under way now ends at once, with `was_sent` as it stands. Connections that are kept are closed.
    void give_up();
    /// Closes the connections that are kept.
    void close_kept();
    /// Whether the arena has room for one more exchange: else it would be `overloaded`.
    [[nodiscard]] bool has_room() const;
    /// The bytes of the arena that all exchanges together may take.
    [[nodiscard]] std::size_t room() const;
    /// For what is sent from now on, on new connections. As `make` refuses; then the old ones stay in force.
    [[nodiscard]] result::Result<> set(Options options);
    /// Exchanges whose tasks have not been told yet.
    [[nodiscard]] std::size_t under_way() const;

  private:
    struct State;
    explicit Client(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace credlease::outbound
