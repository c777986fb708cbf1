#define BOOST_TEST_DYN_LINK
#include "http/head.hpp"
#include "support/allocations.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <string>

namespace {

using namespace credlease;
using http::find_head;
using http::Method;
using http::read_head;
using result::ErrorCode;

std::string head_with(const std::string& headers) {
    return "GET /v1/status HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

void refuses(const std::string& block, ErrorCode code = ErrorCode::invalid_request, std::string_view field = {}) {
    const auto head = read_head(block);
    BOOST_TEST_CONTEXT("head: " << block) {
        BOOST_REQUIRE(!head.has_value());
        BOOST_TEST(name_of(head.error().code) == name_of(code));
        BOOST_TEST(head.error().field.text() == field);
        BOOST_TEST(!head.error().sentence.view().empty());
    }
}

void refuses_header(const std::string& header, std::string_view field = {}) {
    refuses(head_with(header + "\r\n"), ErrorCode::invalid_request, field);
}

BOOST_AUTO_TEST_SUITE(http_head)

BOOST_AUTO_TEST_CASE(the_end_of_a_head_is_found_as_soon_as_it_has_come) {
    const std::string text = head_with("A: b\r\n");
    for (std::size_t size = 0; size < text.size(); ++size) {
        const auto found = find_head(std::string_view(text).substr(0, size));
        BOOST_REQUIRE(found.has_value());
        BOOST_REQUIRE(!found->has_value());
    }
    BOOST_TEST((**find_head(text) == text.size()));
    BOOST_TEST((**find_head(text + "{\"body\":\n\n}") == text.size()));
}

BOOST_AUTO_TEST_CASE(bare_line_feeds_folded_headers_and_empty_beginnings_are_refused) {
    for (const auto* text :
         {"GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nHost: x\n", "\nGET", "\r\nGET / HTTP/1.1",
          "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n", "GET / HTTP/1.1\r\n\tfolded\r\n\r\n"}) {
        const auto found = find_head(text);
        BOOST_TEST(!found.has_value(), text);
    }
}

BOOST_AUTO_TEST_CASE(a_head_is_read_in_place_without_an_allocation) {
    const std::string text = "PATCH /v1/credentials/cred_1?force=true HTTP/1.1\r\nhost: credlease\r\n"
                             "Authorization: Bearer clg_0123456789\r\nIdempotency-Key: 0123456789012345678901\r\n"
                             "Content-Type: application/json; charset=utf-8\r\nContent-Length: 12\r\n"
                             "Credlease-Actor: user:alice\r\nIf-Match: \"41\"\r\nLast-Event-ID: 3.1\r\n"
                             "User-Agent: x\r\nAccept: */*\r\nX-Long: 0123456789012345678901234567890123456789\r\n\r\n";
    const auto before = test::allocations();
    const auto head = read_head(text);
    BOOST_TEST(test::allocations() == before);
    BOOST_REQUIRE(head.has_value());
    BOOST_TEST((head->method == Method::patch));
    BOOST_TEST(head->path == "/v1/credentials/cred_1");
    BOOST_TEST(head->query == "force=true");
    BOOST_TEST(head->grant == "clg_0123456789");
    BOOST_TEST(head->actor == "user:alice");
    BOOST_TEST(head->idempotency_key == "0123456789012345678901");
    BOOST_TEST(head->if_match == "\"41\"");
    BOOST_TEST(head->last_event_id == "3.1");
    BOOST_TEST(head->content_length == 12U);
    BOOST_TEST(head->keep_alive);
    BOOST_TEST((head->path.data() > text.data() && head->grant.data() < text.data() + text.size()));
}

BOOST_AUTO_TEST_CASE(methods_are_told_apart) {
    const auto method = [](const std::string& name) {
        return read_head(name + " / HTTP/1.1\r\nHost: x\r\n\r\n")->method;
    };
    BOOST_TEST((method("GET") == Method::get && method("POST") == Method::post && method("PUT") == Method::put));
    BOOST_TEST((method("DELETE") == Method::del && method("PATCH") == Method::patch));
    BOOST_TEST((method("OPTIONS") == Method::other && method("get") == Method::other && method("X") == Method::other));
    BOOST_TEST(read_head("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")->without_body);
}

BOOST_AUTO_TEST_CASE(what_is_not_http_is_refused) {
    for (const auto* text :
         {"GET / HTTP/1.1\r\n: x\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n",
          "GET / HTTP/2.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n",
          " GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\x01z\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\rz\r\n\r\n",
          "GET / HTTP/1.1\r\nHo(st: a\r\n\r\n", "GET / HTTP/1.1\r\nnonsense\r\n\r\n", "\x16\x03\x01\r\n\r\n"}) {
        refuses(text);
    }
    refuses(std::string("GET / HTTP/1.1\r\nHost: a\0z\r\n\r\n", 29));
    refuses(std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28));
}

BOOST_AUTO_TEST_CASE(headers_that_would_be_ambiguous_twice_are_refused) {
    refuses_header("Content-Length: 2\r\nContent-Length: 2", "Content-Length");
    refuses_header("Authorization: Bearer a\r\nauthorization: Bearer a", "authorization");
    refuses_header("Idempotency-Key: a\r\nIdempotency-Key: a", "Idempotency-Key");
    refuses_header("Credlease-Actor: a\r\nCREDLEASE-ACTOR: a", "CREDLEASE-ACTOR");
    refuses_header("If-Match: a\r\nIf-Match: a", "If-Match");
    refuses_header("Host: x", "Host");
    refuses_header("Content-Type: application/json\r\nContent-Type: application/json", "Content-Type");
}

BOOST_AUTO_TEST_CASE(only_a_plain_content_length_frames_a_body) {
    for (const auto* value : {"", "-1", "+1", "0x10", "1 2", "1,1", "1, 1", "12a", "1.0"}) {
        const auto head = read_head(head_with("Content-Length: " + std::string(value) + "\r\n"));
        BOOST_TEST(!head.has_value(), value);
    }
    BOOST_TEST(read_head(head_with("Content-Length: 18446744073709551615\r\n"))->content_length == SIZE_MAX);
}

BOOST_AUTO_TEST_CASE(of_the_transfer_codings_chunked_alone_is_taken_and_never_with_a_length) {
    BOOST_TEST(read_head(head_with("Transfer-Encoding: Chunked\r\n"))->chunked);
    BOOST_TEST(!read_head(head_with("Content-Length: 2\r\n"))->chunked);
    for (const auto* coding : {"", "gzip", "identity", "gzip, chunked", "chunked, chunked", "chunked, gzip",
                               "chunked;q=1", "xchunked", "\"chunked\"", "chunked,"}) {
        refuses_header("Transfer-Encoding: " + std::string(coding), "Transfer-Encoding");
    }
    refuses_header("Content-Length: 2\r\nTransfer-Encoding: chunked");
    refuses_header("Transfer-Encoding: chunked\r\nContent-Length: 2");
    refuses_header("Transfer-Encoding: chunked\r\nContent-Length: 0");
    refuses_header("Transfer-Encoding: chunked\r\nX: y\r\nContent-Length: a");
    refuses("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", ErrorCode::invalid_request, "Transfer-Encoding");
    refuses(head_with("Transfer-Encoding: chunked\r\nContent-Type: text/plain\r\n"), ErrorCode::unsupported_media_type);
}

BOOST_AUTO_TEST_CASE(upgrades_and_unknown_expectations_are_refused) {
    refuses_header("Upgrade: h2c", "Upgrade");
    refuses_header("Expect: a-miracle", "Expect");
    BOOST_TEST(read_head(head_with("Expect: 100-Continue\r\n"))->expects_continue);
    BOOST_TEST(!read_head("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")->expects_continue);
}

BOOST_AUTO_TEST_CASE(an_authorization_that_is_no_grant_is_no_identity) {
    for (const auto* value : {"", "Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "clg_token", "Bearer\tx"}) {
        refuses(head_with("Authorization: " + std::string(value) + "\r\n"), ErrorCode::unauthenticated);
    }
    refuses(head_with("Authorization: Bearer " + std::string(257, 'x') + "\r\n"), ErrorCode::unauthenticated);
    BOOST_TEST(read_head(head_with("Authorization: Bearer " + std::string(256, 'x') + "\r\n"))->grant.size() == 256U);
}

BOOST_AUTO_TEST_CASE(keys_and_actors_are_bounded) {
    refuses_header("Idempotency-Key:", "Idempotency-Key");
    refuses_header("Idempotency-Key: " + std::string(65, 'k'), "Idempotency-Key");
    BOOST_TEST(read_head(head_with("Idempotency-Key: " + std::string(64, 'k') + "\r\n")).has_value());
    refuses_header("Credlease-Actor:", "Credlease-Actor");
}

BOOST_AUTO_TEST_CASE(a_body_must_be_said_to_be_json_or_not_said_to_be_anything) {
    const auto with_type = [](const std::string& type) {
        return head_with("Content-Length: 2\r\nContent-Type: " + type + "\r\n");
    };
    for (const auto* type :
         {"text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "application"}) {
        refuses(with_type(type), ErrorCode::unsupported_media_type);
    }
    for (const auto* type :
         {"application/json", "Application/JSON", "application/json;charset=utf-8", "application/json ; x=y"}) {
        BOOST_TEST(read_head(with_type(type)).has_value(), type);
    }
    BOOST_TEST(read_head(head_with("Content-Length: 2\r\n")).has_value());
    BOOST_TEST(read_head(head_with("Content-Type: text/plain\r\n")).has_value());
}

BOOST_AUTO_TEST_CASE(http_11_names_its_host_and_http_10_closes) {
    refuses("GET / HTTP/1.1\r\n\r\n", ErrorCode::invalid_request, "Host");
    BOOST_TEST(!read_head("GET / HTTP/1.0\r\n\r\n")->keep_alive);
    BOOST_TEST(!read_head("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->keep_alive);
    BOOST_TEST(!read_head(head_with("Connection: x, Close\r\n"))->keep_alive);
    BOOST_TEST(read_head(head_with("Connection: keep-alive\r\n"))->keep_alive);
}

BOOST_AUTO_TEST_CASE(at_most_64_headers_are_taken) {
    std::string headers;
    for (int i = 1; i < 64; ++i) headers += "A: b\r\n";
    BOOST_TEST(read_head(head_with(headers)).has_value());
    refuses(head_with(headers + "A: b\r\n"), ErrorCode::header_too_large);
}

BOOST_AUTO_TEST_CASE(whatever_comes_is_read_within_its_bytes_or_refused) {
    const std::string good = "POST /v1/leases?x=%20 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer clg_1\r\n"
                             "Content-Length: 12\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    constexpr std::string_view pieces("\r\n\t :%/?,.\0\x7f\xff"
                                      "0aZ",
                                      17);
    std::mt19937 random(7466); // the same cases every time
    std::size_t read = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text = good;
        for (unsigned k = random() % 4; k < 4; ++k) {
            const std::size_t at = random() % text.size();
            const char piece = pieces[random() % pieces.size()];
            if (k == 1)
                text.erase(at, random() % 8);
            else if (k == 2)
                text.insert(at, 1, piece);
            else
                text[at] = piece;
        }
        const auto found = find_head(text);
        if (!found || !*found) continue;
        BOOST_REQUIRE(**found <= text.size());
        const std::string block = text.substr(0, **found); // so that a byte past it would be past the allocation
        const auto head = read_head(block);
        if (!head) continue;
        ++read;
        for (const auto view : {head->path, head->query, head->grant}) {
            BOOST_REQUIRE((view.empty() ||
                           (view.data() >= block.data() && view.data() + view.size() <= block.data() + block.size())));
        }
        BOOST_REQUIRE(head->path.starts_with('/'));
    }
    BOOST_TEST(read > 100U);
}

BOOST_AUTO_TEST_CASE(of_a_browser_s_request_only_what_a_page_needs_is_looked_at) {
    const std::string block = head_with("Cookie: a=1; b=2\r\nAuthorization: Basic eDp5\r\nUpgrade: h2c\r\n"
                                        "Content-Type: text/plain\r\nContent-Length: 1\r\n");
    BOOST_TEST(!read_head(block).has_value());
    const auto head = read_head(block, http::Sender::browser);
    BOOST_REQUIRE(head.has_value());
    BOOST_TEST(head->host == "x");
    BOOST_TEST(head->cookie == "a=1; b=2");
    BOOST_TEST(head->grant.empty());
    BOOST_TEST(head->content_length == 1U);
    for (const auto* twice : {"Host: y\r\n", "Cookie: a\r\nCookie: b\r\n"}) {
        BOOST_TEST(!read_head(head_with(twice), http::Sender::browser).has_value(), twice);
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
