#pragma once

#include "outbound/step.hpp"
#include "outbound/tls_sessions.hpp"
#include "outbound/url.hpp"
#include "result/result.hpp"

#include <filesystem>
#include <memory>
#include <span>

struct ssl_ctx_st;
struct ssl_st;

namespace credlease::outbound {

/// What the connections of one configuration share.
struct TlsContext {
    std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> settings;
    TlsSessions sessions{};
};

/// TLS 1.2 or later, trusting the system's authorities and those of `ca_file` (empty: none). `configuration` when that
/// file holds no certificate that can be read.
[[nodiscard]] result::Result<std::shared_ptr<TlsContext>> make_tls_context(const std::filesystem::path& ca_file);

/// TLS on a connected socket that never blocks. Never is early data sent: the first byte of a request leaves after the
/// handshake, whether a session was resumed by it or not. Only TLS 1.3's sessions are: from what is kept of them nobody
/// can tell what an earlier connection carried, or a later one (RFC 8446 §2.2, psk_dhe_ke). Plaintext is in the
/// caller's buffers, and in OpenSSL's own only until a call returns; between two calls it has no such buffers at all.
class Tls {
  public:
    /// `socket` stays the caller's and outlives this. Signals of the calling thread must be blocked: a write to a
    /// closed connection raises SIGPIPE.
    Tls(std::shared_ptr<TlsContext> context, const Url& url, int socket);
    Tls(const Tls&) = delete;
    Tls& operator=(const Tls&) = delete;

    [[nodiscard]] Step handshake();
    [[nodiscard]] Step read(std::span<std::byte> into);
    [[nodiscard]] Step write(std::span<const std::byte> from);
    /// Something has come that OpenSSL has taken and nobody has read.
    [[nodiscard]] bool holds_unread() const;
    /// Tells the other side that nothing more comes, if that can be done at once.
    void close();

    /// Why `handshake` came to `broken`.
    [[nodiscard]] result::Error failure(const Url& url) const;

  private:
    [[nodiscard]] Step step_of(int returned);
    void verify(const std::string& host);
    void resume();
    friend int keep_session(ssl_st* tls, ssl_session_st* session);

    std::shared_ptr<TlsContext> context_;
    std::string origin_;
    std::unique_ptr<ssl_st, void (*)(ssl_st*)> tls_;
    const char* reason_ = nullptr; ///< OpenSSL's words for a broken connection
};

} // namespace credlease::outbound
