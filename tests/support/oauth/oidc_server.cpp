#include "support/oauth/oidc_server.hpp"

#include "support/oauth/https_post.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace credlease::tests {
namespace {

std::string program(const std::string& name) {
    const auto path = std::filesystem::path(OIDC_FOLDER) / name;
    if (!std::filesystem::exists(path)) {
        throw std::runtime_error(path.native() + " is not there: run tests/oidc/install " OIDC_FOLDER);
    }
    return path;
}

std::string text_at(const boost::json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
}

} // namespace

OidcServer::OidcServer(const Setup& setup) : folder_(make_folder("credlease-oidc")) {
    (void)output_of({.words = {"/usr/bin/python3", "-B", CERTIFICATES_PROGRAM, folder_}});
    const Command command{.words = {program("node"), program("server.mjs")},
                          .environment = {{"OIDC_CERTIFICATE", folder_ / "server.pem"},
                                          {"OIDC_KEY", folder_ / "server.key"},
                                          {"OIDC_LOG", folder_ / "log.jsonl"},
                                          {"OIDC_REDIRECT_URI", setup.redirect_uri},
                                          {"OIDC_ACCESS_TOKEN_TTL", std::to_string(setup.access_token.count())},
                                          {"OIDC_DEVICE_CODE_TTL", std::to_string(setup.device_code.count())}}};
    process_ = std::make_unique<ServingProcess>(command);
}

OidcServer::~OidcServer() {
    process_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string OidcServer::origin() const { return std::string(process_->ready().at("origin").as_string()); }

std::string OidcServer::client_id(std::string_view client) const {
    return text_at(process_->ready().at("clients").at(client).as_object(), "client_id");
}

std::string OidcServer::client_secret(std::string_view client) const {
    return text_at(process_->ready().at("clients").at(client).as_object(), "client_secret");
}

std::vector<boost::json::object> OidcServer::events(std::string_view name) const {
    std::vector<boost::json::object> found;
    std::ifstream file(folder_ / "log.jsonl");
    std::string line;
    while (std::getline(file, line) && !file.eof()) {
        auto event = boost::json::parse(line).as_object();
        if (event.at("event").as_string() == name) found.push_back(std::move(event));
    }
    return found;
}

std::size_t OidcServer::reuses() const {
    const auto refusals = events("grant.error");
    return static_cast<std::size_t>(std::ranges::count_if(
        refusals, [](const auto& refusal) { return text_at(refusal, "error") == "refresh token already used"; }));
}

bool OidcServer::accepts(const std::string& access_token) const {
    const auto form = "client_id=" + client_id("service") + "&client_secret=" + client_secret("service");
    const auto answer = https_post(origin(), "/token/introspection", form + "&token=" + access_token, ca_file());
    if (answer.status != 200) throw std::runtime_error("introspection: " + answer.body);
    return boost::json::parse(answer.body).at("active").as_bool();
}

void OidcServer::withdraw(const std::string& access_token) const {
    const auto form = "client_id=" + client_id("native") + "&token=" + access_token;
    const auto answer = https_post(origin(), "/token/revocation", form, ca_file());
    if (answer.status != 200) throw std::runtime_error("revocation: " + answer.body);
}

Page browse(const std::string& url, const Person& person) {
    Command command{.words = {program("node"), program("browser.mjs")}};
    if (person.says_no) command.environment.emplace("BROWSER_SAYS_NO", "1");
    const auto told = boost::json::parse(output_of(command, url + "\n" + person.user_code + "\n")).as_object();
    Page page{.title = text_at(told, "title"), .text = text_at(told, "text"), .url = text_at(told, "url"), .steps = {}};
    for (const auto& step : told.at("steps").as_array()) page.steps.emplace_back(step.as_string());
    return page;
}

} // namespace credlease::tests
