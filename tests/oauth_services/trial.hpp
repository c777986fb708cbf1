#pragma once

#include "entry.hpp"
#include "support/daemon/broker_client.hpp"
#include "support/oauth/provider.hpp"

namespace credlease::tests {

/// One broker whose catalog leads every OAuth entry to one provider on loopback, which has a mount for each.
class House {
  public:
    House();

    Provider provider;
    std::string private_key; ///< of clients that sign
    Daemon daemon;
    Client client;

  private:
    /// The catalog's entries with OAuth, with their URLs at the provider.
    [[nodiscard]] std::string led_here() const;
    [[nodiscard]] std::string config() const;
};
/// Runs it while there are tests.
struct OneHouse {
    OneHouse();
    ~OneHouse();
    OneHouse(const OneHouse&) = delete;
    OneHouse& operator=(const OneHouse&) = delete;
};

/// What a lease of a case's credential is compared with.
struct Leased {
    std::map<std::string, std::string> fields{}; ///< public ones
    std::map<std::string, std::string> secrets{}, headers{};
    std::string base_url{};
    std::vector<std::string> allowed_hosts{};
};

/// A case at work: its provider made anew as the entry says, and credentials that are gone when it is. A provider that
/// takes a refresh late alone takes one at any time here: these tests force them.
class Trial {
  public:
    explicit Trial(const Case& one);
    ~Trial();
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;

    /// Stores a credential; its id.
    [[nodiscard]] std::string store();
    /// Connects it by the case's flow; the state of the authorization: "connected", "failed".
    [[nodiscard]] std::string authorize(const std::string& id);
    /// A credential that is connected.
    [[nodiscard]] std::string connected();

    [[nodiscard]] Answered refresh(const std::string& id);
    [[nodiscard]] boost::json::object show(const std::string& id);
    [[nodiscard]] std::string status(const std::string& id);
    [[nodiscard]] Result<Lease> lease(const std::string& id);
    /// What a lease of it holds; throws where there is none.
    [[nodiscard]] Leased leased(const std::string& id);
    /// What the entry says that it holds, with those secrets.
    [[nodiscard]] Leased expected(const std::map<std::string, std::string>& secrets) const;
    [[nodiscard]] bool is_live(const std::string& access_token) const;
    /// What the provider knows of the access token in that field of a lease.
    [[nodiscard]] boost::json::object token_of(const std::string& id, std::string_view field);
    /// The fields of the slots that the credential has tokens of.
    [[nodiscard]] std::vector<std::string> token_fields(const std::string& id);
    /// Whose grant it is, where an answer says that; else empty.
    [[nodiscard]] std::string account() const;
    /// Scopes that are asked for.
    [[nodiscard]] std::set<std::string> scopes() const;

    void misbehave(const boost::json::object& rule);
    /// Token requests that this trial has made; and which of them the provider refused though nobody told it to.
    [[nodiscard]] std::size_t token_requests() const;
    [[nodiscard]] std::vector<Provider::Line> refusals() const;
    /// Requests that spent a token once more.
    [[nodiscard]] std::size_t uses_of_spent_tokens() const;

    /// Of the provider's tokens, in seconds: "access", "refresh".
    [[nodiscard]] std::optional<long> lifetime(std::string_view name) const;
    /// Whether an answer says when the refresh token ends.
    [[nodiscard]] bool tells_refresh_end() const;
    [[nodiscard]] Answered ask(const std::string& method, const std::string& path,
                               const boost::json::object& body = {});

  private:
    [[nodiscard]] boost::json::object fields() const;
    [[nodiscard]] boost::json::value made_value(const boost::json::object& field) const;
    [[nodiscard]] std::string by_code(const std::string& id);
    [[nodiscard]] std::string by_device(const std::string& id);
    [[nodiscard]] std::string by_refresh_token(const std::string& id);
    boost::json::object control(std::string_view path, boost::json::object body = {}) const;
    [[nodiscard]] std::vector<Provider::Line> token_lines() const;

    House& house_;
    const Case& case_;
    boost::json::object settings_, answers_; ///< of the provider; what the answer fields will hold
    std::vector<std::string> ids_;
    std::size_t lines_before_ = 0;
    std::string number_; ///< of the trial: its OAuth client is nobody else's, nor is its pace
    bool knows_redirect_ = true;
};

/// From now to a moment in an answer, in seconds; nullopt: null.
[[nodiscard]] std::optional<long> seconds_to(const boost::json::value& moment);
/// The same, but for the time that a test may take.
[[nodiscard]] bool is_about(const std::optional<long>& found, const std::optional<long>& wanted);

} // namespace credlease::tests
