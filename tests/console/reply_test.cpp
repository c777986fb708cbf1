#define BOOST_TEST_DYN_LINK
#include "console/oauth_pages.hpp"
#include "console/reply.hpp"
#include "support/page_client.hpp"

#include <boost/test/unit_test.hpp>
#include <openssl/evp.h>

#include <array>

namespace {

using namespace credlease;
using console::Page;
using console::reply_with;
using secret::SecretBuffer;

/// What a policy names an inline style or script by.
std::string source_of(const std::string& text) {
    std::array<unsigned char, 32> digest{};
    EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    std::array<unsigned char, 45> encoded{};
    EVP_EncodeBlock(encoded.data(), digest.data(), digest.size());
    return "'sha256-" + std::string(reinterpret_cast<const char*>(encoded.data())) + "'";
}

std::string inside(const std::string& html, const std::string& tag) {
    const auto begin = html.find("<" + tag + ">") + tag.size() + 2;
    return html.substr(begin, html.find("</" + tag + ">") - begin);
}

BOOST_AUTO_TEST_SUITE(reply)

BOOST_AUTO_TEST_CASE(a_page_runs_and_shows_nothing_but_its_own) {
    const auto page = test::read_page(
        reply_with({.title = "T", .paragraphs = {"<script>alert('&\"')</script>"}, .closes_itself = true}).text);
    BOOST_TEST(page.status == 200U);
    const auto policy = page.header("Content-Security-Policy");
    BOOST_TEST(policy.starts_with("default-src 'none';"));
    BOOST_TEST(policy.find("style-src " + source_of(inside(page.body, "style")) + ";") != std::string::npos, policy);
    BOOST_TEST(policy.find("script-src " + source_of(inside(page.body, "script")) + ";") != std::string::npos, policy);
    BOOST_TEST(policy.find("frame-ancestors 'none'") != std::string::npos);
    BOOST_TEST(policy.find("unsafe") == std::string::npos);
    BOOST_TEST(page.says("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;"));
    BOOST_TEST(!page.says("http")); // nothing from elsewhere
    BOOST_TEST(page.header("Cache-Control") == "no-store");
    BOOST_TEST(page.header("Referrer-Policy") == "no-referrer");
    BOOST_TEST(page.header("X-Content-Type-Options") == "nosniff");
    BOOST_TEST(page.header("Content-Length") == std::to_string(page.body.size()));
    BOOST_TEST(test::read_page(reply_with({.title = "T"}, true).text).body.empty());
}

BOOST_AUTO_TEST_CASE(a_redirect_and_its_cookie_lie_in_the_arena_alone) {
    auto arena = secret::Arena::make({.size = std::size_t{1} << 20});
    BOOST_REQUIRE(arena.has_value());
    const auto copied = [&](std::string_view text) {
        return std::move(*SecretBuffer::copy(**arena, text, secret::Share::tokens));
    };
    const auto address = copied("https://provider.example/authorize?state=st-1");
    const auto value = copied("v-1");
    auto reply =
        console::redirect_to(address, {.name = "auth_1", .value = value, .path = "/oauth", .is_secure = true}, **arena);
    BOOST_REQUIRE(reply.has_value());
    BOOST_TEST(reply->text.starts_with("HTTP/1.1 302 Found\r\n"));
    BOOST_TEST(reply->text.find("st-1") == std::string::npos);
    BOOST_TEST(reply->text.find("v-1") == std::string::npos);
    reply->secret.expose([](std::span<const std::byte> bytes) {
        BOOST_TEST(secret::as_text(bytes) ==
                   "Location: https://provider.example/authorize?state=st-1\r\n"
                   "Set-Cookie: auth_1=v-1; Path=/oauth; Max-Age=600; HttpOnly; SameSite=Lax; Secure\r\n\r\n");
    });
    const auto without =
        console::redirect_to(address, {.name = "auth_1", .value = SecretBuffer(), .path = "/oauth"}, **arena);
    BOOST_REQUIRE(without.has_value());
    without->secret.expose([](std::span<const std::byte> bytes) {
        BOOST_TEST(secret::as_text(bytes).find("Cookie") == std::string_view::npos);
    });
}

BOOST_AUTO_TEST_CASE(who_is_not_known_is_told_nothing_of_a_credential) {
    using Kind = broker::BrowserTold::Kind;
    for (const auto kind : {Kind::unknown, Kind::other_browser, Kind::given_up}) {
        const auto page = test::read_page(
            reply_with(console::page_of({.kind = kind, .credential = "mine", .service = "Slack", .text = "why"})).text);
        BOOST_TEST(page.status >= 400U);
        BOOST_TEST(!page.says("mine"));
        BOOST_TEST(!page.says("Slack"));
        BOOST_TEST(!page.says("<script>"));
    }
    const auto connected = console::page_of({.kind = Kind::connected, .credential = "mine", .service = "Slack"});
    BOOST_TEST(connected.paragraphs.front() == "“mine” (Slack) is connected.");
    BOOST_TEST(connected.closes_itself);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
