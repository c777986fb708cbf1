#include "outbound/tls.hpp"

#include "outbound/failures.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <new>

namespace credlease::outbound {
namespace {

result::Failure refuse_ca_file(const std::filesystem::path& file) {
    return result::refuse({.code = result::ErrorCode::configuration,
                           .sentence = "The file of certificate authorities cannot be used.",
                           .next_step = "Name a file of PEM certificates under [outbound] ca_file.",
                           .about = result::PublicText::of(file.native())});
}

bool is_address(const std::string& host) {
    boost::system::error_code not_one;
    boost::asio::ip::make_address(host, not_one);
    return !not_one;
}

} // namespace

/// OpenSSL's new_session_cb, which runs within Tls::read: SSL_CTX_sess_set_new_cb(3).
int keep_session(SSL* tls, SSL_SESSION* session) {
    const bool is_kept = SSL_version(tls) == TLS1_3_VERSION && SSL_SESSION_is_resumable(session) == 1;
    if (!is_kept) return 0;
    const auto& of = *static_cast<Tls*>(SSL_get_app_data(tls));
    of.context_->sessions.keep(of.origin_, {session, SSL_SESSION_free}, TlsSessions::Clock::now());
    return 1;
}

result::Result<std::shared_ptr<TlsContext>> make_tls_context(const std::filesystem::path& ca_file) {
    auto context = std::make_shared<TlsContext>(TlsContext{.settings{SSL_CTX_new(TLS_client_method()), SSL_CTX_free}});
    SSL_CTX* const settings = context->settings.get();
    if (settings == nullptr) throw std::bad_alloc();
    SSL_CTX_set_min_proto_version(settings, TLS1_2_VERSION);
    SSL_CTX_set_options(settings, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(settings, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(settings, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(settings, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(settings, keep_session);
    SSL_CTX_set_default_verify_paths(settings);
    const bool is_usable = ca_file.empty() || SSL_CTX_load_verify_locations(settings, ca_file.c_str(), nullptr) == 1;
    ERR_clear_error();
    if (!is_usable) return refuse_ca_file(ca_file);
    return context;
}

Tls::Tls(std::shared_ptr<TlsContext> context, const Url& url, int socket)
    : context_(std::move(context)), origin_(origin_of(url)), tls_(SSL_new(context_->settings.get()), SSL_free) {
    if (!tls_ || SSL_set_fd(tls_.get(), socket) != 1) throw std::bad_alloc();
    SSL_set_app_data(tls_.get(), this);
    verify(url.host);
    resume();
    SSL_set_connect_state(tls_.get());
}

void Tls::verify(const std::string& host) {
    X509_VERIFY_PARAM* const verified = SSL_get0_param(tls_.get());
    bool is_bound = false; // to the host: else any certificate would do
    if (is_address(host)) {
        is_bound = X509_VERIFY_PARAM_set1_ip_asc(verified, host.c_str()) == 1;
    } else {
        X509_VERIFY_PARAM_set_hostflags(verified, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        is_bound = X509_VERIFY_PARAM_set1_host(verified, host.c_str(), 0) == 1 &&
                   SSL_set_tlsext_host_name(tls_.get(), host.c_str()) == 1;
    }
    if (!is_bound) throw std::bad_alloc();
}

void Tls::resume() {
    const TlsSession session = context_->sessions.take(origin_, TlsSessions::Clock::now());
    if (session) SSL_set_session(tls_.get(), session.get());
    ERR_clear_error(); // without it the handshake is a whole one
}

Step Tls::handshake() {
    ERR_clear_error();
    const Step step = step_of(SSL_do_handshake(tls_.get()));
    if (step.kind == Step::Kind::broken) context_->sessions.forget(origin_);
    return step;
}

Step Tls::read(std::span<std::byte> into) {
    ERR_clear_error();
    std::size_t count = 0;
    Step step = step_of(SSL_read_ex(tls_.get(), into.data(), into.size(), &count));
    step.count = count;
    return step;
}

Step Tls::write(std::span<const std::byte> from) {
    ERR_clear_error();
    std::size_t count = 0;
    Step step = step_of(SSL_write_ex(tls_.get(), from.data(), from.size(), &count));
    step.count = count;
    return step;
}

bool Tls::holds_unread() const { return SSL_has_pending(tls_.get()) == 1; }

void Tls::close() {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
    ERR_clear_error();
}

result::Error Tls::failure(const Url& url) const {
    const long verification = SSL_get_verify_result(tls_.get());
    if (verification != X509_V_OK) return not_trusted(url, verification);
    return reason_ == nullptr ? dropped(url, Stage::handshake, 0) : no_tls(url, reason_);
}

Step Tls::step_of(int returned) {
    if (returned == 1) return {.kind = Step::Kind::done};
    switch (SSL_get_error(tls_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
        return {.kind = Step::Kind::wants_read};
    case SSL_ERROR_WANT_WRITE:
        return {.kind = Step::Kind::wants_write};
    case SSL_ERROR_ZERO_RETURN:
        return {.kind = Step::Kind::closed};
    case SSL_ERROR_SSL:
        // A connection that ends without TLS's own end says nothing of TLS.
        if (ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
            reason_ = ERR_reason_error_string(ERR_peek_error());
        [[fallthrough]];
    default:
        return {.kind = Step::Kind::broken};
    }
}

} // namespace credlease::outbound
