#pragma once

#include "support/daemon/broker_client.hpp"
#include "support/oauth/provider.hpp"

#include <array>
#include <string>
#include <vector>

namespace credlease::tests {

inline constexpr std::array refresh_classes = {"static", "rotating", "single_use", "single_use_grace",
                                               "kills_access_token"};

/// A broker beside a provider that has a mount for each refresh class ("/static"), with access tokens that live so many
/// seconds.
struct RefreshHouse {
    /// One OAuth credential, and its grant at the provider.
    struct Connected {
        std::string id, name, refresh_class;
        std::string grant{};
    };

    /// The config that is given goes on in the section [outbound].
    explicit RefreshHouse(int seconds, Daemon::Setup setup = {});

    /// Stores a credential of this class and connects it.
    Connected connect(const std::string& name, const std::string& refresh_class);
    /// By a new grant, in the place of what it has.
    void authorize(Connected& one);
    [[nodiscard]] boost::json::value show(const Connected& one);
    [[nodiscard]] std::string status(const Connected& one);
    [[nodiscard]] bool becomes(const Connected& one, const std::string& status);
    /// The access token of a lease now; empty: it was refused.
    [[nodiscard]] std::string token_of(const Connected& one);
    [[nodiscard]] Answered refresh(const Connected& one);
    [[nodiscard]] Answered refresh(Client& asker, const Connected& one);
    /// Token requests of its grant; `state` empty: all, else those whose refresh token was in that state.
    [[nodiscard]] std::vector<Provider::Line> requests(const Connected& one, const std::string& state = {}) const;
    /// Waits for so many of them.
    [[nodiscard]] bool wait_for_requests(const Connected& one, std::size_t count) const;
    /// Waits until the provider has a connection that it has not answered.
    [[nodiscard]] bool wait_for_a_held_request() const;
    void misbehave(const std::string& refresh_class, boost::json::object rule) const;

    Provider provider;
    Daemon daemon;
    Client client;
};

} // namespace credlease::tests
