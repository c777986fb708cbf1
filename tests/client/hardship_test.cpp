#define BOOST_TEST_DYN_LINK
#include "credlease/client.hpp"
#include "scarce_memory.hpp"
#include "stand_in.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <optional>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace credlease;
using namespace std::chrono_literals;
using test::lease_json;
using test::problem;
using test::renewal_json;
using test::StandIn;
using test::TemporaryDirectory;
using Then = StandIn::Response::Then;

namespace {

bool is_renewal(const StandIn::Request& request) { return request.path.ends_with("/renew"); }

struct Fixture {
    TemporaryDirectory directory;
    std::filesystem::path socket = directory.path() / "lease.sock";

    [[nodiscard]] Client client(std::chrono::milliseconds timeout = 10s) const {
        return Client(Options{
            .lease_socket = socket, .admin_socket = socket, .grant_from_environment = false, .timeout = timeout});
    }
};

template <class Holds> bool comes_true(Holds holds) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!holds() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(5ms);
    return holds();
}

/// While this lives, no thread can start: each is to have a stack that no host has room for.
class NoMoreThreads {
  public:
    NoMoreThreads() {
        pthread_getattr_default_np(&before_);
        pthread_attr_t immense{};
        pthread_attr_init(&immense);
        pthread_attr_setstacksize(&immense, std::size_t{1} << 50);
        pthread_setattr_default_np(&immense);
        pthread_attr_destroy(&immense);
    }
    ~NoMoreThreads() {
        pthread_setattr_default_np(&before_);
        pthread_attr_destroy(&before_);
    }
    NoMoreThreads(const NoMoreThreads&) = delete;
    NoMoreThreads& operator=(const NoMoreThreads&) = delete;

  private:
    pthread_attr_t before_{};
};

/// Listens at a path and never accepts, with nobody's place left in the queue.
class FullBacklog {
  public:
    explicit FullBacklog(const std::filesystem::path& path) {
        std::filesystem::remove(path);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.string().copy(address.sun_path, sizeof address.sun_path - 1);
        const auto* where = reinterpret_cast<const sockaddr*>(&address);
        open_.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        BOOST_REQUIRE(bind(open_[0], where, sizeof address) == 0);
        BOOST_REQUIRE(listen(open_[0], 0) == 0);
        do {
            open_.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        } while (connect(open_.back(), where, sizeof address) == 0);
    }
    ~FullBacklog() {
        for (const int descriptor : open_) close(descriptor);
    }
    FullBacklog(const FullBacklog&) = delete;
    FullBacklog& operator=(const FullBacklog&) = delete;

  private:
    std::vector<int> open_;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(hardship, Fixture)

BOOST_AUTO_TEST_CASE(a_renewing_thread_that_cannot_start_costs_neither_the_lease_nor_the_programs_signals) {
    const StandIn broker(socket, [](const StandIn::Request& request) {
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        return StandIn::Response{.status = 201, .body = lease_json(900)};
    });
    auto asking = client();
    BOOST_REQUIRE(asking.lease({.credential = "c"}).ok()); // the connection is there
    {
        const NoMoreThreads none;
        const auto lease = asking.lease({.credential = "c", .renew_itself = true});
        BOOST_REQUIRE(!lease.ok());
        BOOST_TEST(lease.error().code == "internal");
    }
    sigset_t blocked{};
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    BOOST_TEST(sigismember(&blocked, SIGTERM) == 0);
    const auto seen = broker.seen();
    BOOST_REQUIRE(seen.size() == 4U);
    BOOST_TEST(seen[3].method == "DELETE");
    BOOST_TEST(asking.lease({.credential = "c", .renew_itself = true}).ok());
}

BOOST_AUTO_TEST_CASE(a_lease_whose_answer_cannot_be_used_is_given_back) {
    const StandIn broker(socket, [](const StandIn::Request& request) {
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        return StandIn::Response{.status = 201,
                                 .body = R"({"secret":{"t":"x"},"lease":"lease_7","expires_at":"soon"})"};
    });
    BOOST_TEST(!client().lease({.credential = "c"}).ok());
    const auto seen = broker.seen();
    BOOST_REQUIRE(seen.size() == 2U);
    BOOST_TEST(seen[1].method == "DELETE");
    BOOST_TEST(seen[1].path == "/v1/leases/lease_7");
}

BOOST_AUTO_TEST_CASE(a_renewal_that_memory_does_not_suffice_for_is_told_and_tried_again) {
    if (!test::can_refuse_memory()) return;
    test::spare_this_thread();
    std::optional<test::ScarceMemory> scarce;
    const StandIn broker(socket, [&](const StandIn::Request& request) {
        test::spare_this_thread();
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        if (!is_renewal(request)) return StandIn::Response{.status = 201, .body = lease_json(2)};
        if (request.connection == 2) scarce.emplace(); // the answer comes to a program without memory
        return StandIn::Response{.body = renewal_json(900), .headers = {{"ETag", std::string(100, '7')}}};
    });
    auto asking = client();
    const auto lease = asking.lease({.credential = "c", .renew_itself = true});
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST(comes_true([&] { return lease->last_error().has_value(); }));
    BOOST_TEST(lease->last_error().value_or(Error{}).code == "internal");
    scarce.reset();
    // What came late is no answer to the next request: that goes over another connection.
    BOOST_TEST(comes_true([&] { return !lease->last_error().has_value(); }));
    BOOST_TEST(broker.seen().back().connection == 3);
    BOOST_TEST(!lease->is_over());
}

BOOST_AUTO_TEST_CASE(a_client_closes_at_once_although_its_renewal_finds_the_brokers_queue_full) {
    const StandIn broker(socket, [](const StandIn::Request& request) {
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        return StandIn::Response{.status = 201, .body = lease_json(0.6)};
    });
    const auto begun = std::chrono::steady_clock::now();
    std::optional<FullBacklog> full; // outlives the client: a listener that goes would end the wait
    {
        auto asking = client(2min);
        const auto lease = asking.lease({.credential = "c", .renew_itself = true});
        BOOST_REQUIRE(lease.ok());
        full.emplace(socket);
        std::this_thread::sleep_for(700ms); // the renewal knocks by now
    }
    BOOST_TEST((std::chrono::steady_clock::now() - begun < 30s)); // of the two minutes that a request may take
}

BOOST_AUTO_TEST_CASE(a_full_queue_is_waited_for_until_the_time_is_over) {
    const FullBacklog full(socket);
    const auto begun = std::chrono::steady_clock::now();
    const auto answer = client(300ms).send({.path = "/v1/status"});
    BOOST_REQUIRE(!answer.ok());
    BOOST_TEST(answer.error().sentence.contains("takes no connection"));
    BOOST_TEST((std::chrono::steady_clock::now() - begun >= 300ms));
}

BOOST_AUTO_TEST_CASE(a_lease_whose_answer_was_lost_is_got_again_by_the_same_key) {
    std::map<std::string, std::string> issued; // by key, as the broker has it
    const StandIn broker(socket, [&](const StandIn::Request& request) {
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        const auto [found, is_new] =
            issued.try_emplace(request.headers.at("idempotency-key"), "lease_" + std::to_string(issued.size() + 1));
        StandIn::Response response{.status = 201, .body = lease_json(900, "token", found->second)};
        if (is_new) response.then = Then::break_off;
        return response;
    });
    auto asking = client();
    {
        const auto lease = asking.lease({.credential = "c"});
        BOOST_REQUIRE(lease.ok());
        BOOST_TEST(lease->id() == "lease_1");
    }
    BOOST_TEST(issued.size() == 1U);
    const auto seen = broker.seen();
    BOOST_REQUIRE(seen.size() == 3U);
    BOOST_TEST(seen[0].body == seen[1].body);
    BOOST_TEST(seen[2].path == "/v1/leases/lease_1");
}

BOOST_AUTO_TEST_CASE(a_key_that_the_broker_knows_from_another_request_is_not_sent_again) {
    std::atomic<int> count{0};
    const StandIn broker(socket, [&](const StandIn::Request&) {
        if (++count == 1) return StandIn::Response{.then = Then::close_before_answer};
        return problem(409, "idempotency_mismatch", "The key was used for another request.");
    });
    auto asking = client();
    const auto lease = asking.lease({.credential = "c"});
    BOOST_REQUIRE(!lease.ok());
    BOOST_TEST(lease.error().code == "idempotency_mismatch");
    BOOST_TEST(broker.seen().size() == 2U);
    const auto sent =
        asking.send({.method = "POST", .path = "/v1/grants", .json = "{}", .idempotency_key = "one-of-mine"});
    BOOST_TEST(sent.error().code == "idempotency_mismatch");
    BOOST_TEST(broker.seen().size() == 3U);
}

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
BOOST_AUTO_TEST_CASE(a_thread_with_a_stack_of_64_KiB_may_lease) {
    const StandIn broker(socket, [](const StandIn::Request& request) {
        if (request.method == "DELETE") return StandIn::Response{.status = 204};
        return StandIn::Response{.status = 201, .body = lease_json(900, R"(with \"escapes\"\n)")};
    });
    auto asking = client();
    struct Work {
        Client& client;
        bool done = false;
    } work{asking};
    pthread_attr_t small{};
    pthread_attr_init(&small);
    BOOST_REQUIRE(pthread_attr_setstacksize(&small, std::size_t{64} << 10) == 0);
    pthread_t thread{};
    const auto lease_one = [](void* given) -> void* {
        auto* mine = static_cast<Work*>(given);
        const auto lease = mine->client.lease({.credential = "c"});
        mine->done = lease.ok() && lease->expose("access_token", [](std::string_view) {});
        return nullptr;
    };
    BOOST_REQUIRE(pthread_create(&thread, &small, lease_one, &work) == 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&small);
    BOOST_TEST(work.done);
}
#endif

BOOST_AUTO_TEST_SUITE_END()
