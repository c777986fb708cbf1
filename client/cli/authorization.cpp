#include "cli/authorization.hpp"

#include "cli/answers.hpp"
#include "cli/prompt.hpp"
#include "cli/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <chrono>
#include <thread>
#include <unistd.h>

namespace credlease::cli {
namespace {

constexpr std::chrono::seconds between_looks{2};

Result<json::value> begin(Client& client, const std::string& id, bool by_device) {
    json::object body{{"credential", id}};
    if (by_device) body["flow"] = "device";
    const auto answer =
        client.send({.method = "POST", .path = "/v1/oauth/authorizations", .json = json::serialize(body)});
    if (!answer) return answer.error();
    return read_json(*answer);
}

/// What a person pastes is not shown: the code in it is worth a token until it is used.
Result<SecretText> read_address() {
    if (can_ask()) return ask_secret("Address that the browser was sent to (not shown)");
    if (isatty(STDIN_FILENO) == 1) return SecretText(); // its echo would show what is pasted
    auto text = SecretText::read_from(STDIN_FILENO);
    if (text) text->cut_newline();
    return text;
}

/// Who asks again within ten minutes gets the same authorization.
Error no_address(const std::string& id) {
    return usage(
        "No address was given. Nothing was sent.",
        "Once the browser was sent there, paste it at, or give it on standard input to: credlease reauthorize " + id);
}

Result<json::value> complete(Client& client, const std::string& authorization, const std::string& id) {
    const auto address = read_address();
    if (!address) return address.error();
    if (address->empty()) return no_address(id);
    const Target target = Target("/v1/oauth/authorizations").segment(authorization).segment("complete");
    const auto answer = client.send_secret({.method = "POST", .path = target.text()}, "redirect_url", *address);
    if (!answer) return answer.error();
    return read_json(*answer);
}

void show_address(const json::value& begun) {
    write_all(STDERR_FILENO, "Open this address in a browser, sign in and agree:\n\n  " +
                                 printable(text_at(begun, {"authorize_url"})) + "\n\nThe browser is then sent to " +
                                 printable(text_at(begun, {"redirect_uri"})) +
                                 "…, where it may find nothing: copy that whole address.\n\n");
}

void show_code(const json::value& begun) {
    const auto whole = printable(text_at(begun, {"verification_uri_complete"}));
    write_all(STDERR_FILENO, "On any device with a browser open this address, and type the code there:\n\n  " +
                                 printable(text_at(begun, {"verification_uri"})) + "\n  " +
                                 printable(text_at(begun, {"user_code"})) + "\n\n" +
                                 (whole.empty() ? "" : "Or open this, with the code in it: " + whole + "\n\n") +
                                 "Waiting until that is done…\n");
}

/// Until the person has decided; the broker asks the provider meanwhile.
Result<json::value> wait_for(Client& client, const std::string& authorization) {
    const Target target = Target("/v1/oauth/authorizations").segment(authorization);
    for (;;) {
        auto state = get(client, target);
        if (!state || text_at(*state, {"state"}) != "pending") return state;
        std::this_thread::sleep_for(between_looks);
    }
}

/// What a person has to do for it, and what came of that.
Result<json::value> finish(Client& client, const json::value& begun, const std::string& id) {
    const auto authorization = text_at(begun, {"id"});
    if (!text_at(begun, {"user_code"}).empty()) {
        show_code(begun);
        return wait_for(client, authorization);
    }
    show_address(begun);
    return complete(client, authorization, id);
}

} // namespace

Result<int> authorize(const Invocation& invocation, const std::string& id, const std::string& found, bool by_device) {
    // The broker may ask the provider for its endpoints first, and then for the tokens.
    Client client = invocation.client(std::chrono::minutes(2));
    auto state = begin(client, id, by_device);
    if (!state) return state.error();
    if (text_at(*state, {"state"}) == "pending") {
        state = finish(client, *state, id);
        if (!state) return state.error();
    }
    if (text_at(*state, {"state"}) == "connected") {
        if (invocation.json) {
            print_json(*state);
        } else {
            write_all(STDOUT_FILENO, "Connected " + found + ".\n");
        }
        return exit_done;
    }
    Error error;
    error.code = "upstream_failed";
    error.sentence = printable(text_at(*state, {"error"}));
    error.next_step = "Try again with: credlease reauthorize " + id;
    return error;
}

} // namespace credlease::cli
