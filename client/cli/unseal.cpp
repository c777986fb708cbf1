#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/prompt.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string source;
};

Result<SecretText> ask_passphrase(bool is_new) {
    auto first = ask_secret(is_new ? "New passphrase" : "Passphrase");
    if (!first || !is_new) return first;
    auto second = ask_secret("The same again");
    if (!second) return second;
    const bool same = first->expose(
        [&](std::string_view one) { return second->expose([&](std::string_view other) { return one == other; }); });
    if (!same) return usage("The two passphrases differ. Nothing was sent.");
    return first;
}

Result<SecretText> read_passphrase(const Asked& asked, bool is_new) {
    if (asked.source.empty()) return ask_passphrase(is_new);
    if (asked.source != "-") {
        return usage("A passphrase as an argument shows in ps(1) and stays in the shell's history. Nothing was sent.",
                     "Say nothing to be asked, or - to give it on standard input. What was typed is best changed.");
    }
    auto text = SecretText::read_from(STDIN_FILENO);
    if (text) text->cut_newline();
    return text;
}

Result<Answer> unseal_with(Client& client, const Asked& asked, bool is_new) {
    const auto passphrase = read_passphrase(asked, is_new);
    if (!passphrase) return passphrase.error();
    if (passphrase->empty()) return usage("The passphrase is empty. Nothing was sent.");
    return client.send_secret({.method = "POST", .path = "/v1/unseal"}, "passphrase", *passphrase);
}

Result<int> say(const Invocation& invocation, const json::value& status) {
    if (invocation.json) {
        print_json(status);
    } else {
        write_all(STDOUT_FILENO, "The broker is " + printable(text_at(status, {"state"})) + ".\n");
    }
    return exit_done;
}

Result<int> unseal(const Invocation& invocation, const Asked& asked) {
    // The broker may let a wrong passphrase wait for 30 seconds, and then derives the key.
    Client client = invocation.client(std::chrono::minutes(2));
    const auto before = get(client, Target("/v1/status"));
    if (!before) return before.error();
    if (text_at(*before, {"state"}) == "ready") return say(invocation, *before);
    const bool by_passphrase = text_at(*before, {"seal_method"}) == "passphrase";
    const bool is_new = text_at(*before, {"root_key"}) == "unset";
    const auto answer = by_passphrase ? unseal_with(client, asked, is_new)
                                      : client.send({.method = "POST", .path = "/v1/unseal", .json = "{}"});
    if (!answer) return answer.error();
    const auto status = read_json(*answer);
    if (!status) return status.error();
    return say(invocation, *status);
}

} // namespace

void offer_unseal(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("passphrase", asked.source, "-: read the passphrase from standard input")->type_name("-");
    };
    offer<Asked>(program, invocation, "unseal", "Give the broker its keys back", describe, unseal);
}

} // namespace credlease::cli
