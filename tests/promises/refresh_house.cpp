#include "refresh_house.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <thread>

namespace credlease::tests {
namespace {

using boost::json::object;

object mounts(int seconds) {
    object by_mount;
    for (const std::string refresh_class : refresh_classes) {
        by_mount["/" + refresh_class] =
            object{{"refresh_class", refresh_class}, {"lifetimes", object{{"access", seconds}}}};
    }
    return by_mount;
}

Daemon::Setup beside(const Provider& provider, Daemon::Setup setup) {
    setup.config = "[outbound]\nallowed_hosts = [\"127.0.0.1\"]\nca_file = \"" + provider.ca_file().string() + "\"\n" +
                   setup.config;
    return setup;
}

template <class Done> bool wait_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

} // namespace

RefreshHouse::RefreshHouse(int seconds, Daemon::Setup setup)
    : provider(Provider::with_mounts(mounts(seconds))), daemon(beside(provider, std::move(setup))),
      client(client_of(daemon)) {
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
}

RefreshHouse::Connected RefreshHouse::connect(const std::string& name, const std::string& refresh_class) {
    const auto mount = "/" + refresh_class;
    const object fields = {{"token_url", provider.origin() + mount + "/token"},
                           {"authorize_url", provider.origin() + mount + "/authorize"},
                           {"client_id", "client"},
                           {"client_secret", "client-secret"},
                           {"client_auth", "post"},
                           {"refresh_class", refresh_class}};
    const object body = {{"service", "oauth2"}, {"name", name}, {"fields", fields}};
    const auto stored = ask(client, "POST", "/v1/credentials", boost::json::serialize(body));
    BOOST_REQUIRE_MESSAGE(stored.status == 201U, boost::json::serialize(stored.json));
    Connected one{.id = std::string(stored.json.at("id").as_string()), .name = name, .refresh_class = refresh_class};
    authorize(one);
    return one;
}

void RefreshHouse::authorize(Connected& one) {
    const object asked = {{"provider", "/" + one.refresh_class}};
    const auto made = provider.control("/grant", asked).at("grants").as_array().front().as_object();
    one.grant = made.at("grant").as_string();
    const object given = {{"credential", one.id}, {"refresh_token", made.at("answer").at("refresh_token")}};
    const auto begun = ask(client, "POST", "/v1/oauth/authorizations", boost::json::serialize(given));
    BOOST_REQUIRE_MESSAGE(begun.status == 200U, boost::json::serialize(begun.json));
}

boost::json::value RefreshHouse::show(const Connected& one) {
    return ask(client, "GET", "/v1/credentials/" + one.id).json;
}

std::string RefreshHouse::status(const Connected& one) { return std::string(show(one).at("status").as_string()); }

bool RefreshHouse::becomes(const Connected& one, const std::string& wanted) {
    return wait_until([&] { return status(one) == wanted; });
}

std::string RefreshHouse::token_of(const Connected& one) {
    auto lease = client.lease({.credential = one.name});
    return lease.ok() ? secret_of(*lease, "access_token") : std::string();
}

Answered RefreshHouse::refresh(const Connected& one) { return refresh(client, one); }

Answered RefreshHouse::refresh(Client& asker, const Connected& one) {
    return ask(asker, "POST", "/v1/credentials/" + one.id + "/refresh", "{}");
}

std::vector<Provider::Line> RefreshHouse::requests(const Connected& one, const std::string& state) const {
    return provider.log([&](const Provider::Line& line) {
        const auto is = [&](const char* member, const std::string& value) {
            const auto* held = line.if_contains(member);
            return held != nullptr && held->is_string() && held->get_string() == value;
        };
        return is("endpoint", "token") && is("grant", one.grant) && is("provider", "/" + one.refresh_class) &&
               (state.empty() || is("state", state));
    });
}

bool RefreshHouse::wait_for_a_held_request() const {
    return wait_until([&] {
        const auto counters = provider.control("/counters", {{"provider", "/static"}});
        return std::ranges::any_of(counters.at("providers").as_object(), [](const auto& each) {
            return each.value().at("at_once").template to_number<int>() > 0;
        });
    });
}

bool RefreshHouse::wait_for_requests(const Connected& one, std::size_t count) const {
    return wait_until([&] { return requests(one).size() >= count; });
}

void RefreshHouse::misbehave(const std::string& refresh_class, object rule) const {
    rule["provider"] = "/" + refresh_class;
    provider.control("/misbehave", rule);
}

} // namespace credlease::tests
