#include "support/daemon/broker_client.hpp"

#include <boost/json/parse.hpp>

#include <grp.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace credlease::tests {

Client client_of(const Daemon& daemon) {
    Options options;
    options.lease_socket = daemon.lease_socket();
    options.admin_socket = daemon.admin_socket();
    options.grant_from_environment = false;
    return Client(options);
}

Client client_of(const Daemon& daemon, std::string_view grant) {
    auto client = client_of(daemon);
    auto secret = SecretText::copy_of(grant);
    if (!secret) throw std::runtime_error(secret.error().sentence);
    client.use_grant(std::move(secret).value());
    return client;
}

Answered ask(Client& client, const std::string& method, const std::string& path, const std::string& body,
             Client::Door door) {
    Client::Request request;
    request.door = door;
    request.method = method;
    request.path = path;
    request.json = body;
    const auto answer = client.send(request);
    if (!answer) return {.status = answer.error().status, .code = answer.error().code, .json = {}, .etag = {}};
    return {.status = answer->status,
            .code = {},
            .json = answer->json.empty() ? boost::json::value() : boost::json::parse(answer->json),
            .etag = answer->etag};
}

std::string store_token(Client& client, const std::string& name, std::string_view token) {
    const auto answer =
        ask(client, "POST", "/v1/credentials",
            R"({"service":"http-bearer","name":")" + name + R"(","scope":{"kind":"workspace","workspace":"default"},)" +
                R"("fields":{"token":")" + std::string(token) + R"(","base_url":"https://api.example.com"}})");
    if (answer.status != 201) throw std::runtime_error("create refused: " + answer.code);
    return std::string(answer.json.at("id").as_string());
}

std::string mint(Client& client, const std::string& credential, const std::string& more_members) {
    const auto answer = ask(client, "POST", "/v1/grants",
                            R"({"workspace":"default","workflow":"nightly","run":"42","credentials":[")" + credential +
                                R"("],"ttl":"1h")" + more_members + "}");
    if (answer.status != 201) throw std::runtime_error("mint refused: " + answer.code);
    return std::string(answer.json.at("grant").as_string());
}

std::vector<boost::json::object> audit_of(Client& client, const std::string& query) {
    std::vector<boost::json::object> records;
    const auto answer = ask(client, "GET", "/v1/audit?limit=500" + (query.empty() ? "" : "&" + query));
    if (answer.status != 200) throw std::runtime_error("audit refused: " + answer.code);
    for (const auto& record : answer.json.at("items").as_array()) records.push_back(record.as_object());
    return records;
}

int as_uid(unsigned uid, const std::function<int()>& work) {
    const auto child = ::fork();
    if (child == 0) {
        if (::setgroups(0, nullptr) != 0 || ::setgid(uid) != 0 || ::setuid(uid) != 0) ::_exit(99);
        ::_exit(work());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string secret_of(const Lease& lease, std::string_view field) {
    std::string text;
    lease.expose(field, [&](std::string_view value) { text = value; });
    return text;
}

} // namespace credlease::tests
