#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/oauth/process.hpp"

#include <boost/json/parse.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;
using Kind = LeaseChange::Kind;

namespace {

constexpr auto name = "pushed";

/// A lease, and what its `on_change` was told, with what the lease held when it was told.
class Told {
  public:
    struct Change {
        LeaseChange what;
        std::uint64_t generation = 0;
        std::string token;
    };
    Told(Client& client, bool renews_itself) {
        const std::lock_guard alone(lock_);
        auto taken = client.lease({.credential = name,
                                   .renew_itself = renews_itself,
                                   .on_change = [this](const LeaseChange& change) { take(change); }});
        BOOST_REQUIRE_MESSAGE(taken.ok(), (taken.ok() ? std::string() : taken.error().sentence));
        lease_ = std::move(*taken);
    }
    [[nodiscard]] Lease& lease() { return lease_; }
    [[nodiscard]] std::optional<Change> next(std::chrono::milliseconds patience = 10s) {
        std::unique_lock held(lock_);
        if (!came_.wait_for(held, patience, [this] { return !changes_.empty(); })) return std::nullopt;
        auto first = changes_.front();
        changes_.pop_front();
        return first;
    }

  private:
    void take(const LeaseChange& change) {
        const std::lock_guard alone(lock_);
        changes_.push_back({change, lease_.generation(), secret_of(lease_, "access_token")});
        came_.notify_all();
    }
    std::mutex lock_;
    std::condition_variable came_;
    std::deque<Change> changes_;
    Lease lease_; ///< dies first: from then on nothing is told
};

struct PushHouse : OAuthHouse {
    std::string id = connected(name);

    void refresh() { BOOST_REQUIRE_EQUAL(ask(client, "POST", "/v1/credentials/" + id + "/refresh").status, 200U); }
    /// When a listener has come nobody can see from outside: the token is refreshed until it is heard of.
    template <class Heard> void refresh_until(Heard heard) {
        for (int i = 0; i < 10; ++i) {
            refresh();
            if (heard()) return;
        }
        BOOST_FAIL("no refresh is heard of");
    }
    [[nodiscard]] std::uint64_t generation_at_provider(const std::string& token) const {
        const auto known = provider.control("/token", {{"token", token}});
        BOOST_TEST(known.at("live").as_bool());
        return known.contains("generation") ? known.at("generation").to_number<std::uint64_t>() : 0;
    }
    [[nodiscard]] PrintingProcess command(std::vector<std::string> words) const {
        words.insert(words.begin(), command_program());
        return PrintingProcess({.words = std::move(words),
                                .environment = {{"CREDLEASE_SOCKET", daemon.lease_socket().native()},
                                                {"CREDLEASE_ADMIN_SOCKET", daemon.admin_socket().native()}}});
    }
    /// A command that prints its process and what its file holds: at its start, and when it is told to.
    [[nodiscard]] PrintingProcess executed(const std::string& on_change) const {
        const std::string script =
            "import os, signal, time\n"
            "def look(*_): os.write(1, f\"{os.getpid()} {open(os.environ['T']).read()}\\n\".encode())\n"
            "signal.signal(signal.SIGHUP, look)\n"
            "look()\n"
            "while True: time.sleep(0.05)\n";
        return command({"exec", "--file", "T=" + std::string(name) + ":access_token", "--on-change", on_change, "--",
                        "/usr/bin/python3", "-c", script});
    }
};

/// "PROCESS TOKEN"
struct Seen {
    std::string process, token;
    explicit Seen(const std::optional<std::string>& line) {
        BOOST_REQUIRE(line.has_value());
        process = line->substr(0, line->find(' '));
        token = line->substr(line->find(' ') + 1);
    }
};

} // namespace

/// What a refresh is to whoever holds the credential: from the provider to the program that uses the token.
BOOST_FIXTURE_TEST_SUITE(oauth_push, PushHouse)

BOOST_AUTO_TEST_CASE(a_refresh_is_told_to_who_holds_the_credential_and_a_renewal_brings_the_new_token) {
    Told told(client, false);
    const auto old = secret_of(told.lease(), "access_token");
    const auto generation = told.lease().generation();
    std::optional<Told::Change> change;
    std::uint64_t refreshes = 0;
    refresh_until([&] {
        ++refreshes;
        change = told.next(2s);
        return change.has_value();
    });
    BOOST_TEST((change->what.kind == Kind::refreshed));
    BOOST_TEST(change->what.lease == told.lease().id());
    BOOST_TEST(change->what.credential == id);
    BOOST_TEST(change->generation == generation); // the program renews it when it likes
    BOOST_TEST(change->token == old);
    BOOST_REQUIRE(told.lease().renew().ok());
    const auto renewed = secret_of(told.lease(), "access_token");
    BOOST_TEST(told.lease().generation() == generation + refreshes);
    BOOST_TEST(generation_at_provider(renewed) == generation_at_provider(old) + refreshes);
    BOOST_TEST(renewed == token_of(name));
    refresh();
    const auto again = told.next();
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST((again->what.kind == Kind::refreshed));
    BOOST_TEST(!told.next(300ms).has_value()); // once of each
}

BOOST_AUTO_TEST_CASE(a_lease_that_renews_itself_has_the_new_token_when_its_refresh_is_told) {
    Told told(client, true);
    refresh_until([&] { return told.next(2s).has_value(); });
    while (told.next(300ms).has_value()) {
    }
    for (int i = 0; i < 3; ++i) {
        const auto generation = told.lease().generation();
        const auto old = secret_of(told.lease(), "access_token");
        refresh();
        const auto change = told.next();
        BOOST_REQUIRE(change.has_value());
        BOOST_TEST((change->what.kind == Kind::refreshed));
        BOOST_TEST(change->generation == generation + 1);
        BOOST_TEST(generation_at_provider(change->token) == generation_at_provider(old) + 1);
        BOOST_TEST(change->token == token_of(name));
    }
    BOOST_TEST(!told.lease().is_over());
}

BOOST_AUTO_TEST_CASE(a_command_is_started_again_after_a_refresh_and_finds_the_new_token_in_its_file) {
    auto running = executed("restart");
    const Seen first(running.next());
    BOOST_TEST(first.token == token_of(name));
    std::optional<std::string> line;
    refresh_until([&] { return (line = running.next(2s)).has_value(); });
    Seen before(line);
    BOOST_TEST(before.process != first.process);
    BOOST_TEST(before.token == token_of(name));
    for (int i = 0; i < 2; ++i) {
        refresh();
        const Seen after(running.next());
        BOOST_TEST(after.process != before.process);
        BOOST_TEST(after.token != before.token);
        BOOST_TEST(after.token == token_of(name));
        before = after;
    }
}

BOOST_AUTO_TEST_CASE(a_command_is_signaled_after_a_refresh_and_finds_the_new_token_in_its_file) {
    auto running = executed("signal:HUP");
    const Seen first(running.next());
    BOOST_TEST(first.token == token_of(name));
    std::optional<std::string> line;
    refresh_until([&] { return (line = running.next(2s)).has_value(); });
    Seen before(line);
    BOOST_TEST(before.token == token_of(name));
    for (int i = 0; i < 2; ++i) {
        refresh();
        const Seen after(running.next());
        BOOST_TEST(after.process == first.process);
        BOOST_TEST(after.token != before.token);
        BOOST_TEST(after.token == token_of(name));
        before = after;
    }
}

BOOST_AUTO_TEST_CASE(the_command_line_shows_an_operator_what_becomes_of_a_credential) {
    // A lease of the operator's: of a refresh those hear who hold it.
    const auto leased = ask(client, "POST", "/v1/leases", R"({"credential":"pushed","bind":"none"})");
    BOOST_REQUIRE_EQUAL(leased.status, 201U);
    auto people = command({"events"});
    auto programs = command({"events", "--json"});
    for (auto* each : {&people, &programs}) { // until it listens
        BOOST_REQUIRE(comes_true([&] {
            (void)ask(client, "PATCH", "/v1/credentials/" + id, R"({"notes":"n"})");
            return each->next(100ms).has_value();
        }));
    }
    refresh();
    provider.control("/revoke");
    BOOST_REQUIRE(ask(client, "POST", "/v1/credentials/" + id + "/refresh").code == "credential_expired");

    const auto of_it = "  " + std::string(name) + " (" + id + ") version 2";
    BOOST_TEST(people.next_with("credential.refreshed").value_or("").ends_with("  credential.refreshed" + of_it));
    const auto changed = people.next_with("credential.status_changed").value_or("");
    BOOST_TEST(changed.ends_with("  credential.status_changed  expired" + of_it), changed);
    const auto object_of = [&](const std::string& type) {
        const auto line = programs.next_with(type);
        BOOST_REQUIRE(line.has_value());
        return boost::json::parse(*line);
    };
    const auto refreshed = object_of("credential.refreshed");
    BOOST_TEST(text(refreshed, "event") == "credential.refreshed");
    BOOST_TEST(text(refreshed, "credential") == id);
    BOOST_TEST(refreshed.at("version").to_number<int>() == 2);
    BOOST_TEST(refreshed.at("generation").to_number<int>() == 1);
    BOOST_TEST(text(object_of("credential.status_changed"), "status") == "expired");
}

BOOST_AUTO_TEST_SUITE_END()
