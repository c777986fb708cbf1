#define BOOST_TEST_DYN_LINK
#include "journeys/oauth_house.hpp"
#include "promises/memory_scan.hpp"
#include "support/page_client.hpp"

#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

/// The value of a query's parameter, as it is spelled there.
std::string parameter(const std::string& address, const std::string& name) {
    const auto begin = address.find(name + "=") + name.size() + 1;
    return address.substr(begin, address.find_first_of("&#", begin) - begin);
}

std::string found_of(const Daemon& daemon, const std::string& secret) {
    std::string places;
    for (int i = 0; i < 50; ++i, std::this_thread::sleep_for(20ms)) { // other threads are done with it a moment later
        places.clear();
        for (const auto& place : find_in_memory(daemon.pid(), traces_of(secret))) places += place + '\n';
        if (places.empty()) break;
    }
    return places;
}

} // namespace

BOOST_AUTO_TEST_CASE(neither_code_nor_state_nor_cookie_is_in_readable_memory_once_a_browser_was_answered) {
    if (::geteuid() != 0) {
        BOOST_TEST_MESSAGE("skipped: only root reads another process's memory");
        return;
    }
    const auto port = test::free_port();
    OAuthHouse house({}, "[memory]\narena = \"mlock\"\n", "callback = \"127.0.0.1:" + std::to_string(port) + "\"\n");
    const auto begin = [&](const std::string& name) {
        const auto begun = house.authorize({{"credential", house.store(name)}});
        return test::get_page(port, {.target = test::target_of(house.text(begun.json, "start_url"))});
    };
    const auto started = begin("mine");
    const auto state = parameter(started.header("Location"), "state");
    // While it is pending it lies in the arena: the scan can find it.
    BOOST_TEST(!find_in_memory(house.daemon.pid(), traces_of(state)).empty());
    const auto address = house.visit(started.header("Location"));
    const auto code = parameter(address, "code");
    const auto cookie = started.cookie().substr(started.cookie().find('=') + 1);
    const auto page = test::get_page(port, {.target = test::target_of(address), .cookie = started.cookie()});
    BOOST_REQUIRE(page.says("<h1>Connected</h1>"));

    // What is refused leaves nothing either.
    const auto other = begin("other");
    const auto back = house.visit(other.header("Location"));
    BOOST_TEST(test::get_page(port, {.target = test::target_of(back), .host = "evil.example"}).status == 421U);
    BOOST_TEST(test::get_page(port, {.target = test::target_of(back), .cookie = "auth_x=" + cookie}).status == 403U);
    for (const auto& secret : {state, code, cookie, parameter(back, "code")}) {
        const auto places = found_of(house.daemon, secret);
        BOOST_TEST(places.empty(), places);
    }
}
