#pragma once

#include "outbound/step.hpp"
#include "outbound/url.hpp"
#include "result/result.hpp"

#include <filesystem>
#include <memory>
#include <span>

struct ssl_ctx_st;
struct ssl_st;

namespace credlease::outbound {

using TlsContext = std::shared_ptr<ssl_ctx_st>;

/// TLS 1.2 or later, trusting the system's authorities and those of `ca_file` (empty: none). `configuration` when that
/// file holds no certificate that can be read.
[[nodiscard]] result::Result<TlsContext> make_tls_context(const std::filesystem::path& ca_file);

/// TLS on a connected socket that never blocks. Plaintext is in the caller's buffers, and in OpenSSL's own only until
/// a call returns.
class Tls {
  public:
    /// `socket` stays the caller's and outlives this. Signals of the calling thread must be blocked: a write to a
    /// closed connection raises SIGPIPE.
    Tls(const TlsContext& context, const Url& url, int socket);

    [[nodiscard]] Step handshake();
    [[nodiscard]] Step read(std::span<std::byte> into);
    [[nodiscard]] Step write(std::span<const std::byte> from);
    /// Tells the other side that nothing more comes, if that can be done at once.
    void close();

    /// Why `handshake` came to `broken`.
    [[nodiscard]] result::Error failure(const Url& url) const;

  private:
    [[nodiscard]] Step step_of(int returned);

    std::unique_ptr<ssl_st, void (*)(ssl_st*)> tls_;
    const char* reason_ = nullptr; ///< OpenSSL's words for a broken connection
};

} // namespace credlease::outbound
