#define BOOST_TEST_DYN_LINK
#include "oidc_house.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <set>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto access_token_lives = 4s;
constexpr int refreshes = 31; ///< of each: what half an hour has with tokens of one minute
constexpr auto longest = 210s;
constexpr auto between_restarts = 9s;
constexpr auto between_looks = 200ms;

/// What became of the tokens that workers were given.
struct Looks {
    std::atomic<int> taken = 0;     ///< by the server
    std::atomic<int> too_late = 0;  ///< refused, after the lease had ended: the look came late
    std::atomic<int> refused = 0;   ///< refused in the time of the lease
    std::atomic<int> downtimes = 0; ///< requests that met a broker which was not there
    std::mutex mutex;
    std::set<std::string> other_codes; ///< of what the broker refused

    /// The broker is away now and then, and a lease whose token ended meanwhile has ended with it.
    void note(const Error& error) {
        const std::set<std::string> of_restarts{"unreachable", "sealed", "starting"};
        if (of_restarts.contains(error.code)) {
            ++downtimes;
        } else if (error.code != "lease_ended" || error.reason != "expired") {
            const std::lock_guard lock(mutex);
            other_codes.insert(error.code + " " + error.reason + ": " + error.sentence);
        }
    }
};

/// Holds a lease, renews it, and has the server look at its token, over and over.
void work(const OidcHouse& house, const std::string& name, Looks& looks, const std::stop_token& stop) {
    auto client = client_of(house.daemon);
    Lease lease;
    for (; !stop.stop_requested(); std::this_thread::sleep_for(between_looks)) {
        if (lease.is_over()) {
            auto made = client.lease({.credential = name});
            if (!made.ok()) {
                looks.note(made.error());
                continue;
            }
            lease = std::move(*made);
        } else if (const auto renewed = lease.renew(); !renewed.ok()) {
            looks.note(renewed.error());
            continue;
        }
        const bool is_taken = house.server.accepts(secret_of(lease, "access_token"));
        const bool is_late = std::chrono::system_clock::now() >= lease.expires_at();
        ++(is_taken ? looks.taken : is_late ? looks.too_late : looks.refused);
    }
}

/// What people and a machine of its own have connected, by id.
std::map<std::string, std::string> connect_all(OidcHouse& house) {
    std::map<std::string, std::string> names;
    for (const std::string client : {"web", "web", "native", "native"}) {
        const auto name = client + std::to_string(names.size());
        const auto id = house.store(name, client);
        house.connect(id);
        names.emplace(id, name);
    }
    const auto id = house.store("service", "service");
    BOOST_REQUIRE(house.becomes(id, "active"));
    names.emplace(id, "service");
    return names;
}

} // namespace

BOOST_AUTO_TEST_SUITE(oidc_soak)

BOOST_AUTO_TEST_CASE(half_an_hour_of_refreshes_loses_no_grant_over_stops_and_kills) {
    OidcHouse house(access_token_lives);
    const auto names = connect_all(house);
    std::vector<std::string> ids;
    for (const auto& [id, name] : names) ids.push_back(id);

    Looks looks;
    std::vector<std::jthread> workers;
    for (const auto& [id, name] : names) {
        workers.emplace_back([&, name](const std::stop_token& stop) { work(house, name, looks, stop); });
    }
    const auto is_done = [&] {
        return std::ranges::all_of(ids, [&](const auto& id) { return house.generation(id) >= refreshes; });
    };
    int stops = 0;
    int kills = 0;
    const auto end = std::chrono::steady_clock::now() + longest;
    while (!OidcHouse::comes_true(is_done, between_restarts) && std::chrono::steady_clock::now() < end) {
        if (stops <= kills) {
            BOOST_TEST(house.daemon.stop().value_or(-1) == 0); // whatever is under way
            ++stops;
        } else {
            house.kill_between_refreshes(ids);
            ++kills;
        }
        BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    }
    workers.clear();

    for (const auto& id : ids) {
        BOOST_TEST(house.generation(id) >= refreshes, boost::json::serialize(house.show(id)));
        BOOST_TEST(house.show(id).at("status").as_string() == "active", boost::json::serialize(house.show(id)));
        BOOST_TEST(house.server.accepts(house.token_of(names.at(id))));
    }
    BOOST_TEST(house.server.reuses() == 0U);
    BOOST_TEST(house.server.events("grant.error").empty());
    BOOST_TEST(house.server.events("grant.revoked").empty());
    BOOST_TEST(looks.refused == 0);
    BOOST_TEST(looks.taken > refreshes * static_cast<int>(ids.size()));
    BOOST_TEST(looks.other_codes.empty(), boost::test_tools::per_element());
    for (const auto& code : looks.other_codes) BOOST_TEST_MESSAGE(code);
    BOOST_TEST(stops >= 2);
    BOOST_TEST(kills >= 2);
    BOOST_TEST_MESSAGE(looks.taken << " looks, " << looks.too_late << " too late, " << looks.refused << " refused, "
                                   << looks.downtimes << " without a broker; " << stops << " stops, " << kills
                                   << " kills");
}

BOOST_AUTO_TEST_SUITE_END()
