#pragma once

#include "name_service.hpp"
#include "outbound/openssl_memory.hpp"
#include "provider.hpp"
#include "runtime/task_group.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::outbound::test {

using namespace std::chrono_literals;

inline runtime::Task<> keep(runtime::Task<Outcome> task, std::optional<Outcome>& outcome) {
    outcome.emplace(co_await std::move(task));
}

inline runtime::Task<> stop_after(runtime::Loop& loop, runtime::TaskGroup& tasks) {
    co_await tasks.drain();
    loop.stop();
}

/// "Sentence (about)." of a failure, or "none".
inline std::string failure_of(const Outcome& outcome) { return outcome ? "none" : outcome.error().error.detail(); }

inline bool was_sent(const Outcome& outcome) { return outcome || outcome.error().was_sent; }

/// An arena's text as a string: for tests, whose secrets are none.
inline std::string text_of(const secret::SecretBuffer& buffer) {
    return buffer.expose([](std::span<const std::byte> bytes) { return std::string(secret::as_text(bytes)); });
}
inline std::string body_of(const Outcome& outcome) {
    return outcome ? text_of(outcome->body) : "failed: " + failure_of(outcome);
}

/// A client that trusts the provider on loopback.
struct World {
    World() { make(trusting()); }

    static Options trusting() {
        return {.timeout = 20s, .ca_file = Provider::get().ca_file(), .allow_private = true, .allowed_hosts = {}};
    }
    void make(Options options) {
        auto made = Client::make(loop, *arena, std::move(options));
        BOOST_REQUIRE_MESSAGE(made.has_value(), (made ? "" : made.error().detail()));
        client = std::move(*made);
    }

    [[nodiscard]] secret::SecretBuffer buffer(std::string_view text) const {
        return std::move(*secret::SecretBuffer::copy(*arena, text, secret::Share::tokens));
    }
    [[nodiscard]] Request request(std::string url, std::string_view body = {}) const {
        Request made;
        made.url = std::move(url);
        made.content_type = "application/x-www-form-urlencoded";
        made.body = buffer(body);
        return made;
    }
    void start(Request request, std::optional<Outcome>& outcome) {
        tasks.start(keep(client->send(std::move(request)), outcome));
    }
    /// Lets the tasks that were started send.
    void begin() {
        loop.context().restart();
        loop.context().poll();
    }
    void finish() {
        runtime::TaskGroup last(loop);
        last.start(stop_after(loop, tasks));
        loop.context().restart(); // an earlier run may have left it stopped
        loop.run();
    }
    Outcome send(Request request) {
        std::optional<Outcome> outcome;
        start(std::move(request), outcome);
        finish();
        BOOST_REQUIRE(outcome.has_value());
        return std::move(*outcome);
    }
    /// What comes of a request to this listener and path, whose body is `raw`.
    Outcome ask(const std::string& listener, const std::string& path, std::string_view raw = {}) {
        return send(request(Provider::get().url(listener, path), raw));
    }

    std::unique_ptr<secret::Arena> arena = std::move(*secret::Arena::make({.size = std::size_t{4} << 20}));
    runtime::Loop loop;
    runtime::TaskGroup tasks{loop};
    std::unique_ptr<Client> client;
};

} // namespace credlease::outbound::test
