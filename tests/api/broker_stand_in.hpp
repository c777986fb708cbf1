#pragma once

#include "api/event_stream.hpp"
#include "api/listener.hpp"
#include "support/socket_client.hpp"
#include "support/temporary_folder.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace credlease::test {

/// A real listener on two real sockets, with routes of the test's own; its loop runs on a thread, its clock by hand.
class BrokerStandIn {
  public:
    explicit BrokerStandIn(api::Listener::Options options = {}, std::size_t arena_size = std::size_t{1} << 22);
    ~BrokerStandIn();
    BrokerStandIn(const BrokerStandIn&) = delete;
    BrokerStandIn& operator=(const BrokerStandIn&) = delete;

    [[nodiscard]] SocketClient connect(api::Door door = api::Door::admin) const {
        return SocketClient(door == api::Door::lease ? lease_path : admin_path);
    }
    /// Runs `job` on the loop and waits for it.
    template <class Job> auto on_loop(Job job) {
        std::packaged_task<std::invoke_result_t<Job>()> task(std::move(job));
        auto done = task.get_future();
        loop.post([shared = std::make_shared<decltype(task)>(std::move(task))] { (*shared)(); });
        return done.get();
    }
    void advance(std::chrono::milliseconds by) {
        on_loop([&] { clock.advance(by); });
    }
    /// Waits until the listener has that many connections; false if that does not come about.
    [[nodiscard]] bool has_connections(std::size_t count);
    /// Waits until `is_so`, asked on the loop, says yes.
    [[nodiscard]] bool becomes_true(const std::function<bool()>& is_so);
    [[nodiscard]] std::size_t used(secret::Share share) {
        return on_loop([&] { return arena->used(share); });
    }

    TemporaryFolder folder;
    std::filesystem::path lease_path = folder.path() / "lease.sock";
    std::filesystem::path admin_path = folder.path() / "admin.sock";

    runtime::Loop loop;
    runtime::HandClock clock;
    std::unique_ptr<secret::Arena> arena;
    std::atomic<bool> is_sealed = false;
    std::vector<std::string> handled;                       ///< on the loop: what /v1/mark was called with
    std::vector<api::Responder> waiting;                    ///< on the loop: of /v1/later
    std::vector<secret::SecretBuffer> bodies;               ///< on the loop: those that /v1/later took along
    std::vector<std::unique_ptr<api::EventStream>> streams; ///< on the loop: of /v1/events
    std::size_t left = 0;                                   ///< on the loop: listeners that have gone by themselves
    std::vector<std::string> broken;                        ///< on the loop: what handlers threw
    std::vector<std::string> refused;                       ///< on the loop: codes of refused peers
    std::vector<std::uint64_t> allocations_seen;            ///< on the loop: at each POST /v1/leases

    /// Answers what /v1/later holds, oldest first.
    void answer_later(std::string body);

  private:
    [[nodiscard]] std::vector<api::Route> make_routes();
    void lease(const api::Request& request, api::Responder responder);
    void later(const api::Request& request, api::Responder responder);
    void listen_to_events(api::Responder responder);
    void echo(const api::Request& request, const api::Parts& parts, api::Responder responder);
    secret::SecretBuffer secret_of(std::string_view text, std::size_t times = 1);

    api::Routes routes_;
    std::unique_ptr<api::Listener> listener_;
    std::thread thread_;

  public:
    [[nodiscard]] api::Listener& listener() { return *listener_; }
};

} // namespace credlease::test
