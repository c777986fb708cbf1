#pragma once

#include "support/daemon/broker_client.hpp"
#include "support/event_reader.hpp"
#include "support/oauth/provider.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace credlease::tests {

/// A broker beside a provider, and all that becomes of OAuth credentials: every flow, refresh class, failure and end.
class OAuthLife {
  public:
    /// `setup`: of a daemon with what it has in its config besides the outbound section.
    explicit OAuthLife(Daemon::Setup setup);

    using Look = std::function<void(const char* after)>;
    /// Lives it; `look` is called between its parts, when nothing is under way and nobody is asked for consent.
    void live(const Look& look);

    [[nodiscard]] Daemon& daemon() { return daemon_; }
    [[nodiscard]] Client& client() { return client_; }
    [[nodiscard]] const Provider& provider() const { return provider_; }
    /// What to look for: of every secret that has passed until now.
    [[nodiscard]] std::vector<std::string> traces() const;
    /// What the broker has told until now: answers, refusals and events, but for leases and for the addresses that a
    /// person is sent to.
    [[nodiscard]] const std::string& told();

    /// Stores an `oauth2` credential of the provider at that mount; returns its id.
    std::string store(const std::string& name, const std::string& mount, const boost::json::object& more = {});
    /// Stores one and connects it by a pasted refresh token.
    std::string connect(const std::string& name, const std::string& mount, const boost::json::object& more = {});
    Answered say(const std::string& method, const std::string& path, const boost::json::object& body = {});
    Answered refresh(const std::string& id) { return say("POST", "/v1/credentials/" + id + "/refresh"); }
    /// Asks for consent, which is given at once, and pastes the address; the answer.
    Answered consent(const std::string& id);
    /// The provider does wrong once, as misbehavior.py says.
    void misbehave(const std::string& mount, boost::json::object rule);

  private:
    struct Key {
        std::string pem, der, public_pem;
    };
    static Key make_key();
    [[nodiscard]] boost::json::object mounts() const;
    [[nodiscard]] Daemon::Setup completed(Daemon::Setup setup) const;
    void write_robot_entry() const;

    void by_address();
    void by_device();
    void by_itself();
    void refresh_all_classes();
    void fail_in_every_way();
    void leave_while_it_waits();
    void use_organizations_client();
    void lease_and_let_go();
    void seal_in_the_middle();

    Key key_ = make_key();
    Provider provider_;
    Daemon daemon_;
    Client client_;
    std::optional<test::EventReader> events_;
    std::string told_;
};

} // namespace credlease::tests
