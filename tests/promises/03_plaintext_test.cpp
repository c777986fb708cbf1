#define BOOST_TEST_DYN_LINK
#include "promises/memory_scan.hpp"
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;

namespace {

constexpr std::string_view token = "Zq7~plaintext/of+a\\\"token-8c51e0b2d9";
constexpr std::string_view json_token = R"(Zq7~plaintext/of+a\\\"token-8c51e0b2d9)";
constexpr std::string_view password = "Hn4#another-secret/9f27ab60c3e1";
constexpr std::string_view client_secret = "Kx2^yet-unseen-app/b84e52f0c7d3";
constexpr std::string_view passphrase = "a-passphrase-nobody-may-find-55";
constexpr auto planted = "planted-where-it-must-be-found-31415926";

std::string listed(const std::vector<std::string>& found) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 20); ++i) text += found[i] + '\n';
    return text;
}

using Find = std::function<std::vector<std::string>(pid_t, const std::vector<std::string>&)>;

void is_nowhere(const Daemon& daemon, std::string_view secret, const char* when, const Find& find = find_in_memory) {
    // The log worker and the loop are done with a request a moment after its answer.
    ::usleep(100000);
    const auto found = find(daemon.pid(), traces_of(secret));
    BOOST_TEST_CONTEXT(when) BOOST_TEST(found.empty(), listed(found));
}

/// Sends bytes to a socket and leaves without reading the answer.
void send_and_die(const std::filesystem::path& path, const std::string& bytes) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.native().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        (void)!::write(socket, bytes.data(), bytes.size());
    }
    ::close(socket);
}

std::string create_body() {
    return R"({"service":"http-basic","name":"aborted","fields":{"username":"u","password":")" + std::string(password) +
           "\"}}";
}

/// What a broker is asked for, and what fails; nothing of it stays.
void live(const Daemon& daemon, const Find& find) {
    auto client = client_of(daemon); // stays connected: idle keep-alive
    const auto id = store_token(client, "scanned", json_token);
    is_nowhere(daemon, token, "after add", find);

    BOOST_REQUIRE_EQUAL(ask(client, "PUT", "/v1/oauth/clients/slack",
                            R"({"client_id":"1","client_secret":")" + std::string(client_secret) + "\"}")
                            .status,
                        201U);
    is_nowhere(daemon, client_secret, "after an OAuth client was set", find);

    auto lease = client.lease({.credential = "scanned", .ttl = std::chrono::minutes(5)});
    BOOST_REQUIRE(lease.ok());
    BOOST_TEST(secret_of(*lease, "token") == token);
    is_nowhere(daemon, token, "after lease", find);
    BOOST_TEST(lease->renew().ok());
    is_nowhere(daemon, token, "after renew", find);

    const auto bad = ask(client, "POST", "/v1/credentials",
                         R"({"service":"http-basic","name":"x","fields":{"username":7,"password":")" +
                             std::string(password) + "\"}}");
    BOOST_TEST(bad.status == 400U);
    is_nowhere(daemon, password, "after a failed request", find);
    send_and_die(daemon.admin_socket(), "POST /v1/credentials HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\n"
                                        "Content-Length: 4000\r\n\r\n" +
                                            create_body());
    is_nowhere(daemon, password, "after an aborted request", find);
    const auto body = create_body();
    send_and_die(daemon.admin_socket(), "POST /v1/credentials HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\n"
                                        "Content-Length: " +
                                            std::to_string(body.size()) + "\r\n\r\n" + body);
    is_nowhere(daemon, password, "after a client that left before its answer", find);
    BOOST_TEST(client.lease({.credential = "aborted"}).ok());
    is_nowhere(daemon, password, "after a lease with Basic", find);
    send_and_die(daemon.lease_socket(), "POST /v1/leases HTTP/1.1\r\nHost: c\r\nContent-Type: application/json\r\n"
                                        "Content-Length: 24\r\n\r\n{\"credential\":\"scanned\"}");
    is_nowhere(daemon, token, "after a client that died in the middle of its reply", find);

    const auto grant = mint(client, id);
    auto worker = client_of(daemon, grant);
    BOOST_TEST(worker.lease({.credential = "scanned"}).ok());
    is_nowhere(daemon, grant, "after a grant was used", find);
    BOOST_TEST(ask(client, "DELETE", "/v1/credentials/" + id + "?force=true").status == 204U);
    is_nowhere(daemon, token, "after delete", find);
    BOOST_TEST(ask(client, "POST", "/v1/seal").status == 200U);
    is_nowhere(daemon, token, "after seal", find);
    BOOST_TEST(ask(client, "POST", "/v1/unseal").status == 200U);
    is_nowhere(daemon, password, "after unseal", find);
}

} // namespace

BOOST_AUTO_TEST_CASE(plaintext_is_nowhere_in_readable_memory_once_a_request_is_served) {
    if (::geteuid() != 0) {
        BOOST_TEST_MESSAGE("skipped: only root reads another process's memory");
        return;
    }
    Daemon daemon({.config = "[memory]\narena = \"mlock\"\n"});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    live(daemon, find_in_memory);
}

BOOST_AUTO_TEST_CASE(plaintext_is_nowhere_in_memory_that_only_the_process_sees) {
    InProcessWalk walk;
    Daemon daemon(walk.setup({}));
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    live(daemon, [&](pid_t pid, const auto& traces) { return walk.find(pid, traces); });
}

BOOST_AUTO_TEST_CASE(the_scan_finds_what_is_there) {
    if (::geteuid() != 0) return;
    Daemon daemon({.config = "[memory]\narena = \"mlock\"\n"});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto answer = ask(client, "POST", "/v1/credentials",
                            R"({"service":"http-bearer","name":"noted","notes":")" + std::string(planted) +
                                R"(","fields":{"token":"x1234567","base_url":"https://a.example"}})");
    BOOST_TEST(answer.status == 201U);
    BOOST_TEST(!find_in_memory(daemon.pid(), traces_of(planted)).empty());
}

BOOST_AUTO_TEST_CASE(a_passphrase_is_nowhere_after_unseal) {
    if (::geteuid() != 0) return;
    Daemon daemon({.config = "[seal]\nmethod = \"passphrase\"\n[memory]\narena = \"mlock\"\n"});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto body = R"({"passphrase":")" + std::string(passphrase) + "\"}";
    BOOST_TEST(ask(client, "POST", "/v1/unseal", body).status == 200U);
    is_nowhere(daemon, passphrase, "after unseal");
}
