#define BOOST_TEST_DYN_LINK
#include "api/hashed_workers.hpp"
#include "api/listener.hpp"
#include "outbound/openssl_memory.hpp"
#include "support/made_settings.hpp"
#include "support/socket_client.hpp"
#include "support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <thread>
#include <unistd.h>

namespace credlease::api {
namespace {

using test::SocketClient;

template <class T> T must(result::Result<T> made) {
    if (!made) throw std::runtime_error(made.error().detail());
    return std::move(*made);
}

std::unique_ptr<outbound::Client> outbound_client(runtime::Loop& loop, secret::Arena& arena) {
    BOOST_REQUIRE(outbound::wipe_what_openssl_frees());
    return must(outbound::Client::make(loop, arena, {}));
}

/// With a folder for the data, as the daemon makes it.
std::shared_ptr<const settings::Settings> settings_in(const std::filesystem::path& folder) {
    auto made = support::made_settings(folder, "[[worker]]\nname = \"w\"\nuid = " + std::to_string(::geteuid()) +
                                                   "\nexe_sha256 = \"" + std::string(64, '0') + "\"\n");
    std::filesystem::create_directories(made.places.data);
    return std::make_shared<const settings::Settings>(std::move(made));
}

/// A real broker with one rule that asks for a hash, behind one door and one route of the test's own.
struct House {
    explicit House(HashedWorkers::Handle handle)
        : settings(settings_in(folder.path())),
          broker(must(broker::Broker::start(
              {.loop = loop,
               .clock = *clock,
               .arena = *arena,
               .log = log,
               .commit = commit,
               .bulk = bulk,
               .outbound = *outbound,
               .anchor = [](const std::string&) {},
               .tell_problem = [this](const result::Error& error) { problems.push_back(error.detail()); },
               .tell_rescued = [](const vocabulary::CredentialId&) {},
               .tell_failing = [](const vocabulary::Credential&) {},
               .tell_seal = [](broker::SealEvent, const attestation::Peer&) {},
               .tell_ending = [](const broker::EndingClock&) {},
               .await_browsers = [](bool) { return result::Result<>(); }},
              {.settings = settings, .catalog = must(catalog::Catalog::load({}))}))),
          hashed(*broker), handle_of_row(std::move(handle)),
          routes({{.method = Method::get,
                   .pattern = "/v1/asked",
                   .on_lease = true,
                   .handle =
                       [this](const Request& request, const Parts& parts, Responder responder) {
                           hashed.call(request, parts, std::move(responder), handle_of_row);
                       }}}),
          listener(std::make_unique<Listener>(loop, *clock, *arena, routes, Listener::Options{})) {
        listener->add(Door::lease, must(listen_at({.path = door, .mode = 0600})));
        tasks.start(broker->begin());
        thread = std::thread([this] { loop.run(); });
    }
    ~House() {
        std::promise<void> stopped;
        loop.post([&] { tasks.start(stop(stopped)); });
        stopped.get_future().wait();
        loop.stop();
        thread.join();
        listener.reset();
    }
    runtime::Task<> stop(std::promise<void>& stopped) {
        co_await broker->stop();
        stopped.set_value();
    }

    test::TemporaryFolder folder;
    std::filesystem::path door = folder.path() / "lease.sock";
    std::shared_ptr<const settings::Settings> settings;
    runtime::Loop loop;
    std::unique_ptr<runtime::Clock> clock = runtime::make_system_clock(loop);
    std::unique_ptr<secret::Arena> arena =
        must(secret::Arena::make({.choice = secret::ArenaOptions::Choice::mlock, .size = std::size_t{4} << 20}));
    runtime::Worker log{loop, "log"}, commit{loop, "commit"}, bulk{loop, "bulk"};
    std::unique_ptr<outbound::Client> outbound = outbound_client(loop, *arena);
    std::vector<std::string> problems; ///< on the loop
    std::unique_ptr<broker::Broker> broker;
    HashedWorkers hashed;
    HashedWorkers::Handle handle_of_row;
    Routes routes;
    std::unique_ptr<Listener> listener;
    runtime::TaskGroup tasks{loop};
    std::thread thread;
};

} // namespace

BOOST_AUTO_TEST_SUITE(hashed_workers)

BOOST_AUTO_TEST_CASE(a_handler_that_throws_behind_the_wait_ends_its_own_request_alone) {
    bool throws = true;
    House house([&](const Request& request, const Parts&, Responder responder) {
        if (std::exchange(throws, false)) throw std::bad_alloc();
        responder.answer({.body = "\"" + std::string(request.query) + "\""});
    });
    SocketClient client(house.door);
    const auto broken = client.ask("GET", "/v1/asked?1");
    BOOST_REQUIRE(broken.has_value());
    BOOST_TEST(broken->status == 500U);
    BOOST_TEST(broken->body.contains(R"("code":"internal")"));
    const auto next = client.ask("GET", "/v1/asked?2");
    BOOST_REQUIRE(next.has_value());
    BOOST_TEST(next->body == "\"2\"");
    std::promise<std::vector<std::string>> told;
    house.loop.post([&] { told.set_value(house.problems); });
    const auto problems = told.get_future().get();
    BOOST_REQUIRE_EQUAL(problems.size(), 1U);
    BOOST_TEST(problems[0].contains("broke off"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::api
