#include "bad_requests.hpp"

#include "support/socket_client.hpp"

#include <string_view>

namespace credlease::tests {

using test::request_text;

std::string post(const std::string& headers, const std::string& body) {
    return "POST /v1/leases HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}

std::string chunked(const std::string& body, const std::string& headers) {
    return post("Transfer-Encoding: chunked\r\n" + headers, body);
}

std::vector<BadRequest> bad_heads() {
    const std::string nothing(1, '\0');
    return {
        {"no HTTP", "NONSENSE\r\n\r\n"},
        {"a TLS greeting", std::string("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\n\r\n", 14)},
        {"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        {"lines without CR", "GET /v1/status HTTP/1.1\nHost: x\n\n"},
        {"no Host", "GET /v1/status HTTP/1.1\r\n\r\n"},
        {"two Hosts", "GET /v1/status HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"},
        {"a folded header", "GET /v1/status HTTP/1.1\r\nHost: x\r\n y\r\n\r\n"},
        {"a space before the colon", "GET /v1/status HTTP/1.1\r\nHost : x\r\n\r\n"},
        {"a NUL in a header", "GET /v1/status HTTP/1.1\r\nHost: x" + nothing + "\r\n\r\n"},
        {"a NUL in the path", "GET /v1/sta" + nothing + "tus HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"an encoded NUL in the path", "GET /v1/leases/%00 HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"a dot segment", "GET /v1/../v1/status HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"raw UTF-8 in the path", "GET /v1/\xc3\xa4 HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"a target of another scheme", "GET https://credlease/v1/status HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"a target without a path", "GET http://credlease HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"a target with a user", "GET http://root@credlease/v1/status HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"an empty line before", "\r\nGET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"an upgrade", post("Upgrade: websocket\r\nConnection: upgrade\r\n")},
        {"an empty idempotency key", post("Idempotency-Key: \r\nContent-Length: 2\r\n", "{}")},
        {"a long idempotency key",
         post("Idempotency-Key: " + std::string(65, 'k') + "\r\nContent-Length: 2\r\n", "{}")},
        {"Basic authorization", post("Authorization: Basic YTpi\r\n"), 401, "unauthenticated"},
        {"two authorizations", post("Authorization: Bearer clg_a\r\nAuthorization: Bearer clg_b\r\n")},
        {"another media type", post("Content-Type: text/plain\r\nContent-Length: 2\r\n", "hi"), 415,
         "unsupported_media_type"},
        {"a header block above 16 KiB", post("X: " + std::string(16 * 1024, 'x') + "\r\n"), 431, "header_too_large"},
        {"a target without end", "GET /" + std::string(40'000, 'x'), 431, "header_too_large"},
    };
}

std::vector<BadRequest> smuggling() {
    const std::string second = request_text("GET", "/v1/status");
    return {
        {"a chunk longer than it says", chunked("1\r\n{}\r\n0\r\n\r\n") + second},
        {"a chunk shorter than it says", chunked("3\r\n{}\r\n0\r\n\r\n") + second},
        {"chunks without CR", chunked("2\n{}\n0\n\n") + second},
        {"a bare LF in an extension", chunked("2;\n\r\n{}\r\n0\r\n\r\n") + second},
        {"a signed size", chunked("+2\r\n{}\r\n0\r\n\r\n") + second},
        {"a size with a prefix", chunked("0x2\r\n{}\r\n0\r\n\r\n") + second},
        {"a space before the size", chunked(" 2\r\n{}\r\n0\r\n\r\n") + second},
        {"no size", chunked("\r\n{}\r\n0\r\n\r\n") + second},
        {"a last chunk without its empty line", chunked("2\r\n{}\r\n0\r\n") + second},
        {"a folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n") + second},
        {"chunked twice", chunked("0\r\n\r\n", "Transfer-Encoding: chunked\r\n") + second},
        {"chunked behind another coding", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n") + second},
        {"chunked in HTTP/1.0", "POST /v1/leases HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + second},
        {"length, then chunked", post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") + second},
        {"chunked, then length", post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", "0\r\n\r\n") + second},
        {"a disguised coding", post("Transfer-Encoding: xchunked\r\nContent-Length: 4\r\n", "0\r\n\r\n") + second},
        {"an identity coding", post("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "{}") + second},
        {"two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n", "{}") + second},
        {"the same length twice", post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}") + second},
        {"a list of lengths", post("Content-Length: 2, 2\r\n", "{}") + second},
        {"a signed length", post("Content-Length: +2\r\n", "{}") + second},
        {"a length beyond any number", post("Content-Length: 99999999999999999999999\r\n", "{}") + second},
        {"a negative length", post("Content-Length: -2\r\n", "{}") + second},
        {"a hexadecimal length", post("Content-Length: 0x2\r\n", "{}") + second},
    };
}

std::vector<BadRequest> unknown_places() {
    const auto on = Then::served_on;
    return {
        {"an unknown route", request_text("GET", "/v1/nothing"), 404, "not_found", on},
        {"a slash too many", request_text("GET", "/v1/status/"), 404, "not_found", on},
        {"a route in capitals", request_text("GET", "/V1/STATUS"), 404, "not_found", on},
        {"an empty part", request_text("GET", "/v1/leases//renew"), 404, "not_found", on},
        {"PUT where there is none", request_text("PUT", "/v1/leases", "{}"), 405, "method_not_allowed", on},
        {"DELETE where there is none", request_text("DELETE", "/v1/status"), 405, "method_not_allowed", on},
        {"TRACE", request_text("TRACE", "/v1/status"), 405, "method_not_allowed", on},
        {"a method of its own", request_text("LEASE", "/v1/leases"), 405, "method_not_allowed", on},
        {"an unknown query parameter", request_text("GET", "/v1/leases?colour=red"), 400, "invalid_request", on},
        {"a repeated one", request_text("GET", "/v1/leases?limit=1&limit=2"), 400, "invalid_request", on},
        {"a limit of 0", request_text("GET", "/v1/leases?limit=0"), 400, "invalid_request", on},
        {"a query that is no UTF-8", request_text("GET", "/v1/leases?limit=%ff%fe"), 400, "invalid_request", on},
        {"a cursor that was never given", request_text("GET", "/v1/leases?cursor=AAAA"), 400, "invalid_request", on},
        {"a lease that never was", request_text("DELETE", "/v1/leases/lease_01j00000000000000000000000"), 404,
         "lease_not_found", on},
        {"an id that is none", request_text("DELETE", "/v1/leases/..%2F..%2Fetc"), 404, "lease_not_found", on},
    };
}

std::vector<std::pair<std::string, std::string>> bad_bodies() {
    std::string wide = "{";
    for (int i = 0; i < 1000; ++i) wide += "\"m" + std::to_string(i) + "\":1,";
    wide += R"("m":1})";
    return {
        {"no JSON", "credential=wanted"},
        {"half an object", R"({"credential":"wanted")"},
        {"two objects", R"({"credential":"wanted"}{})"},
        {"a comma too many", R"({"credential":"wanted",})"},
        {"a comment", R"({"credential":"wanted"/* please */})"},
        {"not a number", R"({"credential":NaN})"},
        {"an array", R"(["wanted"])"},
        {"a text", R"("wanted")"},
        {"null", "null"},
        {"deep arrays", R"({"credential":)" + std::string(6000, '[') + std::string(6000, ']') + "}"},
        {"deep arrays without end", std::string(16'000, '[')},
        {"deep objects",
         [] {
             std::string text;
             for (int i = 0; i < 2000; ++i) text += R"({"a":)";
             return text + "1" + std::string(2000, '}');
         }()},
        {"an unknown member", R"({"credential":"wanted","colour":"red"})"},
        {"a thousand unknown members", wide},
        {"invalid UTF-8", "{\"credential\":\"wan\xff\xfeted\"}"},
        {"a cut UTF-8 sequence", "{\"credential\":\"wanted\xe2\x82\"}"},
        {"an overlong UTF-8 slash", "{\"credential\":\"\xc0\xaf\"}"},
        {"a raw NUL", std::string("{\"credential\":\"wan\0ted\"}", 24)},
        {"a raw NUL at the end", std::string("{\"credential\":\"wanted\"}\0", 24)},
        {"an escaped NUL", R"({"credential":"wan\u0000ted"})"},
        {"half a surrogate pair", R"({"credential":"\ud800"})"},
        {"a byte order mark", "\xef\xbb\xbf{\"credential\":\"wanted\"}"},
    };
}

std::vector<BadRequest> bad_leases() {
    std::vector<BadRequest> all;
    const auto add = [&](const std::string& what, const std::string& body) {
        all.push_back({what, request_text("POST", "/v1/leases", body), 400, "invalid_request", Then::served_on});
    };
    for (const auto& [what, body] : bad_bodies()) add(what, body);
    add("one member twice", R"({"credential":"wanted","credential":"wanted"})");
    add("one member twice, once escaped", R"({"credential":"wanted","credenti\u0061l":"wanted"})");
    add("no credential", "{}");
    add("a credential that is a number", R"({"credential":7})");
    add("a credential that is a list", R"({"credential":["wanted"]})");
    add("a credential that is null", R"({"credential":null})");
    add("a ttl that is a number", R"({"credential":"wanted","ttl":60})");
    add("a ttl without a unit", R"({"credential":"wanted","ttl":"60"})");
    add("a ttl beyond any time", R"({"credential":"wanted","ttl":"99999999999999999999d"})");
    add("a negative ttl", R"({"credential":"wanted","ttl":"-1s"})");
    add("fields that are a text", R"({"credential":"wanted","fields":"token"})");
    add("fields that are numbers", R"({"credential":"wanted","fields":[1,2]})");
    add("a purpose that is a text", R"({"credential":"wanted","purpose":"mine"})");
    add("an unknown member of purpose", R"({"credential":"wanted","purpose":{"colour":"red"}})");
    add("a bind of its own", R"({"credential":"wanted","bind":"thread"})");
    return all;
}

} // namespace credlease::tests
