#include "cli/invocation.hpp"

#include "cli/terminal.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <unistd.h>

namespace credlease::cli {
namespace {

constexpr const char* usage_code = "usage";

std::string json_of(const Error& error) {
    boost::json::object object{{"code", error.code}, {"detail", error.sentence}};
    const auto add = [&](const char* name, const std::string& text) {
        if (!text.empty()) object[name] = text;
    };
    add("next_step", error.next_step);
    add("field", error.field);
    add("reason", error.reason);
    add("request_id", error.request_id);
    add("current_etag", error.current_etag);
    if (error.status != 0) object["status"] = error.status;
    if (error.retry_after) object["retry_after"] = error.retry_after->count();
    if (!error.candidates.empty())
        object["candidates"] = boost::json::array(error.candidates.begin(), error.candidates.end());
    return boost::json::serialize(object);
}

/// What a member of a request is called on the command line.
std::string option_of(const std::string& member) {
    struct Named {
        std::string_view member, option;
    };
    constexpr std::array<Named, 19> all = {{{"auth", "--auth"},
                                            {"client_id", "--client-id"},
                                            {"client_secret", "the client secret"},
                                            {"client_secret_ends_at", "the end of the client secret"},
                                            {"expires_at", "--expires-at"},
                                            {"fields", "--field"},
                                            {"flow", "--device"},
                                            {"head", "--head"},
                                            {"max_ttl", "--max-ttl"},
                                            {"name", "--name"},
                                            {"notes", "--notes"},
                                            {"redirect_url", "the address that the browser was sent to"},
                                            {"refresh_token", "--refresh-token"},
                                            {"rotate_every", "--rotate-every"},
                                            {"scope", "--scope"},
                                            {"sort", "--sort"},
                                            {"status", "--status"},
                                            {"ttl", "--ttl"},
                                            {"upstream", "--upstream"}}};
    constexpr std::string_view of_service = "fields.";
    if (member.starts_with(of_service)) return "--field " + member.substr(of_service.size());
    if (member.starts_with("scope.")) return "--scope";
    const auto found = std::ranges::find(all, member, &Named::member);
    return found == all.end() ? member : std::string(found->option);
}

/// The broker speaks to programs too: of "GET /v1/services (credlease services)" the command alone is typed here.
std::string as_typed(std::string text) {
    constexpr std::string_view in_words = " (credlease ";
    for (auto at = text.find(in_words); at != std::string::npos; at = text.find(in_words, at + 1)) {
        const auto path = text.rfind(' ', at - 1);
        const auto end = text.find(')', at);
        if (path == std::string::npos || end == std::string::npos || text.compare(path + 1, 4, "/v1/") != 0) continue;
        const auto method = text.find_last_of(' ', path - 1) + 1;
        text.replace(method, end + 1 - method, text.substr(at + 2, end - at - 2));
    }
    return text;
}

std::string text_of(const Error& error) {
    std::string text = "credlease: " + as_typed(error.sentence);
    if (!error.reason.empty()) text += " (" + error.reason + ")";
    if (!error.field.empty()) text += " [" + option_of(error.field) + "]";
    for (const std::string& candidate : error.candidates) text += "\n  " + candidate;
    if (!error.next_step.empty()) text += "\n" + as_typed(error.next_step);
    if (error.retry_after) text += "\nTry again in " + std::to_string(error.retry_after->count()) + " s.";
    return text;
}

} // namespace

Client Invocation::client(std::chrono::milliseconds timeout) const {
    Options options{.lease_socket = socket, .admin_socket = socket, .timeout = timeout};
    if (user) options.which = Options::Which::user;
    if (system) options.which = Options::Which::system;
    return Client(std::move(options));
}

Error Invocation::explain(Error error) const {
    if (error.code != unreachable_code || user || system) return error;
    const std::string found = client().admin_socket();
    const std::string own = Client(Options{.which = Options::Which::user}).admin_socket();
    const std::string systems = Client(Options{.which = Options::Which::system}).admin_socket();
    // With a socket that was named, by option or environment, nothing else was tried. What is there has its own error.
    const auto is_absent = [](const std::string& path) { return access(path.c_str(), F_OK) != 0 && errno == ENOENT; };
    if (found != systems || !is_absent(own) || !is_absent(systems)) return error;
    error.sentence = "No broker is there: neither " + own + " (your own) nor " + systems + " (the system's) exists.";
    return error;
}

Error usage(std::string sentence, std::string next_step) {
    return {.code = usage_code, .sentence = std::move(sentence), .next_step = std::move(next_step)};
}

Error no_command_behind_dashes() {
    return usage("Put the command behind --: credlease exec --env A=C -- CMD", "See: credlease exec --help");
}

int report(const Error& error, bool as_json) {
    const std::string text = as_json ? json_of(error) : printable(text_of(error), Lines::several);
    write_all(STDERR_FILENO, text + "\n");
    constexpr std::array<std::string_view, 3> wrong_usage = {usage_code, "configuration", no_service_code};
    if (std::ranges::find(wrong_usage, error.code) != wrong_usage.end()) return exit_usage;
    return error.code == unreachable_code ? exit_unreachable : exit_refused;
}

} // namespace credlease::cli
