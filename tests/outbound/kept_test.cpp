#define BOOST_TEST_DYN_LINK
#include "world.hpp"

#include <sstream>

namespace credlease::outbound::test {
namespace {

/// How the listener "kept" counts a request.
struct Counted {
    unsigned connection = 0; ///< of all that it has taken
    unsigned request = 0;    ///< of those on this connection
    unsigned read = 0;       ///< of all that it has read
};

struct Keeping : World {
    [[nodiscard]] Request repeatable(const std::string& path, std::string_view body = {}, const char* listener = "kept",
                                     const std::string& host = "127.0.0.1") const {
        Request made = request(Provider::get().url(listener, path, host), body);
        made.may_be_repeated = true;
        return made;
    }
    Counted count(Request asked) {
        const auto outcome = send(std::move(asked));
        BOOST_REQUIRE_MESSAGE(outcome.has_value(), failure_of(outcome));
        Counted counted;
        std::istringstream(text_of(outcome->body)) >> counted.connection >> counted.request >> counted.read;
        return counted;
    }
    Counted count(const std::string& path = "/") { return count(repeatable(path)); }
    /// False when that connection has not ended within the deadline of an exchange.
    bool ends(unsigned connection) {
        return send(request(Provider::get().url("kept", "/ended/" + std::to_string(connection)))).has_value();
    }
    /// Whether the connection of an answer like that serves another request.
    bool is_kept_after(std::string_view raw) {
        const auto before = count();
        (void)send(repeatable("/said", raw));
        return count().connection == before.connection;
    }
    ~Keeping() { let_go(); }
};

BOOST_FIXTURE_TEST_SUITE(kept, Keeping)

BOOST_AUTO_TEST_CASE(requests_that_may_be_repeated_go_over_one_connection) {
    for (const auto* listener : {"kept", "kept_tls_1_2"}) {
        const auto first = count(repeatable("/", "a", listener));
        BOOST_TEST(first.request == 1u);
        for (unsigned i = 2; i < 6; ++i) {
            const auto next = count(repeatable("/", "a", listener));
            BOOST_TEST(next.connection == first.connection);
            BOOST_TEST(next.request == i);
        }
    }
}

BOOST_AUTO_TEST_CASE(any_other_has_a_connection_of_its_own_that_ends_with_it) {
    const auto own = [&] { return count(request(Provider::get().url("kept", "/"))); };
    const auto first = own();
    BOOST_TEST(first.request == 1u);
    BOOST_TEST(own().request == 1u);
    const auto repeated = count();
    BOOST_TEST(repeated.request == 1u);
    BOOST_TEST(own().request == 1u);
    BOOST_TEST(count().connection == repeated.connection);
    BOOST_TEST(ends(first.connection));
}

BOOST_AUTO_TEST_CASE(a_request_asks_for_the_end_of_a_connection_of_its_own_alone) {
    BOOST_TEST(body_of(send(request(Provider::get().url("kept", "/echo")))).contains("\r\nConnection: close"));
    BOOST_TEST(!body_of(send(repeatable("/echo"))).contains("Connection:"));
}

BOOST_AUTO_TEST_CASE(each_of_several_at_once_has_a_connection_to_itself) {
    std::vector<std::optional<Outcome>> outcomes(4);
    for (auto& each : outcomes) start(repeatable("/"), each);
    finish();
    for (const auto& each : outcomes) BOOST_TEST(body_of(*each).contains(" 1 "));
    BOOST_TEST(count().request == 2u);
}

BOOST_AUTO_TEST_CASE(one_that_was_closed_while_it_waited_is_not_used) {
    for (const auto* path : {"/closed", "/dropped"}) {
        const auto before = count(path);
        BOOST_TEST(ends(before.connection));
        const auto after = count();
        BOOST_TEST(after.connection != before.connection);
        BOOST_TEST(after.request == 1u);
    }
}

BOOST_AUTO_TEST_CASE(a_request_whose_kept_connection_is_closed_without_an_answer_is_made_anew_once) {
    const auto before = count();
    const auto after = count(repeatable("/lost", "grant_type=refresh_token"));
    BOOST_TEST(after.connection != before.connection);
    BOOST_TEST(after.request == 1u);
    BOOST_TEST(after.read == before.read + 2); // it came twice
}

BOOST_AUTO_TEST_CASE(once_a_byte_of_an_answer_came_a_request_is_not_made_anew) {
    const auto before = count();
    const auto cut = send(repeatable("/cut", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"));
    BOOST_TEST(failure_of(cut).contains("dropped the connection before its answer was whole"), failure_of(cut));
    BOOST_TEST(was_sent(cut));
    const auto after = count();
    BOOST_TEST(after.connection != before.connection);
    BOOST_TEST(after.read == before.read + 2);
}

BOOST_AUTO_TEST_CASE(one_whose_answer_leaves_it_open_is_kept) {
    BOOST_TEST(is_kept_after("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    BOOST_TEST(is_kept_after("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}"));
    BOOST_TEST(is_kept_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n"));
    BOOST_TEST(is_kept_after("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(one_whose_answer_wants_it_closed_or_is_of_http_1_0_is_not_kept) {
    BOOST_TEST(!is_kept_after("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"));
    BOOST_TEST(!is_kept_after("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok"));
    BOOST_TEST(!is_kept_after("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    BOOST_TEST(!is_kept_after("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"));
}

BOOST_AUTO_TEST_CASE(one_with_anything_behind_its_answer_is_not_kept) {
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    BOOST_TEST(!is_kept_after(answer + "x"));
    BOOST_TEST(!is_kept_after(answer + answer));
    BOOST_TEST(!is_kept_after("HTTP/1.1 204 No Content\r\n\r\nok"));
}

BOOST_AUTO_TEST_CASE(a_bad_answer_ends_it) {
    BOOST_TEST(!is_kept_after("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok"));
    BOOST_TEST(!is_kept_after("not HTTP at all\r\n\r\n"));
}

BOOST_AUTO_TEST_CASE(another_host_is_another_connection) {
    set_addresses("localhost", {"127.0.0.1"});
    set_addresses("provider.test", {"127.0.0.1"});
    const auto first = count();
    const auto second = count(repeatable("/", "", "kept", "localhost"));
    const auto third = count(repeatable("/", "", "kept", "provider.test"));
    BOOST_TEST((second.request == 1u && third.request == 1u));
    BOOST_TEST(count().connection == first.connection);
    BOOST_TEST(count(repeatable("/", "", "kept", "localhost")).connection == second.connection);
}

BOOST_AUTO_TEST_CASE(new_options_close_those_of_the_old) {
    const auto before = count();
    Options options = trusting();
    options.ca_file.clear();
    BOOST_REQUIRE(client->set(std::move(options)).has_value());
    BOOST_TEST(failure_of(send(repeatable("/"))).contains("certificate is not trusted"));
    BOOST_REQUIRE(client->set(trusting()).has_value());
    BOOST_TEST(ends(before.connection));
    BOOST_TEST(count().request == 1u);
    BOOST_TEST(count().request == 2u);
}

BOOST_AUTO_TEST_CASE(an_exchange_of_old_options_leaves_none_behind) {
    const auto read = count(request(Provider::get().url("kept", "/"))).read;
    std::optional<Outcome> outcome;
    start(repeatable("/read/" + std::to_string(read + 2)), outcome); // itself, and the next
    begin();
    BOOST_REQUIRE(client->set(trusting()).has_value());
    (void)count(request(Provider::get().url("kept", "/")));
    finish();
    BOOST_TEST(body_of(*outcome).contains(" 1 "));
    BOOST_TEST(count().request == 1u);
}

BOOST_AUTO_TEST_CASE(they_are_closed_when_the_client_is_told_so_gives_up_or_goes) {
    auto open = count().connection;
    client->close_kept();
    BOOST_TEST(count().request == 1u);
    BOOST_TEST(ends(open));
    open = count().connection;
    client->give_up();
    BOOST_TEST(count().request == 1u);
    BOOST_TEST(ends(open));
    open = count().connection;
    make(trusting()); // another one; the first does not wait for what it keeps
    BOOST_TEST(ends(open));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound::test
