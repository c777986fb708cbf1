#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/page_client.hpp"

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;
using test::get_page;
using test::PageAnswer;
using test::target_of;

namespace {

/// A broker whose pages are on a port of the test's own, and one browser that comes to them.
struct PagesHouse : OAuthHouse {
    std::uint16_t port;

    explicit PagesHouse(const object& settings = {}, const std::string& more = {})
        : PagesHouse(test::free_port(), settings, more) {}
    PagesHouse(std::uint16_t at, const object& settings, const std::string& more)
        : OAuthHouse(settings, {}, "callback = \"127.0.0.1:" + std::to_string(at) + "\"\n" + more), port(at) {}

    /// A credential of that name is being authorized.
    Answered begin(const std::string& name) {
        auto begun = authorize({{"credential", store(name)}});
        BOOST_REQUIRE_EQUAL(begun.status, 201U);
        return begun;
    }
    [[nodiscard]] PageAnswer open_start(const Answered& begun) const {
        return get_page(port, {.target = target_of(text(begun.json, "start_url"))});
    }
    /// Where the provider sends the browser that `started` sent to it.
    [[nodiscard]] static std::string redirected(const PageAnswer& started) { return visit(started.header("Location")); }
    [[nodiscard]] PageAnswer come_back(const std::string& address, const std::string& cookie) const {
        return get_page(port, {.target = target_of(address), .cookie = cookie});
    }
    [[nodiscard]] boost::json::value look(const Answered& begun) {
        return ask(client, "GET", "/v1/oauth/authorizations/" + text(begun.json, "id")).json;
    }
    [[nodiscard]] std::string state_of(const Answered& begun) { return text(look(begun), "state"); }
    [[nodiscard]] bool is_listening() const { return test::LoopbackSocket(port).is_connected(); }
};

} // namespace

BOOST_AUTO_TEST_SUITE(callback)

BOOST_AUTO_TEST_CASE(a_browser_that_the_start_page_sent_on_ends_the_authorization_by_itself) {
    PagesHouse house;
    BOOST_TEST(!house.is_listening());
    const auto begun = house.begin("<b>mine</b>");
    const auto place = "http://127.0.0.1:" + std::to_string(house.port) + "/oauth/";
    BOOST_TEST(house.text(begun.json, "start_url") == place + "start/" + house.text(begun.json, "id"));
    BOOST_TEST(house.text(begun.json, "redirect_uri") == place + "callback");
    const auto started = house.open_start(begun);
    BOOST_TEST(started.status == 302U);
    BOOST_TEST(started.header("Location") == house.text(begun.json, "authorize_url"));
    const auto cookie = started.header("Set-Cookie");
    BOOST_TEST(cookie.starts_with(house.text(begun.json, "id") + "="));
    BOOST_TEST(cookie.ends_with("; Path=/oauth; Max-Age=600; HttpOnly; SameSite=Lax"));

    const auto page = house.come_back(house.redirected(started), started.cookie());
    BOOST_TEST(page.status == 200U);
    BOOST_TEST(page.says("<h1>Connected</h1>"));
    BOOST_TEST(page.says("&lt;b&gt;mine&lt;/b&gt;"));
    BOOST_TEST(!page.says("<b>mine"));
    BOOST_TEST(page.header("Cache-Control") == "no-store");
    BOOST_TEST(page.header("Referrer-Policy") == "no-referrer");
    BOOST_TEST(page.header("Content-Security-Policy").starts_with("default-src 'none';"));
    BOOST_TEST(house.state_of(begun) == "connected");
    BOOST_TEST(!house.token_of("<b>mine</b>").empty());
    BOOST_TEST(!house.is_listening()); // nothing is pending any more
}

BOOST_AUTO_TEST_CASE(only_the_browser_that_began_finishes_and_a_state_counts_once) {
    PagesHouse house;
    const auto begun = house.begin("one");
    const auto other = house.begin("other"); // keeps the pages open
    const auto started = house.open_start(begun);
    const auto address = house.redirected(started);
    const auto elsewhere = house.open_start(other).cookie();
    const auto of_one = started.cookie().substr(0, started.cookie().find('='));
    for (const auto& cookie :
         {std::string(), elsewhere, of_one + "=", of_one + elsewhere.substr(elsewhere.find('='))}) {
        const auto page = house.come_back(address, cookie);
        BOOST_TEST(page.status == 403U, cookie);
        BOOST_TEST(page.says("Not in this browser"));
        BOOST_TEST(!page.says("“one”"));
    }
    BOOST_TEST(house.state_of(begun) == "pending");
    BOOST_TEST(house.provider.token_requests().empty());

    const auto both = elsewhere + "; theme=dark; " + started.cookie();
    BOOST_TEST(house.come_back(address, both).says("<h1>Connected</h1>"));
    const auto again = house.come_back(address, both);
    BOOST_TEST(again.status == 410U);
    BOOST_TEST(again.says("was used already"));
    BOOST_TEST(house.provider.token_requests().size() == 1U);
    // Without the cookie it is as unknown as any other.
    const auto stranger = house.come_back(address, {});
    const auto unknown = house.come_back("http://x/oauth/callback?code=c&state=s", both);
    BOOST_TEST(stranger.status == 404U);
    BOOST_TEST(stranger.body == unknown.body);
    BOOST_TEST(house.state_of(other) == "pending");
}

BOOST_AUTO_TEST_CASE(a_start_page_is_for_the_first_browser_and_a_second_one_ends_it) {
    PagesHouse house;
    const auto begun = house.begin("mine");
    const auto other = house.begin("other");
    const auto target = target_of(house.text(begun.json, "start_url"));
    BOOST_TEST(get_page(house.port, {.target = target, .method = "HEAD"}).status == 200U); // a look uses nothing up
    const auto first = house.open_start(begun);
    BOOST_TEST(first.status == 302U);
    const auto reloaded = get_page(house.port, {.target = target, .cookie = first.cookie()});
    BOOST_TEST(reloaded.status == 302U);
    BOOST_TEST(reloaded.header("Set-Cookie").empty());
    const auto address = house.redirected(reloaded);
    const auto second = house.open_start(begun);
    BOOST_TEST(second.status == 403U);
    BOOST_TEST(second.header("Set-Cookie").empty());
    BOOST_TEST(second.says("was given up"));
    BOOST_TEST(house.state_of(begun) == "failed");
    const auto page = house.come_back(address, first.cookie());
    BOOST_TEST(page.status == 410U);
    BOOST_TEST(page.says("second browser"));
    BOOST_TEST(house.provider.token_requests().empty());
    BOOST_TEST(get_page(house.port, {.target = "/oauth/start/auth_01jd0000000000000000000000"}).status == 404U);
    BOOST_TEST(house.state_of(other) == "pending");
}

BOOST_AUTO_TEST_CASE(what_the_provider_refuses_and_what_has_ended_is_said_in_plain_words) {
    PagesHouse house;
    house.provider.misbehave({{"do", "error"}, {"endpoint", "authorize"}, {"error", "access_denied"}});
    const auto begun = house.begin("mine");
    const auto started = house.open_start(begun);
    const auto page = house.come_back(house.redirected(started), started.cookie());
    BOOST_TEST(page.status == 400U);
    BOOST_TEST(page.says("<h1>Not connected</h1>"));
    BOOST_TEST(page.says("The provider refused: "));
    BOOST_TEST(!page.says("<script>"));
    BOOST_TEST(house.state_of(begun) == "failed");

    const auto given_up = house.begin("given up");
    const auto other = house.begin("other");
    const auto open = house.open_start(given_up);
    const auto address = house.redirected(open);
    const auto path = "/v1/oauth/authorizations/" + house.text(given_up.json, "id");
    BOOST_TEST(ask(house.client, "DELETE", path).status == 204U);
    BOOST_TEST(house.come_back(address, open.cookie()).says("It was given up."));

    // Who began it may change a credential no more that is gone.
    const auto gone = house.begin("gone");
    const auto last = house.open_start(gone);
    const auto back = house.redirected(last);
    const auto credential = house.text(house.look(gone), "credential");
    BOOST_TEST(ask(house.client, "DELETE", "/v1/credentials/" + credential + "?force=true").status < 300U);
    const auto refused = house.come_back(back, last.cookie());
    BOOST_TEST(refused.says("<h1>Not accepted</h1>"), refused.body);
    BOOST_TEST(house.provider.token_requests().empty());
    BOOST_TEST(house.state_of(other) == "pending");
}

BOOST_AUTO_TEST_CASE(a_request_that_names_another_host_is_not_answered) {
    PagesHouse house;
    const auto begun = house.begin("mine");
    const auto target = target_of(house.text(begun.json, "start_url"));
    for (const auto* host : {"evil.example", "127.0.0.1", "localhost:7466", "127.0.0.1:1", "broker.example.org"}) {
        const auto page = get_page(house.port, {.target = target, .host = host});
        BOOST_TEST(page.status == 421U, host);
        BOOST_TEST(page.header("Location").empty());
    }
    BOOST_TEST(house.open_start(begun).status == 302U);
    BOOST_TEST(get_page(house.port, {.target = target, .method = "POST"}).status == 405U);
    BOOST_TEST(get_page(house.port, {.target = "/v1/status"}).status == 404U);
}

BOOST_AUTO_TEST_CASE(behind_the_operator_s_proxy_the_pages_are_the_public_ones) {
    const std::string config = "public_url = \"https://broker.example.org/credlease/\"\n"
                               "redirect_uris = [\"https://flows.example.org/rest/oauth\"]\n";
    PagesHouse house({}, config);
    const auto begun = house.begin("mine");
    const std::string place = "https://broker.example.org/credlease/oauth/";
    BOOST_TEST(house.text(begun.json, "start_url") == place + "start/" + house.text(begun.json, "id"));
    BOOST_TEST(house.text(begun.json, "redirect_uri") == place + "callback");
    const auto target = target_of(house.text(begun.json, "start_url"));
    const auto started = get_page(house.port, {.target = target, .host = "Broker.Example.org:443"});
    BOOST_TEST(started.status == 302U);
    BOOST_TEST(
        started.header("Set-Cookie").ends_with("; Path=/credlease/oauth; Max-Age=600; HttpOnly; SameSite=Lax; Secure"));
    const auto address = house.redirected(started);
    BOOST_TEST(address.starts_with(place + "callback?"));
    // This proxy takes the path away, and names us.
    const auto page =
        house.come_back(address.substr(std::string("https://broker.example.org/credlease").size()), started.cookie());
    BOOST_TEST(page.status == 404U); // no path at all
    const auto stripped = "http://x" + address.substr(std::string("https://broker.example.org/credlease").size());
    BOOST_TEST(house.come_back(stripped, started.cookie()).says("<h1>Connected</h1>"));

    // An engine's own redirect has no start page, and does not come here.
    const auto id = house.store("engine's");
    const auto own = house.authorize({{"credential", id}, {"redirect_uri", "https://flows.example.org/rest/oauth"}});
    BOOST_REQUIRE_EQUAL(own.status, 201U);
    BOOST_TEST(own.json.as_object().if_contains("start_url") == nullptr);
    BOOST_TEST(!house.is_listening());
    BOOST_TEST(house.authorize({{"credential", house.store("x")}, {"redirect_uri", "https://x.example/"}}).status ==
               400U);
}

BOOST_AUTO_TEST_CASE(where_the_port_is_taken_whoever_begins_is_told_and_pastes_the_address) {
    PagesHouse house;
    const int taken = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(house.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_REQUIRE(::bind(taken, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    BOOST_REQUIRE(::listen(taken, 1) == 0);
    const auto begun = house.begin("mine");
    BOOST_TEST(begun.json.as_object().if_contains("start_url") == nullptr);
    const auto problem = house.text(begun.json, "callback_problem");
    BOOST_TEST(problem.find("127.0.0.1:" + std::to_string(house.port)) != std::string::npos, problem);
    BOOST_TEST(problem.find("Paste the address") != std::string::npos, problem);
    const auto done = house.complete(begun, house.visit(house.text(begun.json, "authorize_url")));
    BOOST_TEST(house.text(done.json, "state") == "connected");

    const auto second = house.begin("second");
    ::close(taken);
    const auto again = house.authorize({{"credential", second.json.at("credential")}});
    BOOST_TEST(house.text(again.json, "id") == house.text(second.json, "id"));
    BOOST_TEST(house.open_start(again).status == 302U); // by now it listens
}

BOOST_AUTO_TEST_CASE(a_pasted_address_ends_what_a_browser_began_too) {
    PagesHouse house;
    const auto begun = house.begin("mine");
    const auto address = house.redirected(house.open_start(begun));
    BOOST_TEST(house.text(house.complete(begun, address).json, "state") == "connected");
    BOOST_TEST(!house.is_listening());
}

BOOST_AUTO_TEST_CASE(who_seals_or_stops_meanwhile_closes_the_pages_and_answers_whom_they_serve) {
    PagesHouse house;
    const auto begun = house.begin("mine");
    const auto started = house.open_start(begun);
    const auto address = house.redirected(started);
    const test::LoopbackSocket waiting(house.port);
    BOOST_REQUIRE(waiting.is_connected());
    BOOST_TEST(house.open_start(begun).status == 403U); // the accept before this one is done with

    const auto next = house.authorize({{"credential", begun.json.at("credential")}});
    const auto open = house.open_start(next);
    const auto back = house.redirected(open);
    BOOST_TEST(ask(house.client, "POST", "/v1/seal").status < 300U);
    BOOST_TEST(!house.is_listening());
    BOOST_TEST(waiting.send(test::text_of(house.port, {.target = target_of(back), .cookie = open.cookie()})));
    const auto page = test::read_page(waiting.read_all());
    BOOST_TEST(page.status == 503U);
    BOOST_TEST(ask(house.client, "POST", "/v1/unseal").status < 300U);

    // A stop waits for the provider, and the browser is told.
    const auto last = house.authorize({{"credential", begun.json.at("credential")}});
    const auto slow = house.open_start(last);
    const auto slow_back = house.redirected(slow);
    house.provider.misbehave({{"do", "slow"}, {"after_ms", 1000}});
    const test::LoopbackSocket browser(house.port);
    BOOST_TEST(browser.send(test::text_of(house.port, {.target = target_of(slow_back), .cookie = slow.cookie()})));
    BOOST_TEST(house.provider.wait_for_token_requests(1));
    BOOST_TEST((house.daemon.stop() == 0));
    BOOST_TEST(test::read_page(browser.read_all()).says("<h1>Connected</h1>"));
}

BOOST_AUTO_TEST_SUITE_END()
