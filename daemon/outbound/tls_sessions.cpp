#include "outbound/tls_sessions.hpp"

#include <openssl/ssl.h>

#include <algorithm>

namespace credlease::outbound {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kept_most = 256;
constexpr auto life = 10min; ///< a certificate that has ended or was withdrawn is noticed by then

} // namespace

void TlsSessions::keep(std::string origin, TlsSession session, Clock::time_point now) {
    if (kept_.size() == kept_most) kept_.pop_front();
    kept_.push_back({.origin = std::move(origin), .session = std::move(session), .since = now});
}

TlsSession TlsSessions::take(const std::string& origin, Clock::time_point now) {
    while (!kept_.empty() && kept_.front().since + life <= now) kept_.pop_front();
    const auto newest = std::ranges::find(kept_.rbegin(), kept_.rend(), origin, &Kept::origin);
    if (newest == kept_.rend()) return {nullptr, SSL_SESSION_free};
    TlsSession taken = std::move(newest->session);
    kept_.erase(std::next(newest).base());
    return taken;
}

void TlsSessions::forget(const std::string& origin) {
    std::erase_if(kept_, [&](const Kept& one) { return one.origin == origin; });
}

} // namespace credlease::outbound
