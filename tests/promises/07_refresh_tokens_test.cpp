#define BOOST_TEST_DYN_LINK
#include "refresh_house.hpp"
#include "support/socket_client.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

/// The named steps of a refresh, in order (runtime/crash_point.hpp).
struct Step {
    const char* name;
    bool is_asked; ///< the provider has processed the request
    bool is_known; ///< its answer is durable, or no intent is: nothing is in doubt
};
constexpr std::array steps = {
    Step{"before intent", false, true}, Step{"intent staged", false, true},   Step{"intent durable", false, false},
    Step{"request sent", true, false},  Step{"answer read", true, false},     Step{"tokens staged", true, false},
    Step{"tokens durable", true, true}, Step{"before the event", true, true}, Step{"before the answer", true, true}};

/// A daemon that dies where it is told to.
class CrashHouse : public RefreshHouse {
  public:
    explicit CrashHouse(int seconds)
        : RefreshHouse(seconds,
                       {.environment = {{"CREDLEASE_CRASH_POINT", armed().native()}}, .program = crashing_program()}) {}
    ~CrashHouse() { std::filesystem::remove(armed()); }
    CrashHouse(const CrashHouse&) = delete;
    CrashHouse& operator=(const CrashHouse&) = delete;

    /// Refreshes it, dies at the step, and starts again.
    void crash(const Connected& one, const Step& step) {
        std::ofstream(armed()) << step.name;
        test::SocketClient asker(daemon.admin_socket()); // it connects once, and does not try again
        BOOST_TEST(!asker.ask("POST", "/v1/credentials/" + one.id + "/refresh", "{}").has_value(), step.name);
        BOOST_REQUIRE_MESSAGE(daemon.wait_for_death(), one.name << " did not die");
        if (step.is_asked) BOOST_TEST(wait_for_requests(one, 2)); // it was on its way
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    }

  private:
    static std::filesystem::path armed() {
        return std::filesystem::temp_directory_path() / ("credlease-crash-point-" + std::to_string(::getpid()));
    }
};

std::string reason_of(CrashHouse& house, const CrashHouse::Connected& one) {
    return std::string(house.show(one).at("status_reason").as_string());
}

/// Nothing is lost, and no token is used twice.
void check_saved(CrashHouse& house, const CrashHouse::Connected& one) {
    BOOST_TEST(house.becomes(one, "active"), one.name << ": " << boost::json::serialize(house.show(one)));
    BOOST_TEST(!house.token_of(one).empty(), one.name);
    const auto refreshed = house.refresh(one);
    BOOST_TEST(refreshed.status == 200U, one.name << ": " << refreshed.code);
    BOOST_TEST(house.requests(one, "spent").empty(), one.name);
    BOOST_TEST(house.requests(one, "revoked").empty(), one.name);
}

/// The grant is lost, and the credential says so; its token was used once more, and never again.
void check_lost(CrashHouse& house, const CrashHouse::Connected& one) {
    BOOST_TEST(house.becomes(one, "expired"), one.name << ": " << boost::json::serialize(house.show(one)));
    BOOST_TEST(reason_of(house, one).contains("its answer was lost"), one.name);
    BOOST_TEST(house.token_of(one).empty(), one.name);
    BOOST_TEST(house.refresh(one).code == "credential_expired", one.name);
    BOOST_TEST(house.requests(one, "spent").size() == 1U, one.name);
    BOOST_TEST(house.requests(one, "revoked").empty(), one.name);
}

std::size_t doubts_about(CrashHouse& house, const CrashHouse::Connected& one) {
    const auto all = audit_of(house.client, "action=oauth.in_doubt");
    const auto is_of_it = [&](const auto& record) { return boost::json::serialize(record).contains(one.id); };
    return std::size_t(std::ranges::count_if(all, is_of_it));
}

} // namespace

BOOST_AUTO_TEST_SUITE(refresh_tokens)

BOOST_AUTO_TEST_CASE(a_crash_at_any_step_of_a_refresh_loses_nothing_that_the_class_can_save) {
    CrashHouse house(3600);
    for (const std::string refresh_class : refresh_classes) {
        for (const auto& step : steps) {
            const auto one = house.connect(refresh_class + ", " + step.name, refresh_class);
            const auto before = house.token_of(one);
            house.crash(one, step);
            BOOST_TEST((doubts_about(house, one) == 0) == step.is_known, one.name);
            if (refresh_class == "single_use" && !step.is_known) { // to the live token's end: below
                BOOST_TEST(house.token_of(one) == before, one.name);
                BOOST_TEST(house.refresh(one).code == "upstream_failed", one.name);
                BOOST_TEST(house.requests(one).size() == (step.is_asked ? 2U : 1U), one.name);
                continue;
            }
            const bool is_lost = refresh_class == "kills_access_token" && step.is_asked && !step.is_known;
            is_lost ? check_lost(house, one) : check_saved(house, one);
        }
    }
}

BOOST_AUTO_TEST_CASE(of_single_use_the_live_token_is_served_to_its_end_and_then_the_old_one_is_tried_once) {
    CrashHouse house(15);
    struct Crashed {
        CrashHouse::Connected one;
        std::string live_token;
        bool is_lost = false;
    };
    std::vector<Crashed> all;
    for (const auto& step : steps) {
        if (step.is_known) continue;
        const auto one = house.connect(step.name, "single_use");
        const auto before = house.token_of(one);
        house.crash(one, step);
        BOOST_TEST(house.token_of(one) == before, step.name);
        all.push_back({one, before, step.is_asked});
    }
    for (const auto& [one, live_token, is_lost] : all) {
        for (int i = 0; i < 1500 && house.token_of(one) == live_token; ++i) std::this_thread::sleep_for(20ms);
        is_lost ? check_lost(house, one) : check_saved(house, one);
    }
}

BOOST_AUTO_TEST_SUITE_END()
