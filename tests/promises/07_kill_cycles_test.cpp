#define BOOST_TEST_DYN_LINK
#include "kill_ledger.hpp"
#include "refresh_house.hpp"
#include "rounds.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <thread>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

constexpr int of_each_class = 3;
constexpr int lifetime = 3;          ///< seconds of an access token
constexpr int answered_after = 25;   ///< milliseconds in which the provider holds each answer: there kills are to fall
constexpr int longest_life_ms = 350; ///< of the daemon, from its start

/// The latest tokens that workers got of each credential: what was leased is on the disk, and no kill takes it back.
class Leased {
  public:
    void note(const test::Response& answer) {
        if (answer.status != 201U) return;
        const auto credential = boost::json::parse(answer.body).at("credential").as_object();
        const auto generation = credential.at("generation").to_number<std::uint64_t>();
        const std::scoped_lock lock(mutex_);
        auto& latest = generations_[std::string(credential.at("id").as_string())];
        latest = std::max(latest, generation);
    }
    /// None: 0.
    [[nodiscard]] std::uint64_t latest_of(const std::string& id) const {
        const auto found = generations_.find(id);
        return found == generations_.end() ? 0 : found->second;
    }
    [[nodiscard]] std::size_t count() const { return generations_.size(); }

  private:
    std::mutex mutex_;
    std::map<std::string, std::uint64_t> generations_;
};

/// A worker that takes leases until the daemon is gone; now and then of a token that must be got first.
void lease_until_it_dies(test::SocketClient& worker, const std::vector<RefreshHouse::Connected>& all, unsigned seed,
                         Leased& leased) {
    std::mt19937 random(seed);
    for (;;) {
        const auto& one = all[random() % all.size()];
        const std::string body =
            R"({"credential":")" + one.name + R"(")" + (random() % 4 == 0 ? R"(,"min_valid":"3s"})" : "}");
        const auto answer = worker.ask("POST", "/v1/leases", body);
        if (!answer) return;
        leased.note(*answer);
    }
}

class Cycles {
  public:
    explicit Cycles(unsigned seed) : random_(seed), house_(lifetime), ledger_(house_.provider) {
        for (const std::string refresh_class : refresh_classes) {
            house_.misbehave(refresh_class, {{"do", "slow"}, {"after_ms", answered_after}, {"times", 0}});
            for (int i = 0; i < of_each_class; ++i) all_.push_back(house_.connect(next_name(), refresh_class));
        }
    }

    /// One life of the daemon, its death at some instant, and what is left.
    void run() {
        std::vector<std::jthread> workers;
        for (int i = 0; i < 2; ++i) {
            workers.emplace_back([this, seed = unsigned(random_()),
                                  worker = test::SocketClient(house_.daemon.lease_socket())]() mutable {
                lease_until_it_dies(worker, all_, seed, leased_);
            });
        }
        std::this_thread::sleep_for(std::chrono::microseconds(random_() % (longest_life_ms * 1000)));
        house_.daemon.kill9();
        workers.clear();
        wait_for_the_provider();
        ledger_.next_life();
        BOOST_REQUIRE_MESSAGE(house_.daemon.start(), house_.daemon.log());
        look();
    }

    /// Whatever was in doubt is settled, and every credential gives a lease.
    void settle() {
        const auto end = std::chrono::steady_clock::now() + 60s;
        for (std::size_t at = 0; at < all_.size();) {
            if (!house_.token_of(all_[at]).empty()) {
                ++at;
                continue;
            }
            look();
            BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < end,
                                  boost::json::serialize(house_.show(all_[at])));
            std::this_thread::sleep_for(100ms);
        }
        ledger_.read();
    }

    [[nodiscard]] const KillLedger& ledger() const { return ledger_; }
    [[nodiscard]] std::size_t leased() const { return leased_.count(); }
    [[nodiscard]] const std::map<std::string, int>& lost() const { return lost_; }

  private:
    std::string next_name() { return "c" + std::to_string(names_++); }

    /// A request of the life that has ended may still be on its way into the log.
    void wait_for_the_provider() const {
        while (house_.provider.control("/counters", {{"provider", "/static"}}).at("open").to_number<int>() > 0)
            std::this_thread::sleep_for(2ms);
    }

    /// Only a grant that its class cannot save has died, and only by a kill; another takes its place.
    void look() {
        ledger_.read();
        const auto list = ask(house_.client, "GET", "/v1/credentials?limit=500");
        BOOST_REQUIRE_EQUAL(list.status, 200U);
        std::map<std::string, boost::json::value> shown;
        for (const auto& item : list.json.at("items").as_array()) {
            shown[std::string(item.at("id").as_string())] = item;
        }
        for (auto& one : all_) {
            const auto& item = shown.at(one.id);
            const auto status = item.at("status").as_string();
            BOOST_REQUIRE_MESSAGE(status == "active" || status == "expired", boost::json::serialize(item));
            const auto generation = item.at("generation").to_number<std::uint64_t>();
            BOOST_REQUIRE_MESSAGE(generation >= leased_.latest_of(one.id), boost::json::serialize(item));
            if (status == "active") continue;
            const bool may_be = one.refresh_class == "single_use" || one.refresh_class == "kills_access_token";
            BOOST_REQUIRE_MESSAGE(may_be, boost::json::serialize(item));
            const std::string reason(item.at("status_reason").as_string());
            BOOST_REQUIRE_MESSAGE(reason.contains("its answer was lost"), boost::json::serialize(item));
            BOOST_REQUIRE_MESSAGE(ledger_.has_lost_an_answer("/" + one.refresh_class, one.grant), one.name);
            ++lost_[one.refresh_class];
            BOOST_REQUIRE(ask(house_.client, "DELETE", "/v1/credentials/" + one.id + "?force=true").status == 204U);
            one = house_.connect(next_name(), one.refresh_class);
        }
    }

    std::mt19937 random_;
    RefreshHouse house_;
    KillLedger ledger_;
    std::vector<RefreshHouse::Connected> all_;
    std::map<std::string, int> lost_;
    Leased leased_;
    int names_ = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(kill_cycles)

BOOST_AUTO_TEST_CASE(no_kill_9_loses_a_grant_that_its_class_can_save_or_uses_a_spent_token_twice) {
    const Rounds rounds;
    Cycles all(rounds.seed());
    rounds.each([&] { all.run(); });
    all.settle();
    std::string lost;
    for (const auto& [refresh_class, count] : all.lost()) lost += ", of " + refresh_class + " " + std::to_string(count);
    BOOST_TEST_MESSAGE(rounds.count() << " kills, " << all.ledger().refreshes() << " refreshes, "
                                      << all.ledger().unanswered() << " answers lost on their way" << lost
                                      << "; spent tokens tried " << all.ledger().uses_of_spent() << " times");
    BOOST_TEST(all.ledger().refreshes() > std::size_t(rounds.count()) / 2);
    BOOST_TEST(all.ledger().unanswered() > std::size_t(rounds.count()) / 10); // kills fell where they are to fall
    BOOST_TEST(all.leased() >= refresh_classes.size() * of_each_class);
}

BOOST_AUTO_TEST_SUITE_END()
