#include "console/console.hpp"

#include "console/oauth_pages.hpp"

#include <boost/beast/core/string.hpp>

namespace credlease::console {
namespace {

using Outbound = settings::Settings::Outbound;
using boost::beast::iequals;

constexpr std::string_view start_page = "/oauth/start/";
constexpr std::string_view callback_page = "/oauth/callback";

/// A public URL in its parts: "broker.example.org", "/credlease".
struct PublicUrl {
    std::string_view host{}, path{};
};

PublicUrl split(std::string_view url) {
    constexpr std::string_view scheme = "https://";
    url.remove_prefix(std::min(scheme.size(), url.size()));
    while (url.ends_with('/')) url.remove_suffix(1);
    const std::size_t slash = std::min(url.find('/'), url.size());
    return {.host = url.substr(0, slash), .path = url.substr(slash)};
}

/// A proxy may send its own name on, or ours.
bool is_ours(std::string_view host, const Outbound& outbound) {
    if (iequals(host, outbound.callback)) return true;
    const auto known = split(outbound.public_url).host;
    const auto without_port = [](std::string_view name) {
        constexpr std::string_view usual_port = ":443";
        return name.ends_with(usual_port) ? name.substr(0, name.size() - usual_port.size()) : name;
    };
    return !known.empty() && iequals(without_port(host), without_port(known));
}

/// A proxy may leave the path of the public URL where it is, or take it away.
std::string_view own_path(std::string_view path, const Outbound& outbound) {
    const auto before = split(outbound.public_url).path;
    return !before.empty() && path.starts_with(before) ? path.substr(before.size()) : path;
}

broker::Proofs proofs_of(std::vector<Cookie> cookies) {
    broker::Proofs proofs;
    for (auto& [name, value] : cookies) {
        proofs.push_back({.authorization = std::move(name), .value = std::move(value)});
    }
    return proofs;
}

Page refusal(unsigned status, std::string title, std::string sentence) {
    return {.status = status, .title = std::move(title), .paragraphs = {std::move(sentence)}};
}

} // namespace

Console::Console(broker::Broker& broker)
    : broker_(broker),
      server_(broker.parts().loop, broker.parts().clock, broker.parts().arena,
              [this](Request request, const Server::Answer& answer) { this->answer(std::move(request), answer); }) {}

Console::~Console() = default;

result::Result<> Console::await_browsers(bool are_awaited) {
    if (are_awaited) return server_.listen(broker_.rules().settings->outbound.callback);
    server_.stop_listening();
    return {};
}

void Console::answer(Request request, const Server::Answer& answer) {
    const auto& outbound = broker_.rules().settings->outbound;
    const auto refuse = [&](unsigned status, const char* title, const char* sentence) {
        answer(reply_with(refusal(status, title, sentence), request.without_body));
    };
    if (!is_ours(request.host, outbound)) {
        return refuse(421, "Not here", "This address is not one of Credlease's.");
    }
    const bool is_get = request.method == http::Method::get || request.without_body;
    if (!is_get || request.has_body) return refuse(405, "Not so", "Pages are asked for by GET.");
    const auto path = own_path(request.path, outbound);
    const bool is_start = path.starts_with(start_page);
    if (!is_start && path != callback_page) return refuse(404, "No such page", "There is nothing at this address.");
    if (request.without_body) return refuse(200, "Credlease", "A page for browsers."); // a look uses nothing up
    auto* const house = broker_.house();
    if (house == nullptr) {
        return refuse(503, "Sealed", "The broker was sealed or stopped meanwhile. Begin again when it is back.");
    }
    auto proofs = proofs_of(std::move(request.cookies));
    if (is_start) return answer(start(*house, path.substr(start_page.size()), std::move(proofs)));
    house->tasks.start(finish(*house, std::move(request.query), std::move(proofs), answer));
}

Reply Console::start(broker::Unsealed& house, std::string_view id, broker::Proofs proofs) {
    auto started = broker::start_in_browser(house, id, proofs);
    if (const auto* told = std::get_if<broker::BrowserTold>(&started)) return reply_with(page_of(*told));
    const auto& [authorization, address, cookie] = std::get<broker::BrowserStart>(started);
    const auto& outbound = house.settings().outbound;
    const NewCookie made{.name = authorization.text(),
                         .value = cookie,
                         .path = std::string(split(outbound.public_url).path) + "/oauth",
                         .is_secure = !outbound.public_url.empty()};
    auto reply = redirect_to(address, made, house.parts.arena);
    if (reply) return std::move(*reply);
    return reply_with(refusal(503, "Overloaded", "The broker is short of memory. Load this page again in a moment."));
}

runtime::Task<> Console::finish(broker::Unsealed& house, secret::SecretBuffer query, broker::Proofs proofs,
                                Server::Answer answer) {
    const auto told = co_await broker::finish_in_browser(house, std::move(query), std::move(proofs));
    answer(reply_with(page_of(told)));
}

} // namespace credlease::console
