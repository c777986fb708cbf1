#include "outbound/failures.hpp"

#include "wire/limits.hpp"

#include <boost/asio/error.hpp>
#include <openssl/x509_vfy.h>

#include <netdb.h>
#include <string>
#include <utility>

namespace credlease::outbound {
namespace {

using result::Error;
using result::StaticText;

Error failed(StaticText sentence, StaticText next_step, const Url& url, std::string_view more = {}) {
    std::string about = url.authority;
    if (!more.empty()) about.append(", ").append(more);
    return {.code = result::ErrorCode::upstream_failed,
            .sentence = sentence,
            .next_step = next_step,
            .about = result::PublicText::of(about)};
}

constexpr StaticText is_it_up{"Check that the provider is up and that this host may reach it."};
constexpr StaticText again{"Try again in a moment."};
constexpr StaticText told_provider{"Check the address; if it is right, this is the provider's to mend."};

} // namespace

Error late(const Url& url, Stage stage) {
    switch (stage) {
    case Stage::look_up:
        return failed("The provider's host name was not looked up in time.", "Check this host's name service (DNS).",
                      url);
    case Stage::connect:
        return failed("The provider took no connection in time.", is_it_up, url);
    case Stage::handshake:
        return failed("The provider did not finish the TLS handshake in time.", is_it_up, url);
    case Stage::request:
        return failed("The provider did not take the request in time.", again, url);
    case Stage::answer:
        return failed("The provider did not answer in time.", again, url);
    }
    std::unreachable();
}

Error stopped(const Url& url) { return failed("The broker stopped before the provider had answered.", again, url); }

Error not_looked_up(const Url& url, int failure) {
    if (failure == EAI_NONAME || failure == EAI_NODATA)
        return failed("The provider's host name was not found.",
                      "Check the address and this host's name service (DNS).", url);
    return failed("The provider's host name could not be looked up.", "Check this host's name service (DNS).", url,
                  ::gai_strerror(failure));
}

Error not_public(const Url& url) {
    return failed("The provider's address is private, loopback or special, and requests go to public ones only.",
                  "If that is meant, name the host under [outbound] allowed_hosts.", url);
}

Error not_encrypted(const Url& url) {
    return failed("The provider's address is not https, and plain http goes to loopback alone.",
                  "Write the address with https.", url);
}

Error not_connected(const Url& url, boost::system::error_code why) {
    if (why == boost::asio::error::connection_refused)
        return failed("The provider refused the connection.", is_it_up, url);
    if (why == boost::asio::error::operation_aborted) why = boost::asio::error::timed_out; // of one address of several
    return failed("The provider could not be reached.", is_it_up, url, why.message());
}

Error not_trusted(const Url& url, long verification) {
    const std::string_view why = X509_verify_cert_error_string(verification);
    switch (verification) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return failed("The provider's certificate is not valid at this time.",
                      "Check this host's clock; if it is right, the provider has to renew the certificate.", url, why);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return failed("The provider's certificate is for another name.", "Check the address.", url);
    default:
        return failed("The provider's certificate is not trusted.",
                      "If its authority is your own, name the authority's certificate under [outbound] ca_file.", url,
                      why);
    }
}

Error no_tls(const Url& url, const char* why) {
    return failed("No TLS connection came about with the provider.", told_provider, url, why == nullptr ? "" : why);
}

Error dropped(const Url& url, Stage stage, std::size_t received) {
    if (stage == Stage::handshake)
        return failed("The provider dropped the connection in the TLS handshake.", told_provider, url);
    const auto after = "after " + std::to_string(received) + " bytes of it";
    return failed("The provider dropped the connection before its answer was whole.", again, url, after);
}

Error bad_answer(const Url& url, BadAnswer why) {
    constexpr auto kib = [](std::size_t bytes) { return "more than " + std::to_string(bytes >> 10) + " KiB"; };
    switch (why) {
    case BadAnswer::not_http:
        return failed("The provider's answer is not HTTP.", told_provider, url);
    case BadAnswer::header_too_large:
        return failed("The header of the provider's answer is too large.", told_provider, url,
                      kib(wire::limits::header_block));
    case BadAnswer::too_large:
        return failed("The provider's answer is too large.", told_provider, url, kib(wire::limits::provider_answer));
    case BadAnswer::too_large_for_arena:
        return failed("The provider's answer does not fit into the locked memory for secrets.",
                      "Raise [memory] size, and RLIMIT_MEMLOCK if that is lower.", url);
    case BadAnswer::encoded:
        return failed("The provider's answer is compressed, which was not asked for.", told_provider, url);
    }
    std::unreachable();
}

} // namespace credlease::outbound
