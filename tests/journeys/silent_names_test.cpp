#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

using namespace credlease;
using namespace credlease::tests;
using boost::json::object;

namespace {

/// A broker that gives a provider two seconds, and a workspace whose providers' name services are silent.
struct SilentHouse : BesideProvider, OAuthBroker {
    SilentHouse()
        : BesideProvider{Provider(object{{"refresh_class", "single_use"}})},
          OAuthBroker("[outbound]\nallowed_hosts = [\"localhost\"]\ntimeout = \"2s\"\nca_file = \"" +
                          provider.ca_file().string() + "\"\n",
                      {.environment = {{"LD_PRELOAD", SILENT_NAMES_BUILT}}}) {
        BOOST_REQUIRE(ask(client, "PUT", "/v1/workspaces/silent", "{}").status < 300U);
    }

    /// Stores one of ours, whose provider's host is a name, and whose class has a connection, so a look-up, for each
    /// request.
    std::string ours(const std::string& name) {
        const auto origin = provider.origin();
        return store_fields(name, {{"token_url", "https://localhost" + origin.substr(origin.rfind(':')) + "/token"},
                                   {"refresh_class", "single_use"},
                                   {"client_id", "client"},
                                   {"client_secret", "client-secret"},
                                   {"client_auth", "post"}});
    }
    /// Its state then.
    [[nodiscard]] std::string connect(const std::string& id) {
        const auto made = provider.control("/grant");
        const auto& answer = made.at("grants").as_array().front().at("answer");
        return text(authorize({{"credential", id}, {"refresh_token", answer.at("refresh_token")}}).json, "state");
    }
    /// Each with a host and a client of its own.
    std::string silent(std::size_t number, const std::string& flow) {
        const auto name = "silent" + std::to_string(number);
        const object fields = {{"token_url", "https://" + name + ".silent.test/token"},
                               {"flow", flow},
                               {"client_id", name},
                               {"client_secret", "client-secret"}};
        const object body = {{"service", "oauth2"},
                             {"name", name},
                             {"scope", object{{"kind", "workspace"}, {"workspace", "silent"}}},
                             {"fields", fields}};
        const auto stored = ask(client, "POST", "/v1/credentials", boost::json::serialize(body));
        BOOST_REQUIRE_EQUAL(stored.status, 201U);
        return text(stored.json, "id");
    }
    /// Threads that look names up.
    [[nodiscard]] std::size_t lookups() const {
        namespace fs = std::filesystem;
        const auto tasks = fs::directory_iterator("/proc/" + std::to_string(daemon.pid()) + "/task");
        return static_cast<std::size_t>(std::ranges::count_if(tasks, [](const fs::directory_entry& task) {
            std::string name;
            std::getline(std::ifstream(task.path() / "comm"), name);
            return name == "look-up";
        }));
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(silent_names, SilentHouse)

BOOST_AUTO_TEST_CASE(a_workspace_whose_name_services_are_silent_holds_up_no_refresh_of_another) {
    const auto id = ours("ours");
    BOOST_REQUIRE_EQUAL(connect(id), "connected");
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < 18; ++i) ids.push_back(silent(i, "client_credentials"));
    const auto was_tried = [&](const std::string& one) {
        return boost::json::serialize(show(one)).contains("not looked up");
    };
    BOOST_TEST(comes_true([&] { return std::ranges::all_of(ids, was_tried); }, std::chrono::seconds(60)));
    BOOST_TEST(lookups() == 8U);
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}").status == 200U);
}

BOOST_AUTO_TEST_CASE(nor_what_a_person_of_another_asks_for) {
    for (std::size_t i = 0; i < 9; ++i) {
        const auto id = silent(i, "authorization_code");
        const auto begun = authorize({{"credential", id}, {"refresh_token", "a-refresh-token"}});
        BOOST_TEST(text(begun.json, "state") == "failed");
    }
    BOOST_TEST(lookups() == 8U);
    BOOST_TEST(connect(ours("ours")) == "connected");
}

BOOST_AUTO_TEST_SUITE_END()
