#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;
namespace fs = std::filesystem;

// What a broker says before it serves, to whoever configured it.
namespace {

struct Said {
    int status = 0;
    std::string text;
};

/// What the program prints with these arguments, in that daemon's places.
Said run(const Daemon& daemon, const std::string& arguments) {
    const auto root = daemon.root().native();
    const auto command = "XDG_CONFIG_HOME=" + root + "/config XDG_STATE_HOME=" + root +
                         "/state XDG_RUNTIME_DIR=" + root + "/run " + daemon_program() + " " + arguments + " 2>&1";
    auto* out = ::popen(command.c_str(), "r");
    BOOST_REQUIRE(out != nullptr);
    Said said;
    std::array<char, 4096> part{};
    while (const auto got = std::fread(part.data(), 1, part.size(), out)) said.text.append(part.data(), got);
    said.status = WEXITSTATUS(::pclose(out));
    return said;
}

void check_warned(const Daemon& daemon, const std::string& config, const std::string& warning) {
    daemon.write_config(config);
    const auto said = run(daemon, "--check-config");
    BOOST_TEST(said.status == 0);
    BOOST_TEST(said.text.starts_with("ok: "), said.text);
    BOOST_TEST(said.text.contains("\nwarning: "), said.text);
    BOOST_TEST(said.text.contains(warning), said.text);
}

void check_refused(const Daemon& daemon, const std::string& config, const std::string& why) {
    daemon.write_config(config);
    const auto said = run(daemon, "--check-config");
    BOOST_TEST(said.status == 1);
    BOOST_TEST(!said.text.contains("ok: "), said.text);
    BOOST_TEST(said.text.contains("credleased: " + why), said.text);
}

} // namespace

BOOST_AUTO_TEST_SUITE(check_config)

BOOST_AUTO_TEST_CASE(a_checked_config_is_ok_by_its_name_and_a_missing_one_says_that_defaults_hold) {
    const Daemon daemon;
    const auto file = (daemon.config_folder() / "credleased.toml").native();
    BOOST_TEST(run(daemon, "--check-config").text == "ok: " + file + " does not exist, defaults hold\n");
    daemon.write_config("[log]\nlevel = \"info\"\n");
    const auto said = run(daemon, "--check-config");
    BOOST_TEST(said.text == "ok: " + file + "\n");
    BOOST_TEST(said.status == 0);
    const auto named = run(daemon, "--check-config --config /nowhere.toml");
    BOOST_TEST(named.status == 1);
    BOOST_TEST(named.text.contains("/nowhere.toml: No such file"), named.text);
}

BOOST_AUTO_TEST_CASE(what_would_have_no_effect_is_warned_of) {
    const Daemon daemon;
    const std::string worker = "[[worker]]\nname = \"etl\"\n";
    check_warned(daemon, worker + "uid = 0\nservices = [\"openai\", \"opnai\"]\n",
                 "[[worker]] etl names the service opnai, which the catalog does not have");
    check_warned(daemon, worker + "uid = 4712\n", "uid 4712, which cannot reach the sockets");
    BOOST_TEST(!run(daemon, "--check-config").text.contains("openai"));
}

BOOST_AUTO_TEST_CASE(what_would_not_start_is_refused_and_not_ok) {
    Daemon daemon;
    check_refused(daemon, "[audit]\nhead_file = \"/nowhere/audit.head\"\n",
                  "The folder of the audit head does not exist");
    daemon.write_config("");
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_REQUIRE(daemon.stop().value_or(-1) == 0);
    check_refused(daemon, "[seal]\nmethod = \"passphrase\"\n",
                  "[seal] method is not the one that the store is sealed by: it would not start");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(on_a_terminal_a_refused_start_is_told_in_lines_and_elsewhere_in_fields) {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    BOOST_REQUIRE(master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0);
    const std::string name = ::ptsname(master);
    const int slave = ::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC); // kept: what was said stays readable
    Daemon daemon({.config = "[audit]\nhead_file = \"/nowhere/audit.head\"\n",
                   .before_exec = [slave] { ::dup2(slave, STDERR_FILENO); }});
    BOOST_TEST(!daemon.start());
    std::array<char, 4096> said{};
    const auto size = ::read(master, said.data(), said.size());
    const std::string text(said.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    BOOST_TEST(text.contains("The folder of the audit head does not exist.\r\n    /nowhere: No such file"), text);
    BOOST_TEST(text.contains("\r\n    Make it, owned by"), text);
    BOOST_TEST(!text.contains("code="));
    ::close(slave);
    ::close(master);
    Daemon elsewhere({.config = "[audit]\nhead_file = \"/nowhere/audit.head\"\n"});
    BOOST_TEST(!elsewhere.start());
    BOOST_TEST(elsewhere.log().contains("code=configuration about=\"/nowhere: No such file"));
}
