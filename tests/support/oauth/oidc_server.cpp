#include "support/oauth/oidc_server.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

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

std::string text_at(const boost::json::value& value, std::string_view name) {
    return std::string(value.at(name).as_string());
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
    return text_at(process_->ready().at("clients").at(client), "client_id");
}

std::string OidcServer::client_secret(std::string_view client) const {
    return text_at(process_->ready().at("clients").at(client), "client_secret");
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

Page browse(const std::string& url, const Person& person) {
    Command command{.words = {program("node"), program("browser.mjs"), url}};
    if (!person.user_code.empty()) command.words.push_back(person.user_code);
    if (person.says_no) command.environment.emplace("BROWSER_SAYS_NO", "1");
    const auto told = boost::json::parse(output_of(command));
    Page page{.title = text_at(told, "title"), .text = text_at(told, "text"), .url = text_at(told, "url"), .steps = {}};
    for (const auto& step : told.at("steps").as_array()) page.steps.emplace_back(step.as_string());
    return page;
}

} // namespace credlease::tests
