#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::test {

/// What came back for one request.
struct Response {
    unsigned status = 0;
    std::map<std::string, std::string> headers; ///< names in lower case
    std::string body;

    /// Empty when it is not there.
    [[nodiscard]] std::string header(const std::string& name) const;
};

/// Blocking raw HTTP over a Unix socket: whatever bytes a test wants to send, and one response at a time.
class SocketClient {
  public:
    /// Connects; throws std::system_error when it can't.
    explicit SocketClient(const std::filesystem::path& socket);
    ~SocketClient() { close(); }
    SocketClient(SocketClient&& other) noexcept;
    SocketClient& operator=(SocketClient&&) = delete;

    /// False once the other end has closed.
    bool send(std::string_view bytes);
    /// The next response (1xx ones too); nullopt at the end of the stream or after `patience`.
    [[nodiscard]] std::optional<Response> receive(std::chrono::milliseconds patience = std::chrono::seconds(10));
    /// A whole request and its response. `headers` are lines that end in CR LF.
    [[nodiscard]] std::optional<Response> ask(std::string_view method, std::string_view target,
                                              std::string_view body = {}, std::string_view headers = {});

    /// Whether the other end closes within `patience`, without another byte before.
    [[nodiscard]] bool is_closed_by_peer(std::chrono::milliseconds patience = std::chrono::seconds(10));
    /// Whether nothing comes for `patience`.
    [[nodiscard]] bool is_silent(std::chrono::milliseconds patience);
    void finish_writing();
    void close();
    [[nodiscard]] int number() const { return socket_; }

  private:
    enum class Came : std::uint8_t { bytes, end, nothing };
    Came read_more(std::chrono::steady_clock::time_point until);
    [[nodiscard]] std::optional<std::size_t> read_head(Response& response, std::chrono::steady_clock::time_point until);

    int socket_ = -1;
    std::string read_;     ///< what came and was not taken yet
    bool is_head_ = false; ///< the last request asked was HEAD: its response has no body
};

/// The bytes of a request.
[[nodiscard]] std::string request_text(std::string_view method, std::string_view target, std::string_view body = {},
                                       std::string_view headers = {});

} // namespace credlease::test
