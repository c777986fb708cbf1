#include "cli/commands.hpp"
#include "cli/credential_reference.hpp"
#include "cli/prompt.hpp"
#include "cli/terminal.hpp"

#include <algorithm>
#include <chrono>
#include <unistd.h>

namespace credlease::cli {
namespace {

struct Asked {
    std::string credential;
    bool upstream = false;
    bool yes = false;
};

/// A line for each token, as its provider answered.
std::string describe_upstream(const json::array& tokens) {
    std::string lines;
    for (const auto& token : tokens) {
        const bool is_revoked = is_true_at(token, {"ok"});
        lines += text_at(token, {"token"}) == "refresh_token" ? "Refresh token" : "Access token";
        if (const auto slot = text_at(token, {"slot"}); !slot.empty()) lines += " \"" + printable(slot) + "\"";
        lines += is_revoked ? " was revoked at its provider.\n"
                            : " was not revoked at its provider: " + printable(text_at(token, {"detail"})) + "\n";
    }
    return lines;
}

/// `upstream`: why the provider was not asked, where it was meant to be and cannot be; then it is revoked here alone.
Result<json::value> send_revoke(Client& client, const FoundCredential& found, bool is_asked_upstream, Error& upstream) {
    if (!is_asked_upstream) return send_action(client, found, "revoke");
    auto revoked = send_action(client, found, "revoke", {{"upstream", true}});
    if (revoked || revoked.error().field != "upstream") return revoked;
    upstream = revoked.error();
    return send_action(client, found, "revoke");
}

Result<int> revoke(const Invocation& invocation, const Asked& asked) {
    // The provider is asked for one token after the other.
    Client client = asked.upstream ? invocation.client(std::chrono::minutes(2)) : invocation.client();
    const auto found = find_credential(invocation, client, asked.credential);
    if (!found) return found.error();
    const std::string what = printable(found->name) + " (" + found->id + ")";
    const bool was_revoked = text_at(found->entry, {"status"}) == "revoked";
    if (!asked.yes && !was_revoked) {
        const auto sure = ask_yes("Revoke " + what + "? Its leases end at once.", "--yes");
        if (!sure) return sure.error();
        if (!*sure) return usage("Nothing was revoked.");
    }
    Error not_asked;
    const auto revoked = send_revoke(client, *found, asked.upstream, not_asked);
    if (!revoked) return revoked.error();
    const auto* upstream = find_at(*revoked, {"upstream"});
    const json::array tokens = upstream != nullptr && upstream->is_array() ? upstream->get_array() : json::array{};
    const bool all_revoked = std::ranges::all_of(tokens, [](const auto& each) { return is_true_at(each, {"ok"}); });
    const bool was_asked = not_asked.code.empty();
    const int exit_status = all_revoked && was_asked ? exit_done : exit_refused;
    if (invocation.json) {
        print_json(*revoked);
        return exit_status;
    }
    std::string said =
        was_revoked ? what + " was revoked already.\n" : "Revoked " + what + "; its leases have ended.\n";
    const auto note = printable(text_at(*revoked, {"note"}));
    if (!was_revoked && !note.empty()) said += note + "\n";
    if (!was_asked) said += "Its provider was not asked: " + printable(not_asked.sentence) + "\n";
    write_all(STDOUT_FILENO, said + describe_upstream(tokens));
    return exit_status;
}

} // namespace

void offer_revoke(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.footer(
            "A secret that was already handed out stays valid at its service until it is changed there.\n"
            "credlease restore takes the revocation back here; tokens that were revoked upstream are gone.\n"
            "Where the provider cannot be asked it is revoked here alone. Exits with 1 where the provider was\n"
            "not asked, or did not revoke one of them.");
        command.add_option("credential", asked.credential, "Its id or name")->required();
        command.add_flag("--upstream", asked.upstream, "Revoke its OAuth tokens at their provider, too");
        command.add_flag("--yes", asked.yes, "Do not ask");
    };
    offer<Asked>(program, invocation, "revoke", "End a credential's leases and give no more", describe, revoke);
}

} // namespace credlease::cli
