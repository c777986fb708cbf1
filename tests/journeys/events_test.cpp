#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/event_reader.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <csignal>
#include <poll.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using test::EventReader;

namespace {

constexpr auto token = "tok_events_5c0d9e1f22";
constexpr auto told_within = 100ms; ///< guarantee 14
constexpr auto silence = 300ms;

std::string member(const EventReader::Event& event, const char* name) {
    const auto data = boost::json::parse(event.data).as_object();
    const auto* value = data.if_contains(name);
    return value == nullptr ? "" : std::string(value->as_string());
}

struct Fixture {
    Daemon daemon;
    Fixture() { BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log()); }
    Client client = client_of(daemon);

    [[nodiscard]] EventReader listen(const std::string& headers = {}) const {
        return at(daemon.lease_socket(), headers);
    }
    [[nodiscard]] EventReader listen_as_admin(const std::string& headers = {}) const {
        return at(daemon.admin_socket(), headers);
    }
    [[nodiscard]] static EventReader at(const std::filesystem::path& socket, const std::string& headers) {
        EventReader reader(socket, headers);
        BOOST_REQUIRE_EQUAL(reader.status(), 200U);
        BOOST_REQUIRE(reader.is_listening());
        return reader;
    }
    [[nodiscard]] static std::string after(const EventReader& reader) {
        return "Last-Event-ID: " + reader.last_id() + "\r\n";
    }
    /// A worker's lease: on lease.sock, as its own uid.
    [[nodiscard]] std::string lease(const std::string& name, const std::string& more = {}) {
        const auto answer =
            ask(client, "POST", "/v1/leases", R"({"credential":")" + name + "\"" + more + "}", Client::Door::lease);
        BOOST_REQUIRE_EQUAL(answer.status, 201U);
        return std::string(answer.json.at("lease").as_string());
    }
    void check_ended(EventReader& reader, const std::string& lease, const std::string& reason,
                     std::chrono::milliseconds within = told_within) const {
        const auto event = reader.next(within);
        BOOST_REQUIRE(event.has_value());
        BOOST_TEST(event->type == "lease.ended");
        BOOST_TEST(member(*event, "lease") == lease);
        BOOST_TEST(member(*event, "reason") == reason);
    }
};

/// A worker in a process of its own: leases, listens, and writes what it is told.
struct Worker {
    pid_t pid = 0;
    int told = -1;

    Worker(const Daemon& daemon, const std::string& credential) {
        std::array<int, 2> pipe{};
        BOOST_REQUIRE(::pipe(pipe.data()) == 0);
        pid = ::fork();
        if (pid == 0) {
            auto client = client_of(daemon);
            const auto answer =
                ask(client, "POST", "/v1/leases", R"({"credential":")" + credential + "\"}", Client::Door::lease);
            EventReader reader(daemon.lease_socket());
            const bool works = answer.status == 201 && reader.is_listening();
            (void)!::write(pipe[1], works ? "+" : "-", 1);
            while (const auto event = reader.next(30s)) (void)!::write(pipe[1], "e", 1);
            ::_exit(0);
        }
        ::close(pipe[1]);
        told = pipe[0];
        BOOST_REQUIRE_EQUAL(read(), '+');
    }
    ~Worker() {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        ::close(told);
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    [[nodiscard]] bool hears_nothing_for(std::chrono::milliseconds patience) const {
        pollfd waited{.fd = told, .events = POLLIN, .revents = 0};
        return ::poll(&waited, 1, static_cast<int>(patience.count())) == 0;
    }
    [[nodiscard]] char read() const {
        char byte = 0;
        return ::read(told, &byte, 1) == 1 ? byte : '\0';
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(events, Fixture)

BOOST_AUTO_TEST_CASE(a_stream_says_what_it_is_and_is_not_kept_by_anyone) {
    const auto reader = listen();
    BOOST_TEST(reader.head().find("Content-Type: text/event-stream\r\n") != std::string::npos);
    BOOST_TEST(reader.head().find("Cache-Control: no-store\r\n") != std::string::npos);
    const auto features = ask(client, "GET", "/v1/status").json.at("api").at("features").as_array();
    BOOST_TEST(std::ranges::find(features, boost::json::value("events")) != features.end());
}

BOOST_AUTO_TEST_CASE(a_holder_is_told_why_its_lease_ended_and_by_whom_does_not_matter) {
    const auto id = store_token(client, "one", token);
    (void)store_token(client, "two", token);
    auto reader = listen();
    const auto released = lease("one");
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + released, {}, Client::Door::lease).status, 204U);
    check_ended(reader, released, "released");
    const auto by_operator = lease("two");
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + by_operator).status, 204U);
    check_ended(reader, by_operator, "ended_by_operator");
    const auto deleted = lease("one");
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/credentials/" + id + "?force=true").status, 204U);
    check_ended(reader, deleted, "credential_deleted");
}

BOOST_AUTO_TEST_CASE(a_lease_that_runs_out_is_told_twice_before_its_end_and_at_it) {
    (void)store_token(client, "short", token);
    auto reader = listen();
    const auto id = lease("short", R"(,"ttl":"2s")");
    const auto expiring = reader.next(5s);
    BOOST_REQUIRE(expiring.has_value());
    BOOST_TEST(expiring->type == "lease.expiring");
    BOOST_TEST(member(*expiring, "lease") == id);
    BOOST_TEST(!member(*expiring, "expires_at").empty());
    check_ended(reader, id, "expired", 5s);
}

BOOST_AUTO_TEST_CASE(whoever_runs_under_a_grant_hears_that_it_was_withdrawn_and_nothing_more) {
    const auto id = store_token(client, "granted", token);
    const auto grant = mint(client, id);
    auto worker = client_of(daemon, grant);
    auto reader = listen("Authorization: Bearer " + grant + "\r\n");
    auto minter = listen_as_admin();
    auto held = worker.lease({.credential = "granted"});
    BOOST_REQUIRE(held.ok());
    const auto grants = ask(client, "GET", "/v1/grants");
    const std::string grant_id(grants.json.at("items").at(0).at("id").as_string());
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/grants/" + grant_id).status, 204U);
    check_ended(reader, held->id(), "grant_ended");
    for (auto* each : {&reader, &minter}) {
        const auto ended = each->next(told_within);
        BOOST_REQUIRE(ended.has_value());
        BOOST_TEST(ended->type == "grant.ended");
        BOOST_TEST(member(*ended, "grant") == grant_id);
    }
    BOOST_TEST(reader.ends());
    BOOST_TEST(!minter.next(silence).has_value());
}

BOOST_AUTO_TEST_CASE(a_bound_lease_is_told_of_to_its_process_and_to_no_other_of_the_same_caller) {
    const auto id = store_token(client, "shared", token);
    auto mine = listen();
    const Worker other(daemon, "shared");
    const auto lease_id = lease("shared");
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + lease_id).status, 204U);
    check_ended(mine, lease_id, "ended_by_operator");
    BOOST_TEST(other.hears_nothing_for(silence));
    ::kill(other.pid, SIGKILL); // its lease ends with it
    BOOST_TEST(!mine.next(silence).has_value());
}

BOOST_AUTO_TEST_CASE(an_unbound_lease_is_told_of_to_every_listener_of_its_caller) {
    (void)store_token(client, "free", token);
    auto first = listen();
    auto second = listen();
    const auto id = lease("free", R"(,"bind":"none")");
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + id).status, 204U);
    check_ended(first, id, "ended_by_operator");
    check_ended(second, id, "ended_by_operator");
}

BOOST_AUTO_TEST_CASE(whoever_sees_a_credential_is_told_of_its_changes_on_admin_sock_alone_and_never_a_secret) {
    auto admin = listen_as_admin();
    auto worker = listen();
    const auto id = store_token(client, "seen", token);
    BOOST_REQUIRE_EQUAL(ask(client, "PATCH", "/v1/credentials/" + id, R"({"name":"renamed"})").status, 200U);
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/credentials/" + id).status, 204U);
    for (const auto* type : {"credential.created", "credential.updated", "credential.deleted"}) {
        const auto event = admin.next();
        BOOST_REQUIRE(event.has_value());
        BOOST_TEST(event->type == type);
        BOOST_TEST(member(*event, "credential") == id);
        BOOST_TEST(event->data.find(token) == std::string::npos);
    }
    BOOST_TEST(!worker.next(silence).has_value());
}

BOOST_AUTO_TEST_CASE(a_seal_is_told_first_then_the_ends_of_leases_and_then_the_stream_ends) {
    (void)store_token(client, "sealed", token);
    auto reader = listen();
    const auto id = lease("sealed");
    BOOST_REQUIRE_EQUAL(ask(client, "POST", "/v1/seal").status, 200U);
    const auto sealing = reader.next(told_within);
    BOOST_REQUIRE(sealing.has_value());
    BOOST_TEST(sealing->type == "broker.sealing");
    check_ended(reader, id, "sealed");
    BOOST_TEST(reader.ends());
    EventReader refused(daemon.lease_socket());
    BOOST_TEST(refused.status() == 503U);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_the_streams_and_is_not_delayed_by_them) {
    auto reader = listen();
    EventReader deaf(daemon.lease_socket(), {}, false);
    const auto begun = std::chrono::steady_clock::now();
    BOOST_TEST(daemon.stop().value_or(-1) == 0);
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 2s));
    BOOST_TEST(reader.ends());
}

BOOST_AUTO_TEST_CASE(the_stream_of_a_process_ends_with_it_though_a_child_holds_its_socket) {
    (void)store_token(client, "held", token);
    const auto status = [&] { return ask(client, "GET", "/v1/status").json; };
    std::array<int, 2> pipe{};
    BOOST_REQUIRE(::pipe(pipe.data()) == 0);
    const auto parent = ::fork();
    if (parent == 0) {
        EventReader reader(daemon.lease_socket());
        const bool listens = reader.is_listening();
        const auto child = ::fork();
        if (child == 0) {
            const bool has_ended = reader.ends(10s);
            (void)!::write(pipe[1], has_ended ? "+" : "-", 1);
        }
        ::_exit(listens ? 0 : 1);
    }
    ::waitpid(parent, nullptr, 0);
    char ended = 0;
    BOOST_TEST(::read(pipe[0], &ended, 1) == 1);
    BOOST_TEST(ended == '+');
    BOOST_TEST(status().at("state").as_string() == "ready");
    ::close(pipe[0]);
    ::close(pipe[1]);
}

BOOST_AUTO_TEST_CASE(whoever_reads_nothing_is_dropped_and_comes_back_to_all_of_it_and_nobody_else_notices) {
    constexpr std::size_t batches = 16, batch = 100; // some 400 KiB
    const auto credential = store_token(client, "many", token);
    auto reader = listen();
    EventReader deaf(daemon.lease_socket(), {}, false);
    std::size_t told = 0;
    for (std::size_t i = 0; i < batches; ++i) {
        for (std::size_t j = 0; j < batch; ++j) (void)lease("many");
        BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases?credential=" + credential).status, 200U);
        for (std::size_t j = 0; j < batch && reader.next().has_value(); ++j) ++told;
    }
    BOOST_TEST(told == batches * batch);
    std::size_t heard = 0;
    while (deaf.next(1s).has_value()) ++heard;
    BOOST_TEST(heard < batches * batch);
    BOOST_TEST(deaf.ends());
    auto again = EventReader(daemon.lease_socket(), after(deaf));
    while (again.next(1s).has_value()) ++heard;
    BOOST_TEST(heard == batches * batch);
}

BOOST_AUTO_TEST_CASE(whoever_comes_back_is_told_what_it_missed_and_nothing_twice) {
    (void)store_token(client, "missed", token);
    auto reader = listen();
    const auto first = lease("missed", R"(,"bind":"none")");
    const auto second = lease("missed", R"(,"bind":"none")");
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + first).status, 204U);
    check_ended(reader, first, "ended_by_operator");
    reader.close();
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + second).status, 204U);
    auto again = listen(after(reader));
    check_ended(again, second, "ended_by_operator", 10s);
    BOOST_TEST(!again.next(silence).has_value());
}

BOOST_AUTO_TEST_CASE(whoever_heard_nothing_yet_comes_back_to_what_it_missed_all_the_same) {
    (void)store_token(client, "missed", token);
    const auto id = lease("missed", R"(,"bind":"none")");
    auto reader = listen();
    reader.close();
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + id).status, 204U);
    auto again = listen(after(reader));
    check_ended(again, id, "ended_by_operator", 10s);
}

BOOST_AUTO_TEST_CASE(what_was_missed_over_kill_9_and_a_restart_comes_from_the_log_in_its_order) {
    const auto credential = store_token(client, "kept", token);
    const auto bound = lease("kept");
    const auto ended = lease("kept", R"(,"bind":"none")");
    const auto by_operator = lease("kept");
    auto reader = listen();
    auto admin = listen_as_admin();
    reader.close();
    admin.close();
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + ended, {}, Client::Door::lease).status, 204U);
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + by_operator).status, 204U);
    BOOST_REQUIRE_EQUAL(ask(client, "PATCH", "/v1/credentials/" + credential, R"({"name":"new"})").status, 200U);
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/credentials/" + credential + "?force=true").status, 204U);
    daemon.kill9();
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto again = listen(after(reader));
    check_ended(again, ended, "released", 10s);
    check_ended(again, by_operator, "ended_by_operator");
    check_ended(again, bound, "credential_deleted");
    BOOST_TEST(!again.next(silence).has_value());
    auto admin_again = listen_as_admin(after(admin));
    auto event = admin_again.next();
    while (event && event->type != "credential.deleted") event = admin_again.next(1s); // the creation may come again
    BOOST_REQUIRE(event.has_value());
    BOOST_TEST(member(*event, "credential") == credential);
}

BOOST_AUTO_TEST_CASE(what_the_logs_last_record_says_is_told_before_what_happens_from_then_on) {
    (void)store_token(client, "kept", token);
    const auto first = lease("kept");
    const auto second = lease("kept");
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + first, {}, Client::Door::lease).status, 204U);
    auto reader = listen("Last-Event-ID: 1.0\r\n");
    check_ended(reader, first, "released", 10s);
    const auto told = reader.last_id();
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + second, {}, Client::Door::lease).status, 204U);
    check_ended(reader, second, "released");
    BOOST_TEST(reader.last_id() != told);
}

BOOST_AUTO_TEST_CASE(a_lease_that_lives_on_over_a_restart_is_told_of_when_it_ends) {
    (void)store_token(client, "kept", token);
    const auto id = lease("kept");
    auto reader = listen();
    daemon.kill9();
    BOOST_TEST(reader.ends());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto again = listen(after(reader));
    BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + id).status, 204U);
    check_ended(again, id, "ended_by_operator");
}

BOOST_AUTO_TEST_CASE(whoever_asks_for_what_is_not_known_is_told_to_look_anew_and_then_told_all) {
    (void)store_token(client, "anew", token);
    for (const auto* id : {"999999999.1", "nonsense", "12", "1.1x"}) {
        auto reader = EventReader(daemon.lease_socket(), "Last-Event-ID: " + std::string(id) + "\r\n");
        const auto reset = reader.next();
        BOOST_REQUIRE(reset.has_value());
        BOOST_TEST(reset->type == "reset");
        const auto lease_id = lease("anew");
        BOOST_REQUIRE_EQUAL(ask(client, "DELETE", "/v1/leases/" + lease_id).status, 204U);
        check_ended(reader, lease_id, "ended_by_operator");
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(a_user_has_as_many_listeners_as_the_config_says_and_is_refused_more) {
    Daemon daemon({.config = "[limits]\nlisteners_per_uid = 2\n"});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    EventReader first(daemon.lease_socket());
    EventReader second(daemon.admin_socket());
    BOOST_TEST(first.status() == 200U);
    BOOST_TEST(second.status() == 200U);
    EventReader third(daemon.lease_socket());
    BOOST_TEST(third.status() == 429U);
    BOOST_TEST(third.head().find("Retry-After: ") != std::string::npos);
    first.close();
    for (int i = 0; i < 100; ++i) {
        EventReader next(daemon.lease_socket());
        if (next.status() == 200U) return;
        std::this_thread::sleep_for(20ms);
    }
    BOOST_ERROR("the place of a listener that left stays taken");
}
