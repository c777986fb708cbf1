#define BOOST_TEST_DYN_LINK
#include "promises/memory_scan.hpp"
#include "support/daemon/broker_client.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <fstream>
#include <iterator>

using namespace credlease;
using namespace credlease::tests;

namespace {

constexpr std::string_view token = "Lk8-never-in-a-log-line-77f0c4e1a9";

std::string read_all(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

} // namespace

BOOST_AUTO_TEST_CASE(no_secret_is_in_a_log_a_list_an_error_or_any_file) {
    Daemon daemon({.config = "[log]\nlevel = \"debug\"\n"});
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    const auto id = store_token(client, "quiet", token);
    const auto grant = mint(client, id);
    auto worker = client_of(daemon, grant);
    BOOST_TEST(worker.lease({.credential = "quiet"}).ok());
    auto traces = traces_of(token);
    for (const auto& trace : traces_of(grant)) traces.push_back(trace);

    for (const auto* path :
         {"/v1/credentials", "/v1/leases", "/v1/grants", "/v1/audit", "/v1/status", "/v1/services"}) {
        BOOST_TEST_CONTEXT(path) BOOST_TEST(!holds(boost::json::serialize(ask(client, "GET", path).json), traces));
    }
    // Errors that could echo what was sent.
    for (const auto& body :
         {R"({"service":"http-bearer","name":"b","fields":{"token":7,")" + std::string(token) + R"(":1}})",
          R"({"service":")" + std::string(token) + R"(","name":"b","fields":{}})",
          R"({"service":"http-bearer","name":"b","fields":{"token":")" + std::string(token) + "\r\n\"}}"}) {
        Client::Request request;
        request.method = "POST";
        request.path = "/v1/credentials";
        request.json = body;
        const auto answer = client.send(request);
        BOOST_REQUIRE(!answer.ok());
        const auto& error = answer.error();
        if (body.find("service\":\"http-bearer") != std::string::npos) {
            BOOST_TEST(!holds(error.sentence + error.next_step, traces));
        }
    }
    BOOST_TEST(daemon.stop().value_or(-1) == 0);
    for (const auto& file : std::filesystem::recursive_directory_iterator(daemon.root())) {
        if (file.is_regular_file()) BOOST_TEST_CONTEXT(file.path()) BOOST_TEST(!holds(read_all(file.path()), traces));
    }
}
