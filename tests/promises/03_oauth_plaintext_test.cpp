#define BOOST_TEST_DYN_LINK
#include "promises/memory_scan.hpp"
#include "promises/oauth_life.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

using Find = std::function<std::vector<std::string>(pid_t, const std::vector<std::string>&)>;

constexpr int patience = 10; ///< looks, until whatever was under way has ended

std::string listed(std::vector<std::string> found) {
    if (found.size() > 20) found.resize(20);
    std::string text;
    for (const auto& each : found) text += each + '\n';
    return text;
}

std::vector<std::string> left_behind(const Find& find, pid_t pid, const std::vector<std::string>& traces) {
    std::vector<std::string> found;
    for (int i = 0; i < patience; ++i) {
        std::this_thread::sleep_for(200ms);
        found = find(pid, traces);
        if (found.empty()) break;
    }
    return found;
}

void check_life(OAuthLife& life, const Find& find) {
    life.live([&](const char* after) {
        const auto found = left_behind(find, life.daemon().pid(), life.traces());
        BOOST_TEST_CONTEXT("after " << after) BOOST_TEST(found.empty(), listed(found));
    });
}

/// What waits for a person lies in the arena, and there it must be found.
void check_planted(OAuthLife& life, const Find& find) {
    const auto begun = life.say("POST", "/v1/oauth/authorizations", {{"credential", life.store("planted", "")}});
    BOOST_REQUIRE_EQUAL(begun.status, 201U);
    const std::string url(begun.json.at("authorize_url").as_string());
    const auto state = url.substr(url.find("state=") + 6, 40);
    BOOST_TEST(!find(life.daemon().pid(), traces_of(state)).empty());
}

} // namespace

// Two cases of one promise: what root sees from outside, and what lies in memory that nobody sees from there.
BOOST_AUTO_TEST_SUITE(oauth_plaintext)

BOOST_AUTO_TEST_CASE(no_token_code_or_secret_is_in_memory_that_root_can_read) {
    if (::geteuid() != 0) {
        BOOST_TEST_MESSAGE("skipped: only root reads another process's memory");
        return;
    }
    OAuthLife life({.config = "[memory]\narena = \"mlock\"\n"});
    check_life(life, find_in_memory);
    check_planted(life, find_in_memory);
}

BOOST_AUTO_TEST_CASE(no_token_code_or_secret_is_in_memory_that_only_the_process_can_read) {
    InProcessWalk walk;
    OAuthLife life(walk.setup(""));
    if (!life.daemon().log().contains("memfd_secret")) {
        BOOST_TEST_MESSAGE("skipped: the kernel has no memfd_secret");
        return;
    }
    const Find find = [&](pid_t pid, const auto& traces) { return walk.find(pid, traces); };
    check_life(life, find);
    check_planted(life, find);
}

BOOST_AUTO_TEST_SUITE_END()
