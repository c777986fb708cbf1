#include "cli/authorization.hpp"

#include "cli/browser.hpp"
#include "cli/prompt.hpp"
#include "cli/terminal.hpp"

#include <boost/json/serialize.hpp>

#include <chrono>
#include <poll.h>
#include <thread>
#include <unistd.h>

namespace credlease::cli {
namespace {

constexpr std::chrono::seconds between_looks{2};
/// The broker may ask the provider for its endpoints first, and then for the tokens.
constexpr std::chrono::minutes provider_time{2};

Result<json::value> begin(Client& client, const Authorizing& asked) {
    json::object body{{"credential", asked.id}};
    if (asked.by_device) body["flow"] = "device";
    const Client::Request request{.method = "POST", .path = "/v1/oauth/authorizations", .json = json::serialize(body)};
    const auto answer =
        asked.refresh_token ? client.send_secret(request, "refresh_token", *asked.refresh_token) : client.send(request);
    if (!answer) return answer.error();
    return read_json(*answer);
}

/// Who asks again within ten minutes gets the same authorization.
Error no_address(const std::string& id) {
    return usage(
        "No address was given. Nothing was sent.",
        "Once the browser was sent there, paste it at, or give it on standard input to: credlease reauthorize " + id);
}

Target place_of(const std::string& authorization) { return Target("/v1/oauth/authorizations").segment(authorization); }

/// What is not shown is easily pasted twice, one behind the other.
Result<SecretText> once(const SecretText& address) {
    return address.expose([](std::string_view text) {
        const auto half = text.substr(0, text.size() / 2);
        return SecretText::copy_of(text.substr(half.size()) == half ? half : text);
    });
}

Result<json::value> complete(Client& client, const std::string& authorization, const SecretText& pasted) {
    const auto address = once(pasted);
    if (!address) return address.error();
    const Target target = place_of(authorization).segment("complete");
    const auto answer = client.send_secret({.method = "POST", .path = target.text()}, "redirect_url", *address);
    if (!answer) return answer.error();
    return read_json(*answer);
}

/// How the person gets to the provider, and how the answer gets back.
struct Way {
    std::string address{};
    bool is_opened = false;
    bool ends_by_itself = false; ///< the browser comes back to the broker
};

/// By the broker's start page where the person's browser can reach that: on this machine, or behind the operator's
/// proxy. Over SSH it cannot: then straight to the provider.
Way find_way(const json::value& begun, bool may_open) {
    const auto start = text_at(begun, {"start_url"});
    const bool is_public = start.starts_with("https://");
    const bool is_opened = may_open && !start.empty() && has_browser() && open_in_browser(start);
    if (is_opened || is_public) return {.address = start, .is_opened = is_opened, .ends_by_itself = true};
    return {.address = text_at(begun, {"authorize_url"})};
}

std::string describe_way(const json::value& begun, const Way& way, bool is_waited_for) {
    const auto problem = printable(text_at(begun, {"callback_problem"}));
    const std::string opening = way.is_opened ? "A browser was opened to sign in and agree. If none shows, open this "
                                                "address in one:"
                                              : "Open this address in a browser, sign in and agree:";
    const auto redirect = printable(text_at(begun, {"redirect_uri"}));
    std::string ending;
    if (!way.ends_by_itself) {
        ending = "The browser is then sent to " + redirect + "…, a page that may fail to load: copy its whole address" +
                 (is_waited_for ? ", and paste it here.\n\n" : ".\n\n");
    } else if (is_waited_for) {
        ending = "When that is done, it goes on here by itself; or paste the address that the browser was sent to.\n\n";
    }
    const std::string registered = "Registered at the provider as redirect URI must be " + redirect + "\n\n";
    return (problem.empty() ? "" : problem + "\n\n") + opening + "\n\n  " + printable(way.address) + "\n\n" +
           registered + ending;
}

std::string describe_code(const json::value& begun) {
    const auto whole = printable(text_at(begun, {"verification_uri_complete"}));
    return "On any device with a browser open this address, and type the code there:\n\n  " +
           printable(text_at(begun, {"verification_uri"})) + "\n  " + printable(text_at(begun, {"user_code"})) +
           "\n\n" + (whole.empty() ? "" : "Or open this, with the code in it: " + whole + "\n\n");
}

/// Until the person has decided; the broker asks the provider meanwhile.
Result<json::value> wait_for(Client& client, const std::string& authorization) {
    for (;;) {
        auto state = get(client, place_of(authorization));
        if (!state || text_at(*state, {"state"}) != "pending") return state;
        std::this_thread::sleep_for(between_looks);
    }
}

/// What was given is no address of this authorization.
bool is_wrong_address(const Error& error) { return error.code == "invalid_request"; }

/// Who asks again is sent to the same address within ten minutes, and to a new one after that.
Error with_way_on(Error error, const std::string& id) {
    if (is_wrong_address(error)) {
        error.next_step += (error.next_step.empty() ? "" : "\n") + ("To go on: credlease reauthorize " + id);
    }
    return error;
}

/// On the terminal. What a person pastes is not shown: the code in it is worth a token until it is used. After a wrong
/// address the authorization still waits: another one is asked for.
Result<json::value> ask_or_wait(Client& client, const std::string& authorization, const std::string& id) {
    Result<json::value> state = json::value();
    const auto has_ended = [&] {
        state = get(client, place_of(authorization));
        return !state || text_at(*state, {"state"}) != "pending";
    };
    for (;;) {
        const auto address = ask_secret_unless("Address that the browser was sent to (not shown)", has_ended);
        if (!address) return address.error();
        if (!*address) return state;
        if ((*address)->empty()) return no_address(id);
        auto completed = complete(client, authorization, **address);
        if (completed) return completed;
        if (!is_wrong_address(completed.error()) || has_ended()) return with_way_on(completed.error(), id);
        report(completed.error(), false);
    }
}

/// Nobody can be asked: the address comes on standard input, or the browser comes back to the broker.
Result<json::value> read_or_wait(Client& client, const std::string& authorization, const std::string& id,
                                 bool ends_by_itself) {
    for (pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
         ends_by_itself && poll(&input, 1, 1000) == 0;) {
        auto state = get(client, place_of(authorization));
        if (!state || text_at(*state, {"state"}) != "pending") return state;
    }
    SecretText address;
    if (isatty(STDIN_FILENO) != 1) { // its echo would show what is pasted
        auto text = SecretText::read_from(STDIN_FILENO);
        if (!text) return text.error();
        text->cut_newline();
        address = std::move(*text);
    }
    if (!address.empty()) {
        auto completed = complete(client, authorization, address);
        if (!completed) return with_way_on(completed.error(), id);
        return completed;
    }
    return ends_by_itself ? wait_for(client, authorization) : no_address(id);
}

bool is_by_code(const json::value& begun) { return !text_at(begun, {"user_code"}).empty(); }

/// What a person has to do for it, and what came of that.
Result<json::value> finish(Client& client, const json::value& begun, const std::string& id) {
    const auto authorization = text_at(begun, {"id"});
    if (is_by_code(begun)) {
        write_all(STDERR_FILENO, describe_code(begun) + "Waiting until that is done…\n");
        return wait_for(client, authorization);
    }
    const auto way = find_way(begun, true);
    write_all(STDERR_FILENO, describe_way(begun, way, true));
    return can_ask() ? ask_or_wait(client, authorization, id)
                     : read_or_wait(client, authorization, id, way.ends_by_itself);
}

/// The same way as it was begun.
std::string reauthorize_it(const Authorizing& asked) {
    return "credlease reauthorize " + asked.id + (asked.by_device ? " --device" : "");
}

std::string try_again(const Authorizing& asked) { return "Try again with: " + reauthorize_it(asked); }

/// One of its service's fields, or several, keep it from being begun.
bool is_in_its_fields(const Error& error) {
    return error.code == "invalid_request" && (error.field.empty() || error.field.starts_with("fields."));
}

/// How it goes on with what is stored, where its authorization could not be begun.
std::string mend_it(const Error& error, const Authorizing& asked) {
    const std::string field = error.field.empty() ? "NAME" : error.field.substr(error.field.find('.') + 1);
    return (asked.is_new ? "It is stored. To go on, mend it: " : "Mend it: ") + ("credlease edit " + asked.id) +
           " --field " + field +
           "=VALUE (where that says where secrets go, with each of them: --field NAME=-).\nThen: " +
           reauthorize_it(asked) + (asked.is_new ? "\nOr give it up: credlease delete " + asked.id : "");
}

Error with_mending(Error error, const Authorizing& asked) {
    if (is_in_its_fields(error)) {
        error.next_step += (error.next_step.empty() ? "" : "\n") + mend_it(error, asked);
    }
    return error;
}

std::string see_whether_it_is(const std::string& id) { return "To see whether it is: credlease show " + id; }

/// For a program: what a person has to do, in terms of the answer's members.
std::string next_step_of(const json::value& begun, const std::string& id) {
    const std::string until = ", until " + time_at(begun, {"expires_at"}) + ". ";
    if (is_by_code(begun)) return "A person types user_code at verification_uri" + until + see_whether_it_is(id);
    const auto way = find_way(begun, false);
    if (way.ends_by_itself) return "A person opens start_url in a browser" + until + see_whether_it_is(id);
    return "A person opens authorize_url in a browser" + until +
           "The address that it is sent to then goes on standard input to: credlease reauthorize " + id;
}

json::object with_next_step(const json::value& begun, const std::string& id) {
    json::object shown = begun.as_object();
    shown["next_step"] = next_step_of(begun, id);
    return shown;
}

/// What a person has to do for it, and how it goes on then: all in one place. For a program standard output is JSON.
int leave_to_a_person(const Invocation& invocation, const json::value& begun, const std::string& id) {
    const auto way = is_by_code(begun) ? Way{.ends_by_itself = true} : find_way(begun, false);
    const auto what_to_do = is_by_code(begun) ? describe_code(begun) : describe_way(begun, way, false);
    if (invocation.json) {
        write_all(STDERR_FILENO, what_to_do);
        print_json(with_next_step(begun, id));
        return exit_done;
    }
    const std::string until = "until " + time_at(begun, {"expires_at"});
    write_all(STDOUT_FILENO,
              what_to_do + (way.ends_by_itself
                                ? "It is connected once that is done, " + until + ". " + see_whether_it_is(id) + "\n"
                                : "To connect it, give that address on standard input, " + until +
                                      ", to: credlease reauthorize " + id + "\n"));
    return exit_done;
}

} // namespace

Result<SecretText> read_refresh_token() {
    auto token = ask_or_read_secret("Refresh token (not shown)");
    if (!token || !token->empty()) return token;
    return usage("No refresh token was given. Nothing was sent.",
                 "Type it when it is asked for, or give it on standard input.");
}

Result<int> authorize(const Invocation& invocation, const Authorizing& asked) {
    const auto& id = asked.id;
    Client client = invocation.client(provider_time);
    auto state = begin(client, asked);
    if (!state) return with_mending(state.error(), asked);
    if (text_at(*state, {"state"}) == "pending") {
        const bool is_waited_for = is_by_code(*state) ? asked.waits_for_code : asked.waits_for_address;
        if (!is_waited_for) return leave_to_a_person(invocation, *state, id);
        state = finish(client, *state, id);
        if (!state) return state.error();
    }
    if (text_at(*state, {"state"}) == "connected") {
        if (invocation.json) {
            print_json(*state);
        } else {
            write_all(STDOUT_FILENO, "Connected " + asked.name + " (" + id + ").\n");
        }
        return exit_done;
    }
    Error error;
    error.code = "upstream_failed";
    error.sentence = printable(text_at(*state, {"error"}));
    error.next_step = try_again(asked);
    if (asked.refresh_token) error.next_step += " (with --refresh-token where you have another)";
    return error;
}

json::object begin_for_program(const Invocation& invocation, const Authorizing& asked) {
    Client client = invocation.client(provider_time);
    const auto state = begin(client, asked);
    if (!state) {
        const auto& error = state.error();
        json::object failed{{"state", "failed"}, {"code", error.code}, {"error", error.sentence}};
        if (!error.field.empty()) failed["field"] = error.field;
        failed["next_step"] = is_in_its_fields(error) ? mend_it(error, asked) : try_again(asked);
        return failed;
    }
    return text_at(*state, {"state"}) == "pending" ? with_next_step(*state, asked.id) : state->as_object();
}

} // namespace credlease::cli
