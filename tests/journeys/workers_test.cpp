#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;

namespace {

constexpr unsigned worker_uid = 65533;
constexpr auto config = "[sockets]\nlease_mode = \"0666\"\n";

/// What a command prints, as another uid; empty when it failed.
std::string output_of(const std::string& command, unsigned uid) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) return {};
    const auto status = as_uid(uid, [&] {
        ::dup2(pipe[1], STDOUT_FILENO);
        ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        return 127;
    });
    ::close(pipe[1]);
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(pipe[0], buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(got));
    ::close(pipe[0]);
    return status == 0 ? text : std::string();
}

/// A grant for that uid in a file that it alone reads.
std::string grant_file(const Daemon& daemon, Client& client, const std::string& credential) {
    const auto grant = mint(client, credential, ",\"uid\":" + std::to_string(worker_uid));
    const auto path = daemon.root() / "grant";
    {
        std::ofstream(path) << grant << '\n';
    }
    if (::chown(path.c_str(), worker_uid, worker_uid) != 0 || ::chmod(path.c_str(), 0400) != 0) return {};
    return path;
}

/// The script is copied to where the other uid can read it: the checkout may lie in a folder of root's.
std::string worker_command(const Daemon& daemon, const std::string& grant, const std::string& credential) {
    const auto script = daemon.root() / "worker.py";
    std::filesystem::copy_file(JOURNEYS_FOLDER "/worker.py", script, std::filesystem::copy_options::overwrite_existing);
    ::chmod(script.c_str(), 0644);
    return "CREDLEASE_GRANT_FILE=" + grant + " /usr/bin/python3 " + script.native() + " " +
           daemon.lease_socket().native() + " '" + credential + "'";
}

std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(socket);
    return ntohs(address.sin_port);
}

/// A real PostgreSQL server while this lives.
class PostgresServer {
  public:
    PostgresServer(const std::string& folder, std::uint16_t port, const std::string& password) {
        std::array<int, 2> in{};
        std::array<int, 2> out{};
        if (::pipe(in.data()) != 0 || ::pipe(out.data()) != 0) return;
        pid_ = ::fork();
        if (pid_ == 0) {
            ::setpgid(0, 0);
            ::dup2(in[0], STDIN_FILENO);
            ::dup2(out[1], STDOUT_FILENO);
            for (const int descriptor : {in[0], in[1], out[0], out[1]}) ::close(descriptor);
            ::execl(JOURNEYS_FOLDER "/postgres_server", "postgres_server", folder.c_str(), std::to_string(port).c_str(),
                    nullptr);
            ::_exit(127);
        }
        ::close(in[0]);
        ::close(out[1]);
        const auto line = password + '\n';
        (void)!::write(in[1], line.data(), line.size());
        ::close(in[1]);
        std::array<char, 16> said{};
        listening_ = ::read(out[0], said.data(), said.size()) > 0;
        ::close(out[0]);
    }
    ~PostgresServer() {
        if (pid_ <= 0) return;
        ::kill(-pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;
    [[nodiscard]] bool listening() const { return listening_; }

  private:
    pid_t pid_ = -1;
    bool listening_ = false;
};

} // namespace

BOOST_AUTO_TEST_CASE(a_worker_of_another_uid_in_plain_python_leases_with_its_grant) {
    Daemon daemon({.config = config, .open_to_others = true});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "for python", "tok_python_5f2c81");
    const auto printed = output_of(worker_command(daemon, grant_file(daemon, client, id), "for python"), worker_uid);
    BOOST_REQUIRE(!printed.empty());
    const auto lease = boost::json::parse(printed);
    BOOST_TEST(lease.at("secret").at("token").as_string() == "tok_python_5f2c81");
    const auto issued = audit_of(client, "action=lease.issued");
    BOOST_REQUIRE_EQUAL(issued.size(), 1U);
    BOOST_TEST(issued[0].at("peer").at("uid").as_int64() == worker_uid);
    BOOST_TEST(issued[0].at("workflow").as_string() == "nightly");
    BOOST_TEST(issued[0].at("node").as_string() == "python");
    BOOST_TEST(!issued[0].at("claimed").as_bool());
}

BOOST_AUTO_TEST_CASE(a_worker_of_another_uid_queries_a_real_postgresql_server_with_what_it_leased) {
    Daemon daemon({.config = config, .open_to_others = true});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    const std::string password = "pg-Secret-19d7f0a3";
    const auto port = free_port();
    const PostgresServer server(daemon.root() / "postgres", port, password);
    BOOST_REQUIRE(server.listening());
    auto client = client_of(daemon);
    const auto made =
        ask(client, "POST", "/v1/credentials",
            R"({"service":"postgres","name":"warehouse","fields":{"host":"127.0.0.1","port":)" + std::to_string(port) +
                R"(,"database":"postgres","user":"app","password":")" + password + R"(","sslmode":"disable"}})");
    BOOST_REQUIRE_MESSAGE(made.status == 201U, made.code);
    const std::string id(made.json.at("id").as_string());
    const auto printed =
        output_of(worker_command(daemon, grant_file(daemon, client, id), "warehouse") + " query", worker_uid);
    BOOST_TEST(!printed.empty());
}
