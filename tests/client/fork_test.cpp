#define BOOST_TEST_DYN_LINK
#include "credlease/client.hpp"
#include "stand_in.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

using namespace credlease;
using namespace std::chrono_literals;
using test::lease_json;
using test::renewal_json;
using test::StandIn;
using test::TemporaryDirectory;

namespace {

StandIn::Response serve(const StandIn::Request& request) {
    if (request.method == "DELETE") return {.status = 204};
    if (request.path.ends_with("/renew")) return {.body = renewal_json(0.4)};
    return {.status = 201, .body = lease_json(900)};
}

struct Fixture {
    TemporaryDirectory directory;
    StandIn broker{directory.path() / "lease.sock", serve};
    Client client{
        Options{.lease_socket = broker.socket(), .admin_socket = broker.socket(), .grant_from_environment = false}};
};

/// Runs `check` in a forked child; its verdict.
template <class Check> bool holds_in_child(Check check) {
    const pid_t child = fork();
    if (child == 0) _exit(check() ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string shown(const Lease& lease) {
    std::string text;
    lease.expose("access_token", [&](std::string_view value) { text = value; });
    return text;
}

std::size_t open_sockets() {
    std::size_t count = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        if (std::filesystem::read_symlink(entry.path(), ignored).string().starts_with("socket:")) ++count;
    }
    return count;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(fork_, Fixture)

BOOST_AUTO_TEST_CASE(in_a_forked_child_the_parents_lease_is_empty) {
    auto lease = client.lease({.credential = "c"});
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST(holds_in_child([&] {
        return lease->id().empty() && shown(*lease).empty() && lease->fields().empty() && lease->is_over() &&
               !lease->renew().ok() && !lease->release().ok() && lease->secret_fields().empty();
    }));
    BOOST_TEST(shown(*lease) == "xoxb-secret-token");
    BOOST_TEST(broker.seen().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_forked_child_releases_nothing_of_its_parents) {
    auto lease = client.lease({.credential = "c"});
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST(holds_in_child([&] {
        const Lease taken = std::move(*lease);
        const Client other = std::move(client);
        return true; // both die here, in the child
    }));
    BOOST_TEST(broker.seen().size() == 1U);
    BOOST_TEST(lease->renew().ok());
}

BOOST_AUTO_TEST_CASE(a_forked_child_leases_anew_over_a_connection_of_its_own) {
    const auto lease = client.lease({.credential = "c"});
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST(holds_in_child([&] {
        const auto own = client.lease({.credential = "c"});
        return own.ok() && shown(*own) == "xoxb-secret-token";
    }));
    const auto seen = broker.seen();
    BOOST_REQUIRE(seen.size() == 3U); // the parent's, the child's, its release
    BOOST_TEST(seen[0].pid == getpid());
    BOOST_TEST(seen[1].pid != getpid());
    BOOST_TEST(seen[1].connection == 2);
    BOOST_TEST(seen[2].pid == seen[1].pid);
    BOOST_REQUIRE(client.send({.path = "/v1/status"}).ok());
    BOOST_TEST(broker.seen().back().connection == 1);
}

BOOST_AUTO_TEST_CASE(a_grandchild_leases_anew_too) {
    BOOST_REQUIRE(client.lease({.credential = "c"}).ok());
    BOOST_TEST(holds_in_child([&] {
        return client.lease({.credential = "c"}).ok() &&
               holds_in_child([&] { return client.lease({.credential = "c"}).ok(); });
    }));
}

BOOST_AUTO_TEST_CASE(a_forked_child_does_not_keep_its_parents_connections_open) {
    const std::size_t before = open_sockets();
    BOOST_REQUIRE(client.send({.path = "/v1/status"}).ok());
    BOOST_TEST(open_sockets() > before);
    // The stand-in's own sockets are in this process as well: only the client's is gone.
    BOOST_TEST(holds_in_child([parent = open_sockets()] { return open_sockets() == parent - 1; }));
}

BOOST_AUTO_TEST_CASE(a_grant_that_was_set_before_the_fork_must_be_set_again) {
    client.use_grant(std::move(SecretText::copy_of("clg_given")).value());
    BOOST_REQUIRE(client.lease({.credential = "c"}).ok());
    BOOST_TEST(holds_in_child([&] {
        if (client.lease({.credential = "c"}).error().code != "configuration") return false;
        client.use_grant(std::move(SecretText::copy_of("clg_again")).value());
        return client.lease({.credential = "c"}).ok();
    }));
    BOOST_TEST(broker.seen().at(2).headers.at("authorization") == "Bearer clg_again");
}

BOOST_AUTO_TEST_CASE(a_fork_while_a_lease_renews_itself_hurts_neither) {
    auto lease = client.lease({.credential = "c", .ttl = 400ms, .renew_itself = true});
    BOOST_REQUIRE(lease.ok());
    for (int i = 0; i < 20; ++i) {
        BOOST_TEST(holds_in_child([&] {
            auto own = client.lease({.credential = "c", .renew_itself = true});
            return own.ok() && lease->id().empty();
        }));
    }
    BOOST_TEST(lease->renew().ok());
}

BOOST_AUTO_TEST_CASE(connections_are_closed_on_exec) {
    BOOST_REQUIRE(client.send({.path = "/v1/status"}).ok());
    // The stand-in's are close-on-exec as well: the new program has no socket at all.
    BOOST_TEST(std::system("test -z \"$(find /proc/self/fd -lname 'socket:*')\"") == 0);
}

BOOST_AUTO_TEST_SUITE_END()
