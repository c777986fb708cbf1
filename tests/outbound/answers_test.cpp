#define BOOST_TEST_DYN_LINK
#include "world.hpp"

#include <array>
#include <ctime>
#include <string>

namespace credlease::outbound::test {
namespace {

std::string http_date(std::chrono::system_clock::duration ahead) {
    const auto when = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now() + ahead);
    const std::time_t time = std::chrono::system_clock::to_time_t(when);
    std::array<char, 64> text{};
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

BOOST_FIXTURE_TEST_SUITE(answers, World)

BOOST_AUTO_TEST_CASE(a_request_arrives_as_it_was_meant) {
    Request made = request(Provider::get().url("good", "/echo?a=b"), "grant_type=refresh_token&refresh_token=r");
    made.headers.push_back({.name = "Authorization", .value = buffer("Basic YTpi")});
    made.headers.push_back({.name = "Accept", .value = buffer("application/json")});
    const std::string host = made.url.substr(8, made.url.find("/echo") - 8);
    const auto outcome = send(std::move(made));
    BOOST_TEST(body_of(outcome) == "POST /echo?a=b HTTP/1.1\r\nHost: " + host +
                                       "\r\nUser-Agent: credlease/" CREDLEASE_VERSION "\r\n"
                                       "Accept-Encoding: identity\r\nConnection: close\r\n"
                                       "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 40\r\n"
                                       "Authorization: Basic YTpi\r\nAccept: application/json\r\n\r\n"
                                       "grant_type=refresh_token&refresh_token=r");
}

BOOST_AUTO_TEST_CASE(a_get_has_no_body_and_a_post_without_one_says_so) {
    Request get;
    get.method = Method::get;
    get.url = Provider::get().url("good", "/echo");
    const auto got = body_of(send(std::move(get)));
    BOOST_TEST(got.starts_with("GET /echo HTTP/1.1\r\n"));
    BOOST_TEST(!got.contains("Content-"));
    BOOST_TEST(body_of(ask("good", "/echo")).contains("\r\nContent-Length: 0\r\n"));
}

BOOST_AUTO_TEST_CASE(a_delete_may_have_a_body) {
    Request made = request(Provider::get().url("good", "/echo"), "{}");
    made.method = Method::del;
    const auto got = body_of(send(std::move(made)));
    BOOST_TEST(got.starts_with("DELETE /echo HTTP/1.1\r\n"));
    BOOST_TEST(got.contains("\r\nContent-Length: 2\r\n"));
}

BOOST_AUTO_TEST_CASE(an_answer_is_status_type_and_body) {
    const auto outcome = ask("good", "/raw",
                             "HTTP/1.1 400 Bad Request\r\nContent-Type: Application/JSON;charset=utf-8\r\n"
                             "Content-Length: 2\r\n\r\n{}");
    BOOST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->status == 400u);
    BOOST_TEST(outcome->content_type == "application/json");
    BOOST_TEST(text_of(outcome->body) == "{}");
    BOOST_CHECK(outcome->retry_after == 0ms && outcome->date_ahead == 0s);
}

BOOST_AUTO_TEST_CASE(every_framing_is_understood_whole_or_in_slices) {
    const char* const head = "HTTP/1.1 200 OK\r\n";
    for (const auto* listener : {"good", "tls_1_2", "plain"}) {
        for (const auto* path : {"/raw", "/slices"}) {
            const auto body = [&](const std::string& raw) { return body_of(ask(listener, path, head + raw)); };
            BOOST_TEST_CONTEXT(listener << path) {
                BOOST_TEST(body("Content-Length: 11\r\n\r\nhello world") == "hello world");
                BOOST_TEST(body("\r\nhello world") == "hello world"); // until the connection ends
                BOOST_TEST(body("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n"
                                "Content-Encoding: gzip\r\n\r\n") == "hello world");
                BOOST_TEST(body("Content-Length: 0\r\n\r\n") == "");
                BOOST_TEST(body("Content-Length: 2\r\n\r\nokand more than was said") == "ok");
            }
        }
    }
    BOOST_TEST(body_of(ask("good", "/raw", "HTTP/1.0 200 OK\r\n\r\nold")) == "old");
    BOOST_TEST(body_of(ask("good", "/held", "HTTP/1.1 204 No Content\r\n\r\n")) == "");
}

BOOST_AUTO_TEST_CASE(an_answer_is_whole_when_it_says_so_however_the_connection_ends) {
    BOOST_TEST(body_of(ask("good", "/held", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) == "ok");
    BOOST_TEST(body_of(ask("good", "/dropped", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) == "ok");
    BOOST_TEST(body_of(ask("good", "/held",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")) == "ok");
}

BOOST_AUTO_TEST_CASE(what_comes_before_the_answer_is_ignored) {
    for (const auto* path : {"/raw", "/slices"}) {
        BOOST_TEST(body_of(ask("good", path,
                               "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                               "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) == "ok");
    }
}

BOOST_AUTO_TEST_CASE(a_redirect_is_an_answer_and_not_followed) {
    const auto outcome =
        ask("good", "/raw",
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
    BOOST_REQUIRE(outcome.has_value());
    BOOST_TEST(outcome->status == 307u);
}

BOOST_AUTO_TEST_CASE(retry_after_is_read_as_seconds_and_by_the_servers_own_clock) {
    const auto wait = [&](const std::string& headers) {
        const auto outcome =
            ask("good", "/raw", "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n" + headers + "\r\n");
        BOOST_REQUIRE(outcome.has_value());
        return outcome->retry_after.count();
    };
    BOOST_TEST(wait("Retry-After: 120\r\n") == 120'000);
    BOOST_TEST(wait("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\n") == 30'000);
    BOOST_TEST(wait("Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n") == 30'000);
    const auto by_ours = wait("Retry-After: " + http_date(1h) + "\r\n");
    BOOST_TEST((by_ours > 3'500'000 && by_ours <= 3'600'000));
    BOOST_TEST(wait("Retry-After: " + http_date(-1h) + "\r\n") == 0);
    BOOST_TEST(wait("Retry-After: soon\r\n") == 0);
    BOOST_TEST(wait("Retry-After: 99999999999999999\r\n") == 365LL * 24 * 3600 * 1000);
}

BOOST_AUTO_TEST_CASE(a_servers_clock_is_compared_with_ours) {
    for (const auto ahead : {-2h, 0h, 3h}) {
        const auto outcome =
            ask("good", "/raw", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: " + http_date(ahead) + "\r\n\r\n");
        BOOST_REQUIRE(outcome.has_value());
        BOOST_TEST(std::chrono::abs(outcome->date_ahead - ahead) <= 30s);
    }
}

BOOST_AUTO_TEST_CASE(a_large_answer_is_taken_up_to_its_bound) {
    const auto size_of = [&](const std::string& path) { return body_of(ask("good", path)).size(); };
    const auto most = std::size_t{256} * 1024;
    const auto head = std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n").size();
    BOOST_TEST(size_of("/large/9000") == 9000u);
    BOOST_TEST(size_of("/large/" + std::to_string(most - head)) == most - head);
    BOOST_TEST(size_of("/large-chunked/204800") == 204800u);
    BOOST_TEST(arena->used(secret::Share::tokens) == 0u);
}

BOOST_AUTO_TEST_CASE(an_answer_over_its_bound_is_refused) {
    for (const auto* path : {"/large/262145", "/large/100000000", "/large/262144", "/large-chunked/300000000"}) {
        const auto outcome = ask("good", path);
        BOOST_TEST(failure_of(outcome).starts_with("The provider's answer is too large"), failure_of(outcome));
        BOOST_TEST(was_sent(outcome));
    }
    std::string head = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 200; ++i) head += "X-Header: " + std::string(90, 'x') + "\r\n";
    BOOST_TEST(
        failure_of(ask("good", "/raw", head + "\r\n")).starts_with("The header of the provider's answer is too large"));
    BOOST_TEST(failure_of(ask("good", "/raw", "HTTP/1.1 200 OK\r\nX: " + std::string(17000, 'x') + "\r\n\r\n"))
                   .starts_with("The header of the provider's answer is too large"));
}

BOOST_AUTO_TEST_CASE(what_is_not_a_plain_http_answer_is_refused) {
    for (const auto* raw :
         {"not HTTP at all\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.0 006 x\r\n\r\nold",
          "{\"access_token\":\"a\"}\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
        const auto outcome = ask("good", "/raw", raw);
        BOOST_TEST(failure_of(outcome).starts_with("The provider's answer is not HTTP"), failure_of(outcome) << raw);
        BOOST_TEST(was_sent(outcome));
    }
    for (const auto* header : {"Content-Encoding: gzip", "Content-Encoding: br, identity", "Transfer-Encoding: gzip",
                               "Transfer-Encoding: gzip, chunked"}) {
        const auto outcome = ask("good", "/raw", std::string("HTTP/1.1 200 OK\r\n") + header + "\r\n\r\nabc");
        BOOST_TEST(failure_of(outcome).starts_with("The provider's answer is compressed"), failure_of(outcome));
    }
    BOOST_TEST(body_of(ask("good", "/raw", "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n\r\nabc")) == "abc");
}

BOOST_AUTO_TEST_CASE(a_dropped_connection_says_after_how_much) {
    for (const auto* raw : {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", // by length
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
                            "HTTP/1.1 100 Continue\r\n\r\n"}) {
        for (const auto* path : {"/dropped", "/raw"}) {
            const auto outcome = ask("good", path, raw);
            BOOST_TEST(failure_of(outcome).starts_with("The provider dropped the connection before its answer was"));
            BOOST_TEST(
                failure_of(outcome).contains("after " + std::to_string(std::string_view(raw).size()) + " bytes"));
            BOOST_TEST(was_sent(outcome));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_body_that_ends_with_the_connection_must_end_in_good_order) {
    const auto* const raw = "HTTP/1.1 200 OK\r\n\r\naccess_token=cut-o";
    BOOST_TEST(body_of(ask("good", "/raw", raw)) == "access_token=cut-o");
    BOOST_TEST(failure_of(ask("good", "/dropped", raw)).starts_with("The provider dropped the connection"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound::test
