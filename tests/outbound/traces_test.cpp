#define BOOST_TEST_DYN_LINK
#include "support/traces.hpp"
#include "world.hpp"

#include <openssl/crypto.h>

#include <thread>

// A sanitizer's shadow memory is too large to walk.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

namespace credlease::outbound::test {
namespace {

/// A token that nothing of this program holds but an arena of its own, so that the walk looks into the client's too.
struct Planted : World {
    /// BEFORE token, in the client's arena.
    [[nodiscard]] secret::SecretBuffer with_token(std::string_view before) const {
        return credlease::test::around(*arena, secret::Share::tokens, before, token);
    }
    [[nodiscard]] Request carrying(const std::string& url, std::string_view before) const {
        Request made;
        made.url = url;
        made.headers.push_back({.name = "Authorization", .value = with_token("Bearer ")});
        made.body = with_token(before);
        return made;
    }
    [[nodiscard]] bool is_in(std::span<const std::byte> memory) const {
        return token.expose(
            [&](std::span<const std::byte> bytes) { return secret::as_text(memory).contains(secret::as_text(bytes)); });
    }
    [[nodiscard]] bool is_in(const Answer& answer) const {
        return answer.body.expose([&](std::span<const std::byte> body) { return is_in(body); });
    }
    /// How much of the token lies outside the client's arena and the one that keeps it, which holds it once.
    [[nodiscard]] std::size_t count_outside() const {
        return credlease::test::TraceWalk(*arena).count(token) - (token.size() - 7);
    }
    /// Memory of OpenSSL's that holds the token, far from where an allocator keeps its own marks.
    [[nodiscard]] char* openssl_copy() const {
        auto* const copy = static_cast<char*>(OPENSSL_malloc(4096));
        token.expose([&](std::span<const std::byte> bytes) { std::memcpy(copy + 1024, bytes.data(), bytes.size()); });
        asm volatile("" : : "r"(copy) : "memory"); // else the optimizer sees that nobody reads it
        secret::wipe_traces();
        return copy;
    }

    std::unique_ptr<secret::Arena> kept = std::move(*secret::Arena::make({.size = std::size_t{256} << 10}));
    secret::SecretBuffer token = credlease::test::plant(*kept, 48, secret::Share::keys);
    credlease::test::TraceWalk walk{*kept};
};

BOOST_FIXTURE_TEST_SUITE(traces, Planted)

BOOST_AUTO_TEST_CASE(the_walk_finds_a_token_in_the_clients_arena) {
    BOOST_TEST(walk.count(token) == 0u);
    const auto copy = with_token("");
    BOOST_TEST(walk.count(token) > 0u);
}

BOOST_AUTO_TEST_CASE(after_an_exchange_nothing_holds_what_was_sent_and_received) {
    for (const auto* listener : {"good", "tls_1_2", "plain"}) {
        BOOST_TEST_CONTEXT(listener) {
            {
                const auto outcome = send(carrying(Provider::get().url(listener, "/echo"), "refresh_token="));
                BOOST_REQUIRE_MESSAGE(outcome.has_value(), failure_of(outcome));
                BOOST_TEST(is_in(*outcome));
            }
            BOOST_TEST(walk.count(token) == 0u);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_connection_that_waits_for_the_next_request_holds_nothing) {
    for (const auto* listener : {"kept", "kept_tls_1_2"}) {
        BOOST_TEST_CONTEXT(listener) {
            for (const auto* path : {"/echo", "/lost"}) { // the second is lost, and made anew
                Request made = carrying(Provider::get().url(listener, path), "refresh_token=");
                made.may_be_repeated = true;
                const auto outcome = send(std::move(made));
                BOOST_REQUIRE_MESSAGE(outcome.has_value(), failure_of(outcome));
                BOOST_TEST(is_in(*outcome) == (path == std::string_view("/echo")));
            }
            BOOST_TEST(walk.count(token) == 0u);
        }
    }
}

BOOST_AUTO_TEST_CASE(while_its_answer_is_held_nothing_else_holds_it) {
    auto outcome = send(carrying(Provider::get().url("good", "/echo"), "refresh_token="));
    BOOST_REQUIRE(outcome.has_value());
    BOOST_TEST(count_outside() == 0u);
}

BOOST_AUTO_TEST_CASE(while_an_answer_comes_in_the_arena_alone_holds_it) {
    for (const auto* listener : {"good", "tls_1_2"}) {
        std::optional<Outcome> outcome;
        start(carrying(Provider::get().url(listener, "/held"), "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
              outcome);
        begin();
        while (arena->used(secret::Share::tokens) != 8192) std::this_thread::yield(); // the request is sent
        while (!is_in(arena->all_for_test())) std::this_thread::yield();
        BOOST_TEST(count_outside() == 0u);
        make(trusting());
        finish();
    }
}

BOOST_AUTO_TEST_CASE(what_openssl_frees_is_wiped) {
    char* const freed = openssl_copy();
    char* const grown = openssl_copy();
    BOOST_TEST(count_outside() > 0u);
    OPENSSL_free(freed);
    char* const other = static_cast<char*>(OPENSSL_realloc(grown, std::size_t{1} << 20));
    BOOST_TEST(is_in(std::as_bytes(std::span(other, 4096))));
    OPENSSL_cleanse(other, 4096);
    OPENSSL_free(other);
    BOOST_TEST(count_outside() == 0u);
}

BOOST_AUTO_TEST_CASE(a_failed_or_aborted_exchange_leaves_nothing) {
    const std::string cut = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"access_token\":\"";
    for (const auto* path : {"/dropped", "/raw"}) BOOST_TEST(!send(carrying(Provider::get().url("good", path), cut)));
    for (const auto* listener : {"expired", "not_tls", "drops_after_handshake"})
        BOOST_TEST(!send(carrying(Provider::get().url(listener, "/raw"), cut)));
    BOOST_TEST(walk.count(token) == 0u);

    Options impatient = trusting();
    impatient.timeout = 3000ms;
    BOOST_REQUIRE(client->set(std::move(impatient)).has_value());
    BOOST_TEST(!send(carrying(Provider::get().url("good", "/held"), cut)));
    BOOST_TEST(!send(carrying(Provider::get().url("good", "/raw"), "HTTP/1.1 200 OK\r\nSet-Cookie: a\rb")));
    BOOST_TEST(walk.count(token) == 0u);
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_leaves_nothing) {
    std::optional<Outcome> outcome;
    start(carrying(Provider::get().url("good", "/held"), "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), outcome);
    begin();
    client.reset();
    finish();
    BOOST_TEST(walk.count(token) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound::test

#endif
