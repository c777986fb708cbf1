#include "support/oauth/provider.hpp"

#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>
#include <stdexcept>
#include <thread>

namespace credlease::tests {
namespace {

using namespace std::chrono_literals;

std::string_view text_at(const Provider::Line& line, std::string_view name) {
    const auto* value = line.if_contains(name);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

} // namespace

Provider::Provider(const boost::json::object& settings) : Provider(boost::json::object{{"", settings}}, Many{}) {}

Provider::Provider(const boost::json::object& by_mount, Many /*several*/) : folder_(make_folder("credlease-provider")) {
    const boost::json::object config{{"folder", folder_.native()}, {"providers", by_mount}};
    const Command command{.words = {"/usr/bin/python3", "-B", PROVIDER_PROGRAM}};
    try {
        process_ = std::make_unique<ServingProcess>(command, boost::json::serialize(config) + "\n");
    } catch (const std::exception&) {
        std::filesystem::remove_all(folder_);
        throw;
    }
    origin_ = process_->ready().at("origin").as_string();
}

Provider::~Provider() {
    process_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

boost::json::object Provider::control(std::string_view path, const boost::json::object& body) const {
    test::SocketClient client(folder_ / "control.sock");
    const auto answer = client.ask("POST", path, boost::json::serialize(body));
    if (!answer) throw std::runtime_error("the provider does not answer");
    if (answer->status != 200) throw std::runtime_error(std::string(path) + ": " + answer->body);
    return boost::json::parse(answer->body).as_object();
}

void Provider::advance(std::chrono::seconds by) const { control("/advance", {{"seconds", by.count()}}); }

std::vector<Provider::Line> Provider::log(const std::function<bool(const Line&)>& wanted) const {
    std::vector<Line> lines;
    std::ifstream file(folder_ / "log.jsonl");
    std::string text;
    while (std::getline(file, text) && !file.eof()) { // a line without its end is still being written
        auto line = boost::json::parse(text).as_object();
        if (wanted(line)) lines.push_back(std::move(line));
    }
    return lines;
}

std::vector<Provider::Line> Provider::token_requests(std::string_view grant_type) const {
    return log([&](const Line& line) {
        return text_at(line, "endpoint") == "token" &&
               (grant_type.empty() || text_at(line, "grant_type") == grant_type);
    });
}

std::vector<Provider::Line> Provider::uses_of_spent_tokens() const {
    return log([](const Line& line) {
        const auto state = text_at(line, "state");
        return state == "spent" || state == "revoked";
    });
}

bool Provider::wait_for_token_requests(std::size_t count, std::chrono::milliseconds within) const {
    const auto end = std::chrono::steady_clock::now() + within;
    while (token_requests().size() < count) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

} // namespace credlease::tests
