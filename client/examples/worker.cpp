// worker CREDENTIAL PATH [SECONDS]
//
// A workflow's worker: leases a credential from the broker on this host, asks its service for PATH over HTTPS, and,
// like a longer job, keeps the lease for so many seconds. Its grant is in CREDLEASE_GRANT_FILE. It knows neither the
// secret nor where it goes: both come with the lease, and both go when the lease does.

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <chrono>
#include <credlease/client.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Connection = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

struct Url {
    std::string host, port, path;
};

/// "https://HOST[:PORT][/PATH]"; an empty host: it is something else.
Url read_url(std::string_view text) {
    constexpr std::string_view scheme = "https://";
    if (!text.starts_with(scheme)) return {};
    text.remove_prefix(scheme.size());
    const auto slash = text.find('/');
    const auto authority = text.substr(0, slash);
    const auto colon = authority.rfind(':');
    return {.host = std::string(authority.substr(0, colon)),
            .port = colon == std::string_view::npos ? "443" : std::string(authority.substr(colon + 1)),
            .path = slash == std::string_view::npos ? "" : std::string(text.substr(slash))};
}

/// TLS to the host, whose certificate must be its own (a name or an address) by an authority that this machine trusts.
Connection connect(SSL_CTX* context, const Url& url) {
    Connection connection(BIO_new_ssl_connect(context), BIO_free_all);
    SSL* tls = nullptr;
    BIO_get_ssl(connection.get(), &tls);
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), url.host.c_str()) != 1) {
        SSL_set1_host(tls, url.host.c_str());
        SSL_set_tlsext_host_name(tls, url.host.c_str());
    }
    BIO_set_conn_hostname(connection.get(), url.host.c_str());
    BIO_set_conn_port(connection.get(), url.port.c_str());
    if (BIO_do_connect(connection.get()) != 1 || BIO_do_handshake(connection.get()) != 1)
        return {nullptr, BIO_free_all};
    return connection;
}

bool send(BIO* connection, std::string_view text) {
    return BIO_write(connection, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
}

/// The headers go from the lease's own memory into the connection: no string of this program holds the secret.
bool send_request(BIO* connection, const Url& url, std::string_view path, const credlease::Lease& lease) {
    bool sent = send(connection, "GET " + url.path + std::string(path) + " HTTP/1.1\r\nHost: " + url.host +
                                     "\r\nConnection: close\r\n");
    lease.expose_headers([&](std::string_view name, std::string_view value) {
        sent = sent && send(connection, name) && send(connection, ": ") && send(connection, value) &&
               send(connection, "\r\n");
    });
    return sent && send(connection, "\r\n");
}

std::string read_answer(BIO* connection) {
    std::string answer;
    std::array<char, 4096> bytes{};
    for (int size = 0; answer.size() < 65536 && (size = BIO_read(connection, bytes.data(), bytes.size())) > 0;)
        answer.append(bytes.data(), static_cast<std::size_t>(size));
    return answer;
}

int refused(const credlease::Error& error) {
    std::fprintf(stderr, "worker: refused (%s): %s %s\n", error.code.c_str(), error.sentence.c_str(),
                 error.next_step.c_str());
    return EXIT_FAILURE;
}

int use(const credlease::Lease& lease, std::string_view path) {
    const Url url = read_url(lease.base_url());
    if (url.host.empty()) {
        std::fprintf(stderr, "worker: the credential has no https base_url, so there is nowhere to use it.\n");
        return EXIT_FAILURE;
    }
    const Context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_default_verify_paths(context.get()); // SSL_CERT_FILE names another authority
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_options(context.get(), SSL_OP_CLEANSE_PLAINTEXT);
    const auto connection = connect(context.get(), url);
    if (!connection || !send_request(connection.get(), url, path, lease)) {
        std::fprintf(stderr, "worker: %s could not be asked: %s\n", url.host.c_str(),
                     ERR_reason_error_string(ERR_peek_last_error()));
        return EXIT_FAILURE;
    }
    const std::string answer = read_answer(connection.get());
    const auto body = answer.find("\r\n\r\n");
    std::printf("worker: %s said: %.*s\n", url.host.c_str(), static_cast<int>(answer.find('\r')), answer.c_str());
    if (body != std::string::npos) std::printf("worker: %s\n", answer.c_str() + body + 4);
    const auto status = answer.find(' ');
    return status != std::string::npos && answer.compare(status, 5, " 200 ") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

int main(int count, char** arguments) {
    if (count < 3) {
        std::fprintf(stderr, "usage: worker CREDENTIAL PATH [SECONDS]\n");
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ); // what it does shows while it does it
    credlease::Client client;
    const auto lease = client.lease({.credential = arguments[1], .ttl = std::chrono::minutes(1)});
    if (!lease) return refused(lease.error());
    std::printf("worker: leased %s (%s, version %u)\n", arguments[1], lease->id().c_str(), lease->version());
    const int outcome = use(*lease, arguments[2]);
    if (count > 3) std::this_thread::sleep_for(std::chrono::seconds(std::atoi(arguments[3])));
    return outcome; // the lease dies here: its secret is wiped and it is given back
}
