#pragma once

#include "support/daemon/broker_client.hpp"
#include "support/oauth/provider.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <thread>

namespace credlease::tests {

/// A broker that may ask loopback, and an operator who connects its OAuth credentials.
struct OAuthBroker {
    Daemon daemon;
    Client client;

    explicit OAuthBroker(const std::string& config, Daemon::Setup setup = {})
        : daemon(configured(std::move(setup), config)), client(client_of(daemon)) {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    }
    [[nodiscard]] static Daemon::Setup configured(Daemon::Setup setup, const std::string& config) {
        setup.config = config;
        return setup;
    }
    /// A config that trusts who is on loopback; `more`: further lines of [outbound].
    [[nodiscard]] static std::string outbound(const std::filesystem::path& ca_file, const std::string& more = {}) {
        return "[outbound]\nallowed_hosts = [\"127.0.0.1\"]\nca_file = \"" + ca_file.string() + "\"\n" + more;
    }

    /// Stores an `oauth2` credential; returns its id.
    std::string store_fields(const std::string& name, const boost::json::object& fields) {
        const boost::json::object body = {{"service", "oauth2"}, {"name", name}, {"fields", fields}};
        const auto stored = ask(client, "POST", "/v1/credentials", boost::json::serialize(body));
        BOOST_REQUIRE_MESSAGE(stored.status == 201U, boost::json::serialize(stored.json));
        return std::string(stored.json.at("id").as_string());
    }
    [[nodiscard]] boost::json::value show(const std::string& id) {
        return ask(client, "GET", "/v1/credentials/" + id).json;
    }
    [[nodiscard]] Error refusal_of(const std::string& method, const std::string& path,
                                   const boost::json::object& body) {
        const auto answer = client.send({.method = method, .path = path, .json = boost::json::serialize(body)});
        return answer ? Error() : answer.error();
    }
    /// Begins an authorization; the answer.
    [[nodiscard]] Answered authorize(const boost::json::object& body) {
        return ask(client, "POST", "/v1/oauth/authorizations", boost::json::serialize(body));
    }
    [[nodiscard]] Answered complete(const Answered& begun, const std::string& address) {
        return ask(client, "POST", "/v1/oauth/authorizations/" + text(begun.json, "id") + "/complete",
                   boost::json::serialize(boost::json::object{{"redirect_url", address}}));
    }
    [[nodiscard]] static std::string text(const boost::json::value& object, std::string_view member) {
        return std::string(object.at(member).as_string());
    }
    /// The access token that a lease of it holds now; empty: it was refused.
    [[nodiscard]] std::string token_of(const std::string& name) {
        auto lease = client.lease({.credential = name});
        return lease.ok() ? secret_of(*lease, "access_token") : std::string();
    }
    [[nodiscard]] bool becomes(const std::string& id, const std::string& status) {
        return comes_true([&] { return show(id).at("status").as_string() == status; });
    }
    [[nodiscard]] static bool comes_true(const std::function<bool()>& condition,
                                         std::chrono::milliseconds within = std::chrono::seconds(10)) {
        const auto end = std::chrono::steady_clock::now() + within;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return true;
    }
};

struct BesideProvider {
    Provider provider;
};

/// A broker beside a provider on loopback.
struct OAuthHouse : BesideProvider, OAuthBroker {
    /// `pages` are lines of [outbound].
    explicit OAuthHouse(const boost::json::object& settings = {}, const std::string& config = {},
                        const std::string& pages = {}, Daemon::Setup setup = {})
        : BesideProvider{Provider(settings)},
          OAuthBroker(config + outbound(provider.ca_file(), pages), std::move(setup)) {}

    /// Stores an `oauth2` credential of this provider; returns its id.
    std::string store(const std::string& name, const boost::json::object& more = {}) {
        boost::json::object fields = {{"token_url", provider.origin() + "/token"},
                                      {"authorize_url", provider.origin() + "/authorize"},
                                      {"revoke_url", provider.origin() + "/revoke"},
                                      {"client_id", "client"},
                                      {"client_secret", "client-secret"},
                                      {"client_auth", "post"}};
        for (const auto& [field, value] : more) fields[field] = value;
        return store_fields(name, fields);
    }
    /// Where the provider sends a browser that opened `url` (it consents at once).
    [[nodiscard]] static std::string visit(const std::string& url) {
        const std::string script = "import http.client,ssl,sys,urllib.parse\n"
                                   "u=urllib.parse.urlsplit(sys.stdin.read())\n"
                                   "c=http.client.HTTPSConnection(u.netloc,context=ssl._create_unverified_context())\n"
                                   "c.request('GET',u.path+'?'+u.query)\n"
                                   "sys.stdout.write(c.getresponse().getheader('Location') or '')\n";
        return output_of({.words = {"/usr/bin/python3", "-c", script}}, url);
    }
    /// Stores one and connects it.
    std::string connected(const std::string& name, const boost::json::object& more = {}) {
        auto id = store(name, more);
        connect(id);
        return id;
    }
    /// By a refresh token that the provider made for it without a flow.
    void connect(const std::string& id) {
        const auto made = provider.control("/grant");
        const auto& answer = made.at("grants").as_array().front().at("answer");
        const auto begun = authorize({{"credential", id}, {"refresh_token", answer.at("refresh_token")}});
        BOOST_REQUIRE_MESSAGE(begun.status == 200U && text(begun.json, "state") == "connected",
                              boost::json::serialize(begun.json));
    }
};

} // namespace credlease::tests
