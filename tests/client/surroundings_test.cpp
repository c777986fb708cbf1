#define BOOST_TEST_DYN_LINK
#include "credlease/client.hpp"
#include "stand_in.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

using namespace credlease;
using namespace std::chrono_literals;
using test::lease_json;
using test::problem;
using test::StandIn;
using test::TemporaryDirectory;

namespace fs = std::filesystem;

namespace {

/// The variables that the library reads, as a test sets them; restored afterwards.
class Surroundings {
  public:
    Surroundings() {
        for (const char* name : names) {
            const char* value = std::getenv(name);
            before_.emplace_back(value == nullptr ? std::nullopt : std::optional<std::string>(value));
            unsetenv(name);
        }
        setenv("HOME", "/nonexistent", 1);
    }
    ~Surroundings() {
        for (std::size_t i = 0; i < std::size(names); ++i) {
            before_[i] ? setenv(names[i], before_[i]->c_str(), 1) : unsetenv(names[i]);
        }
    }
    Surroundings(const Surroundings&) = delete;
    Surroundings& operator=(const Surroundings&) = delete;
    void set(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }

  private:
    static constexpr const char* names[] = {"CREDLEASE_SOCKET",
                                            "CREDLEASE_ADMIN_SOCKET",
                                            "CREDLEASE_GRANT",
                                            "CREDLEASE_GRANT_FILE",
                                            "XDG_RUNTIME_DIR",
                                            "XDG_STATE_HOME",
                                            "HOME"};
    std::vector<std::optional<std::string>> before_;
};

struct Fixture {
    TemporaryDirectory directory;
    Surroundings surroundings;
    fs::path lease_path = directory.path() / "lease.sock";
    fs::path admin_path = directory.path() / "admin.sock";
};

void touch(const fs::path& path) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << "";
}

StandIn::Response leased(const StandIn::Request& request) {
    if (request.method == "DELETE") return {.status = 204};
    return {.status = 201, .body = lease_json(900)};
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(surroundings_of_a_client, Fixture)

BOOST_AUTO_TEST_CASE(the_sockets_are_those_of_the_environment) {
    surroundings.set("CREDLEASE_SOCKET", "/a/lease.sock");
    BOOST_TEST(Client().lease_socket() == "/a/lease.sock");
    BOOST_TEST(Client().admin_socket() == "/a/admin.sock"); // beside it
    surroundings.set("CREDLEASE_ADMIN_SOCKET", "/b/other.sock");
    BOOST_TEST(Client().admin_socket() == "/b/other.sock");
    BOOST_TEST(Client(Options{.lease_socket = "/c/l", .admin_socket = "/c/a"}).lease_socket() == "/c/l");
}

BOOST_AUTO_TEST_CASE(else_they_are_those_of_the_callers_own_broker_where_it_is) {
    const fs::path runtime = directory.path() / "runtime";
    const fs::path state = directory.path() / "state";
    surroundings.set("XDG_RUNTIME_DIR", runtime);
    surroundings.set("XDG_STATE_HOME", state);
    BOOST_TEST(Client().lease_socket() == "/run/credlease/lease.sock");
    touch(state / "credlease/run/lease.sock");
    BOOST_TEST(Client().lease_socket() == (state / "credlease/run/lease.sock").string());
    touch(runtime / "credlease/lease.sock");
    BOOST_TEST(Client().lease_socket() == (runtime / "credlease/lease.sock").string());
    BOOST_TEST(Client().admin_socket() == (runtime / "credlease/admin.sock").string());

    surroundings.set("HOME", directory.path() / "home");
    unsetenv("XDG_RUNTIME_DIR");
    unsetenv("XDG_STATE_HOME");
    touch(directory.path() / "home/.local/state/credlease/run/lease.sock");
    BOOST_TEST(Client().lease_socket() == (directory.path() / "home/.local/state/credlease/run/lease.sock").string());
}

BOOST_AUTO_TEST_CASE(a_choice_of_broker_is_stronger_than_the_environment) {
    surroundings.set("CREDLEASE_SOCKET", "/a/lease.sock");
    surroundings.set("XDG_RUNTIME_DIR", directory.path());
    touch(directory.path() / "credlease/lease.sock");
    BOOST_TEST(Client(Options{.which = Options::Which::system}).lease_socket() == "/run/credlease/lease.sock");
    BOOST_TEST(Client(Options{.which = Options::Which::user}).lease_socket() ==
               (directory.path() / "credlease/lease.sock").string());
}

BOOST_AUTO_TEST_CASE(a_grant_is_sent_as_the_file_has_it_without_its_newline) {
    const StandIn broker(lease_path, leased);
    std::ofstream(directory.path() / "grant") << "clg_from_file\n";
    surroundings.set("CREDLEASE_SOCKET", lease_path);
    surroundings.set("CREDLEASE_GRANT", "clg_from_variable");
    surroundings.set("CREDLEASE_GRANT_FILE", directory.path() / "grant");
    BOOST_REQUIRE(Client().lease({.credential = "c"}).ok());
    BOOST_TEST(broker.seen().at(0).headers.at("authorization") == "Bearer clg_from_file");
    unsetenv("CREDLEASE_GRANT_FILE");
    BOOST_REQUIRE(Client().lease({.credential = "c"}).ok());
    BOOST_TEST(broker.seen().at(2).headers.at("authorization") == "Bearer clg_from_variable");
}

BOOST_AUTO_TEST_CASE(a_grant_that_cannot_be_used_is_said_and_nothing_is_sent_without_it) {
    const StandIn broker(lease_path, leased);
    surroundings.set("CREDLEASE_SOCKET", lease_path);
    surroundings.set("CREDLEASE_GRANT_FILE", directory.path() / "missing");
    BOOST_TEST(Client().lease({.credential = "c"}).error().code == "configuration");
    std::ofstream(directory.path() / "grant") << "two\nlines\n";
    surroundings.set("CREDLEASE_GRANT_FILE", directory.path() / "grant");
    BOOST_TEST(Client().lease({.credential = "c"}).error().code == "configuration");
    Client given;
    given.use_grant(SecretText());
    BOOST_TEST(given.lease({.credential = "c"}).error().code == "configuration");
    BOOST_TEST(broker.seen().empty());
}

BOOST_AUTO_TEST_CASE(a_grant_goes_to_the_lease_socket_alone) {
    const StandIn broker(lease_path, leased);
    const StandIn admin(admin_path, leased);
    surroundings.set("CREDLEASE_SOCKET", lease_path);
    Client client;
    client.use_grant(std::move(SecretText::copy_of("clg_given")).value());
    BOOST_REQUIRE(client.lease({.credential = "c"}).ok());
    BOOST_REQUIRE(client.send({.path = "/v1/status"}).ok());
    BOOST_TEST(broker.seen().at(0).headers.at("authorization") == "Bearer clg_given");
    BOOST_REQUIRE(admin.seen().size() == 1U);
    BOOST_TEST(!admin.seen().at(0).headers.contains("authorization"));
}

BOOST_AUTO_TEST_CASE(without_a_grant_the_lease_is_asked_for_at_the_admin_socket_if_that_lets_the_caller_in) {
    const StandIn broker(lease_path, leased);
    surroundings.set("CREDLEASE_SOCKET", lease_path);
    BOOST_REQUIRE(Client().lease({.credential = "c"}).ok()); // there is no admin.sock
    BOOST_TEST(broker.seen().size() == 2U);
    {
        const StandIn admin(admin_path, [](const StandIn::Request&) {
            return problem(401, "unauthenticated", "Nobody knows you here.");
        });
        BOOST_REQUIRE(Client().lease({.credential = "c"}).ok());
        BOOST_TEST(admin.seen().size() == 1U);
        BOOST_TEST(broker.seen().size() == 4U);
    }
    const StandIn admin(admin_path, leased);
    BOOST_REQUIRE(Client().lease({.credential = "c"}).ok());
    BOOST_TEST(admin.seen().size() == 2U);
    BOOST_TEST(broker.seen().size() == 4U);
}

BOOST_AUTO_TEST_CASE(where_nobody_listens_each_socket_that_was_tried_is_named_with_its_variable) {
    surroundings.set("CREDLEASE_SOCKET", lease_path);
    const auto leased_nowhere = Client().lease({.credential = "c"});
    BOOST_REQUIRE(!leased_nowhere.ok());
    BOOST_TEST(leased_nowhere.error().code == "unreachable");
    BOOST_TEST(leased_nowhere.error().sentence.contains(lease_path.string()));
    BOOST_TEST(leased_nowhere.error().sentence.contains(admin_path.string()));
    BOOST_TEST(leased_nowhere.error().next_step.contains("CREDLEASE_SOCKET"));
    const auto sent_nowhere = Client().send({.path = "/v1/status"});
    BOOST_REQUIRE(!sent_nowhere.ok());
    BOOST_TEST(sent_nowhere.error().sentence.contains(admin_path.string()));
    BOOST_TEST(sent_nowhere.error().next_step.contains("CREDLEASE_ADMIN_SOCKET"));
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_to_a_listener_of_another_account) {
    if (geteuid() != 0) {
        BOOST_TEST_MESSAGE("skipped: only root can start a listener of another account");
        return;
    }
    fs::permissions(directory.path(), fs::perms::all);
    int ready[2] = {-1, -1};
    BOOST_REQUIRE(pipe(ready) == 0);
    const pid_t other = fork();
    if (other == 0) {
        constexpr uid_t nobody = 65534;
        if (setuid(nobody) != 0) _exit(1);
        const StandIn impostor(lease_path, [&](const StandIn::Request&) {
            [[maybe_unused]] const auto told = write(ready[1], "!", 1);
            return leased({});
        });
        if (write(ready[1], ".", 1) != 1) _exit(1);
        pause();
        _exit(0);
    }
    char word = 0;
    BOOST_REQUIRE(read(ready[0], &word, 1) == 1);
    BOOST_REQUIRE(word == '.');
    const auto lease =
        Client(Options{.lease_socket = lease_path, .admin_socket = lease_path}).lease({.credential = "c"});
    kill(other, SIGKILL);
    waitpid(other, nullptr, 0);
    close(ready[1]);
    BOOST_REQUIRE(!lease.ok());
    BOOST_TEST(lease.error().code == "unreachable");
    BOOST_TEST(lease.error().sentence.contains("uid 65534"));
    BOOST_TEST(read(ready[0], &word, 1) == 0); // the impostor saw no request
    close(ready[0]);
}

BOOST_AUTO_TEST_SUITE_END()
