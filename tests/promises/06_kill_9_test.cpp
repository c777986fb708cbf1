#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;

namespace {

/// What a writer was answered: it must be there after any kill.
struct Answers {
    std::mutex mutex;
    std::set<std::string> created, deleted, leased;

    void note(std::set<std::string>& set, std::string id) {
        const std::scoped_lock lock(mutex);
        set.insert(std::move(id));
    }
};

void change_until_it_dies(const Daemon& daemon, Answers& answers, int round, int writer,
                          const std::atomic<bool>& stop) {
    auto client = client_of(daemon);
    for (int i = 0; !stop; ++i) {
        const auto name = "r" + std::to_string(round) + "w" + std::to_string(writer) + "i" + std::to_string(i);
        const auto made = ask(client, "POST", "/v1/credentials",
                              R"({"service":"http-bearer","name":")" + name +
                                  R"(","fields":{"token":"tok_12345678","base_url":"https://a.example"}})");
        if (made.status != 201) return;
        const std::string id(made.json.at("id").as_string());
        if (i % 3 != 2) {
            answers.note(answers.created, id);
            continue;
        }
        const auto gone = ask(client, "DELETE", "/v1/credentials/" + id + "?force=true");
        if (gone.status != 204) return; // answered or not, it may be either
        answers.note(answers.deleted, id);
    }
}

void lease_until_it_dies(const Daemon& daemon, Answers& answers, const std::atomic<bool>& stop) {
    auto client = client_of(daemon);
    while (!stop) {
        auto lease = client.lease({.credential = "always there", .ttl = std::chrono::minutes(30)});
        if (!lease) return;
        lease->keep();
        answers.note(answers.leased, lease->id());
        ::usleep(2000); // hundreds of leases a round, not tens of thousands
    }
}

std::set<std::string> all_ids(Client& client, const std::string& path, const char* member) {
    std::set<std::string> ids;
    for (std::string cursor = "first"; !cursor.empty();) {
        const auto page = ask(client, "GET", path + "?limit=500" + (cursor == "first" ? "" : "&cursor=" + cursor));
        BOOST_REQUIRE_EQUAL(page.status, 200U);
        for (const auto& item : page.json.at("items").as_array()) ids.insert(std::string(item.at(member).as_string()));
        const auto& next = page.json.at("next_cursor");
        cursor = next.is_null() ? std::string() : std::string(next.as_string());
    }
    return ids;
}

} // namespace

BOOST_AUTO_TEST_CASE(no_kill_9_loses_an_answered_change_or_an_answered_lease) {
    constexpr int rounds = 12;
    Daemon daemon({.config = "[leases]\nper_principal = 1000000\n"});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    {
        auto client = client_of(daemon);
        (void)store_token(client, "always there", "tok_always_12345678");
    }
    Answers answers;
    std::mt19937 random(std::random_device{}());
    for (int round = 0; round < rounds; ++round) {
        std::atomic<bool> stop = false;
        std::vector<std::thread> clients;
        for (int writer = 0; writer < 3; ++writer) {
            clients.emplace_back([&, writer] { change_until_it_dies(daemon, answers, round, writer, stop); });
        }
        clients.emplace_back([&] { lease_until_it_dies(daemon, answers, stop); });
        ::usleep(100000 + random() % 250000);
        daemon.kill9();
        stop = true;
        for (auto& thread : clients) thread.join();

        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        auto client = client_of(daemon);
        const auto credentials = all_ids(client, "/v1/credentials", "id");
        const auto leases = all_ids(client, "/v1/leases", "lease");
        for (const auto& id : answers.created)
            BOOST_REQUIRE_MESSAGE(credentials.contains(id), "lost a credential: " + id);
        for (const auto& id : answers.deleted)
            BOOST_REQUIRE_MESSAGE(!credentials.contains(id), "deleted, and back: " + id);
        for (const auto& id : answers.leased) BOOST_REQUIRE_MESSAGE(leases.contains(id), "lost a lease: " + id);
        BOOST_REQUIRE(ask(client, "GET", "/v1/audit/verify").json.at("ok").as_bool());
    }
    BOOST_TEST(answers.created.size() > std::size_t{rounds});
    BOOST_TEST(answers.leased.size() > std::size_t{rounds});
}
