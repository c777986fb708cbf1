#pragma once

#include "oauth_house.hpp"
#include "support/oauth/oidc_server.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <ctime>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace credlease::tests {

/// A port of loopback that is taken, and at which nobody listens.
class SilentPort {
  public:
    SilentPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in place{};
        place.sin_family = AF_INET;
        place.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof place;
        auto* const address = reinterpret_cast<sockaddr*>(&place);
        if (::bind(socket_, address, size) != 0 || ::getsockname(socket_, address, &size) != 0) {
            throw std::runtime_error("no port of loopback is free");
        }
        number_ = ::ntohs(place.sin_port);
    }
    ~SilentPort() { ::close(socket_); }
    SilentPort(const SilentPort&) = delete;
    SilentPort& operator=(const SilentPort&) = delete;

    [[nodiscard]] unsigned number() const { return number_; }

  private:
    int socket_;
    unsigned number_ = 0;
};

struct BesideOidcServer {
    SilentPort nobody; ///< where browsers are sent back to
    OidcServer server;

    explicit BesideOidcServer(std::chrono::seconds access_token)
        : server({.access_token = access_token, .redirect_uri = redirect_uri()}) {}
    [[nodiscard]] std::string redirect_uri() const {
        return "http://127.0.0.1:" + std::to_string(nobody.number()) + "/oauth/callback";
    }
};

/// A broker beside an authorization server that others wrote, found by its issuer; people come to it in Chromium.
struct OidcHouse : BesideOidcServer, OAuthBroker {
    /// Access tokens live so long there.
    explicit OidcHouse(std::chrono::seconds access_token = std::chrono::hours(1))
        : BesideOidcServer(access_token),
          OAuthBroker(outbound(server.ca_file(), "redirect_uris = [\"" + redirect_uri() + "\"]\n")) {}

    /// Stores a credential of that client of the server: "web", "native", or "service", which needs no person.
    std::string store(const std::string& name, const std::string& client_name) {
        boost::json::object fields = {{"issuer", server.origin()}, {"client_id", server.client_id(client_name)}};
        if (client_name != "native") fields["client_secret"] = server.client_secret(client_name);
        if (client_name == "service") {
            fields["client_auth"] = "post";
            fields["flow"] = "client_credentials";
        } else {
            fields["scopes"] = boost::json::array{"openid", "offline_access"};
        }
        return store_fields(name, fields);
    }
    /// Begins with a browser that comes back to where nobody listens.
    [[nodiscard]] Answered begin(const std::string& id) {
        auto begun = authorize({{"credential", id}, {"redirect_uri", redirect_uri()}});
        BOOST_REQUIRE_MESSAGE(begun.status == 201U, boost::json::serialize(begun.json));
        return begun;
    }
    /// A person signs in, consents, and pastes the address that the browser was left with.
    void connect(const std::string& id) {
        const auto begun = begin(id);
        const auto page = browse(text(begun.json, "authorize_url"));
        const auto done = complete(begun, page.url);
        BOOST_REQUIRE_MESSAGE(done.status == 200U && text(done.json, "state") == "connected",
                              page.url << ": " << boost::json::serialize(done.json));
    }
    [[nodiscard]] int generation(const std::string& id) {
        const auto shown = show(id);
        const auto* number = shown.is_object() ? shown.as_object().if_contains("generation") : nullptr;
        return number != nullptr ? number->to_number<int>() : 0;
    }
    /// kill -9 in a moment in which none of these credentials has a refresh on its way or near: of a refresh token of
    /// single use nothing else can be saved (guarantee 7).
    void kill_between_refreshes(const std::vector<std::string>& ids) {
        using std::chrono::system_clock;
        constexpr std::chrono::milliseconds near{400};
        for (;;) {
            const auto is_near = [&](const std::string& id) {
                return time_of(text(show(id).at("oauth"), "refresh_at")) < system_clock::now() + near;
            };
            const auto asked_at = system_clock::now();
            const bool is_quiet = std::ranges::none_of(ids, is_near);
            daemon.signal(SIGSTOP);
            if (is_quiet && system_clock::now() < asked_at + near / 2) return daemon.kill9();
            daemon.signal(SIGCONT);
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }

  private:
    [[nodiscard]] static std::chrono::system_clock::time_point time_of(const std::string& text) {
        std::tm parts{};
        const char* const rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
        if (rest == nullptr) throw std::runtime_error(text + " is no time");
        const auto milliseconds = *rest == '.' ? std::stoi(rest + 1) : 0; // three digits
        return std::chrono::system_clock::from_time_t(::timegm(&parts)) + std::chrono::milliseconds(milliseconds);
    }
};

} // namespace credlease::tests
