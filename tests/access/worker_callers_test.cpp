#define BOOST_TEST_DYN_LINK
#include "access/sample_house.hpp"
#include "support/allocations.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <unistd.h>

namespace credlease::access {
namespace {

using result::ErrorCode;

std::string principal(Callers& callers, const attestation::Peer& from) {
    const auto caller = callers.find(from, on_lease(), noon);
    if (caller) return (*caller)->principal;
    return std::string(result::name_of(caller.error().code));
}

BOOST_AUTO_TEST_CASE(the_first_rule_that_matches_says_who_a_worker_is) {
    House house;
    house.settings.workers = {worker_rule("etl", 900), worker_rule("web", 901), worker_rule("late", 900)};
    house.settings.workers[0].unit = "etl@*.service";
    Callers callers = house.callers();
    BOOST_TEST(principal(callers, peer(900, "etl@3.service")) == "worker:etl");
    BOOST_TEST(principal(callers, peer(900, "other.service")) == "worker:late");
    BOOST_TEST(principal(callers, peer(900)) == "worker:late");
    BOOST_TEST(principal(callers, peer(901, "etl@3.service")) == "worker:web");
    BOOST_TEST(principal(callers, peer(902, "etl@3.service")) == "unauthenticated");
}

BOOST_AUTO_TEST_CASE(a_worker_is_what_its_rule_says) {
    House house;
    auto rule = worker_rule("etl", 900);
    rule.user = alice;
    rule.reach = {.all = false, .credentials = {credential(1)}};
    rule.fields = {"api_key"};
    rule.max_ttl = 10min;
    house.settings.workers = {rule, worker_rule("web", 901)};
    Callers callers = house.callers();
    const auto caller = callers.find(peer(900), on_lease(), noon).value();
    BOOST_TEST((caller->kind == CallerKind::worker && caller->user == alice && !caller->every_scope));
    BOOST_TEST(caller->on_behalf_of == "");
    BOOST_TEST((caller->fields == rule.fields && caller->max_ttl == 10min));
    BOOST_TEST((!caller->reach.all && caller->reach.credentials == rule.reach.credentials));
    BOOST_TEST(!caller->may_act());
    BOOST_TEST((callers.find(peer(901), on_lease(), noon).value()->max_ttl == 0ms));
}

BOOST_AUTO_TEST_CASE(nobody_is_operator_engine_or_user_on_the_lease_socket) {
    House house;
    house.settings.access.operators = {0};
    house.settings.access.users = {{1001, alice}};
    house.settings.engines = {engine_rule("flows", 910, Role::admin)};
    Callers callers = house.callers();
    for (const std::uint32_t uid : {0U, 1001U, 910U}) {
        BOOST_TEST(principal(callers, peer(uid)) == "unauthenticated");
        BOOST_TEST(callers.find(peer(uid), on_admin(), noon).has_value());
    }
}

BOOST_AUTO_TEST_CASE(no_worker_acts_for_a_user) {
    House house;
    house.settings.workers = {worker_rule("etl", 900)};
    house.settings.engines = {engine_rule("flows", 900, Role::admin)};
    Callers callers = house.callers();
    const auto acting = [&](std::uint32_t uid) {
        return code_of(callers.find(peer(uid), {.on_lease_socket = true, .actor = "user:alice"}, noon));
    };
    BOOST_TEST((acting(900) == ErrorCode::forbidden));
    BOOST_TEST((acting(901) == ErrorCode::unauthenticated));
}

BOOST_AUTO_TEST_CASE(a_unit_is_matched_as_a_glob_and_a_backslash_is_itself) {
    BOOST_TEST(matches_unit("etl@*.service", "etl@3.service"));
    BOOST_TEST(matches_unit("etl@[0-9].service", "etl@3.service"));
    BOOST_TEST(matches_unit("etl.service", "etl.service"));
    BOOST_TEST(matches_unit(R"(srv-a\x2db.service)", R"(srv-a\x2db.service)"));
    BOOST_TEST(matches_unit(R"(srv-a\x2d*.service)", R"(srv-a\x2db.service)"));
    BOOST_TEST(!matches_unit("etl@*.service", "etl@3.scope"));
    BOOST_TEST(!matches_unit("etl.service", "not-etl.service"));
    BOOST_TEST(!matches_unit("etl.service", "etl.service.d"));
    BOOST_TEST(!matches_unit("*", "")); // no unit is no unit
    BOOST_TEST(!matches_unit("*", std::string(300, 'x')));
    BOOST_TEST(!matches_unit(std::string(300, '*'), "etl.service"));
}

/// This process, attested over a socket.
attestation::Peer myself() {
    int ends[2] = {-1, -1};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    auto found = attestation::attest(ends[0]);
    ::close(ends[0]);
    ::close(ends[1]);
    BOOST_REQUIRE(found);
    return std::move(*found);
}

/// A place for an executable that may be replaced.
struct Place {
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("credlease-access-" + std::to_string(::getpid()));
    std::filesystem::path worker = folder / "worker";

    Place() { std::filesystem::create_directory(folder); }
    ~Place() { std::filesystem::remove_all(folder); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
};

BOOST_AUTO_TEST_CASE(an_executable_is_its_device_and_inode_looked_at_again_at_every_call) {
    const Place place;
    const auto self = std::filesystem::read_symlink("/proc/self/exe");
    House house;
    house.settings.workers = {worker_rule("etl", ::getuid())};
    house.settings.workers[0].exe = place.worker.string();
    Callers callers = house.callers();
    const auto me = myself();

    BOOST_TEST(principal(callers, me) == "unauthenticated"); // nothing there
    std::filesystem::create_symlink(self, place.worker);
    BOOST_TEST(principal(callers, me) == "worker:etl"); // the same file by another path
    std::filesystem::remove(place.worker);
    std::filesystem::copy_file(self, place.worker);
    BOOST_TEST(principal(callers, me) == "unauthenticated"); // the same bytes in another file
}

BOOST_AUTO_TEST_CASE(a_rule_with_a_hash_matches_that_hash_alone_and_nothing_before_it_is_known) {
    std::array<std::uint8_t, 32> hash{1, 2, 3};
    House house;
    house.settings.workers = {worker_rule("etl", 900)};
    house.settings.workers[0].exe_sha256 = hash;
    Callers callers = house.callers();
    BOOST_TEST(principal(callers, peer(900)) == "unauthenticated");
    std::optional<std::array<std::uint8_t, 32>> found;
    callers.set_hash_of([&](const attestation::Peer&) { return found; });
    BOOST_TEST(principal(callers, peer(900)) == "unauthenticated");
    found = hash;
    BOOST_TEST(principal(callers, peer(900)) == "worker:etl");
    found->back() = 1;
    BOOST_TEST(principal(callers, peer(900)) == "unauthenticated");
}

BOOST_AUTO_TEST_CASE(finding_a_worker_allocates_nothing) {
    House house;
    for (std::uint32_t i = 0; i < 20; ++i) house.settings.workers.push_back(worker_rule("w", 900 + i));
    house.settings.workers.back().unit = "etl@*.service";
    Callers callers = house.callers();
    const auto from = peer(919, "etl@a-rather-long-instance-name.service");
    const auto before = test::allocations();
    bool right = true;
    for (int i = 0; i < 100; ++i) right = right && callers.find(from, on_lease(), noon).has_value();
    BOOST_TEST(test::allocations() == before);
    BOOST_TEST(right);
}

} // namespace
} // namespace credlease::access
