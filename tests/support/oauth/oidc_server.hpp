#pragma once

#include "support/oauth/process.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::tests {

/// The real authorization server of tests/oidc. A test that uses it requires the fixture `oidc`.
class OidcServer {
  public:
    struct Setup {
        std::chrono::seconds access_token{3600}; ///< how long one lives
        std::chrono::seconds device_code{600};
        std::string redirect_uri = "http://127.0.0.1:7466/oauth/callback"; ///< of client "web"
    };
    OidcServer() : OidcServer(Setup()) {}
    explicit OidcServer(const Setup& setup);
    ~OidcServer();
    OidcServer(const OidcServer&) = delete;
    OidcServer& operator=(const OidcServer&) = delete;

    [[nodiscard]] std::string origin() const; ///< also its issuer
    [[nodiscard]] std::filesystem::path ca_file() const { return folder_ / "ca.pem"; }
    /// "web" (code; authenticates by basic), "native" (code, device; public), "service" (client credentials; by post).
    [[nodiscard]] std::string client_id(std::string_view client) const;
    [[nodiscard]] std::string client_secret(std::string_view client) const;
    /// What happened there: `event`, `client`, `grant_type`, `error`; server.mjs lists the events.
    [[nodiscard]] std::vector<boost::json::object> events(std::string_view name) const;
    /// Second uses of a spent refresh token: each ends the grant, with all of its tokens.
    [[nodiscard]] std::size_t reuses() const;
    /// Whether it takes that access token now (introspection, RFC 7662).
    [[nodiscard]] bool accepts(const std::string& access_token) const;
    /// The grant that this access token is of is no more, nor is any token of it.
    void withdraw(const std::string& access_token) const;

  private:
    std::filesystem::path folder_;
    std::unique_ptr<ServingProcess> process_;
};

/// The last page that a person in Chromium comes to who signs in and consents wherever a page asks for it.
struct Page {
    std::string title;
    std::string text;
    std::string url;
    std::vector<std::string> steps; ///< "sign in", "consent", "type the code", "confirm the code", "refuse"
};
struct Person {
    std::string user_code{}; ///< what is typed where a page asks for the code of a device
    bool says_no = false;
};
[[nodiscard]] Page browse(const std::string& url, const Person& person = {});

} // namespace credlease::tests
