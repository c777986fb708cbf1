#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/prompt.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::vector<std::string> words;
};

constexpr std::size_t new_passphrase_least = 8;

Result<void> check_words(const Asked& asked) {
    if (asked.words.empty() || asked.words == std::vector<std::string>{"-"}) return {};
    return usage("A passphrase as an argument shows in ps(1) and stays in the shell's history. Nothing was sent.",
                 "Say nothing to be asked, or - to give it on standard input. What was typed is best changed.");
}

Result<void> check_length(const SecretText& passphrase, bool is_new) {
    if (passphrase.empty()) return usage("The passphrase is empty. Nothing was sent.");
    if (!is_new || passphrase.expose(characters_in) >= new_passphrase_least) return {};
    return usage("A new passphrase has " + std::to_string(new_passphrase_least) +
                     " characters or more. Nothing was sent.",
                 "Choose a longer one: several words, say.");
}

Result<SecretText> ask_passphrase(bool is_new) {
    if (!can_ask()) {
        return usage("There is no terminal to ask on.", "Give the passphrase on standard input: credlease unseal -");
    }
    auto first = ask_secret(is_new ? "New passphrase" : "Passphrase");
    if (!first || !is_new) return first;
    if (auto checked = check_length(*first, is_new); !checked) return checked.error();
    auto second = ask_secret("The same again");
    if (!second) return second;
    const bool same = first->expose(
        [&](std::string_view one) { return second->expose([&](std::string_view other) { return one == other; }); });
    if (!same) return usage("The two passphrases differ. Nothing was sent.");
    return first;
}

Result<SecretText> read_passphrase(const Asked& asked, bool is_new) {
    if (asked.words.empty() || isatty(STDIN_FILENO) == 1) return ask_passphrase(is_new); // what is read would be shown
    auto text = SecretText::read_from(STDIN_FILENO);
    if (text) text->cut_newline();
    return text;
}

Result<Answer> unseal_with(Client& client, const Asked& asked, bool is_new) {
    const auto passphrase = read_passphrase(asked, is_new);
    if (!passphrase) return passphrase.error();
    if (auto checked = check_length(*passphrase, is_new); !checked) return checked.error();
    return client.send_secret({.method = "POST", .path = "/v1/unseal"}, "passphrase", *passphrase);
}

Result<int> say(const Invocation& invocation, const json::value& status, const std::string& sentence) {
    if (invocation.json) {
        print_json(status);
    } else {
        write_all(STDOUT_FILENO, sentence + "\n");
    }
    return exit_done;
}

Result<int> unseal(const Invocation& invocation, const Asked& asked) {
    if (auto checked = check_words(asked); !checked) return checked.error();
    // The broker may let a wrong passphrase wait for 30 seconds, and then derives the key.
    Client client = invocation.client(std::chrono::minutes(2));
    const auto before = get(client, Target("/v1/status"));
    if (!before) return before.error();
    if (text_at(*before, {"state"}) == "ready") return say(invocation, *before, "The broker was not sealed.");
    const bool by_passphrase = text_at(*before, {"seal_method"}) == "passphrase";
    const bool is_new = by_passphrase && text_at(*before, {"root_key"}) == "unset";
    const auto answer = by_passphrase ? unseal_with(client, asked, is_new)
                                      : client.send({.method = "POST", .path = "/v1/unseal", .json = "{}"});
    if (!answer) return answer.error();
    const auto status = read_json(*answer);
    if (!status) return status.error();
    return say(invocation, *status,
               (is_new ? "The passphrase was set: only it opens this store. " : "") +
                   ("The broker is " + printable(text_at(*status, {"state"})) + "."));
}

} // namespace

void offer_unseal(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command
            .add_option("passphrase", asked.words,
                        "-: read the passphrase from standard input, where that is no terminal")
            ->type_name("-");
    };
    offer<Asked>(program, invocation, "unseal", "Give the broker its keys back", describe, unseal);
}

} // namespace credlease::cli
