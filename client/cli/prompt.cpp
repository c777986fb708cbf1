#include "cli/prompt.hpp"

#include "cli/invocation.hpp"
#include "cli/silent_terminal.hpp"
#include "cli/terminal.hpp"

#include <algorithm>
#include <unistd.h>

namespace credlease::cli {
namespace {

/// What a field may hold (interface §3).
constexpr std::size_t secret_most = std::size_t{64} << 10;
/// What a terminal passes on of one line; it drops the rest in silence (termios(3)).
constexpr std::size_t line_most = 4095;

Error too_long(std::size_t most) {
    return usage("What was typed is too long: at most " + std::to_string(most) + " bytes. Nothing was sent.",
                 "Give it from a file, with --field NAME=@FILE.");
}

Error nobody_to_ask() {
    return usage("There is no terminal to ask on.",
                 "Give it with an option; a secret with --field NAME=@FILE or NAME=-.");
}

} // namespace

Result<std::string> ask(const std::string& question, const std::string& otherwise) {
    if (!can_ask()) return nobody_to_ask();
    write_all(STDERR_FILENO, question + (otherwise.empty() ? ": " : " [" + otherwise + "]: "));
    const auto line = SecretText::read_line(STDIN_FILENO);
    if (!line) return line.error();
    if (line->size() >= line_most) return too_long(line_most - 1);
    return line->empty() ? otherwise : line->expose([](std::string_view text) { return std::string(text); });
}

Result<std::optional<SecretText>> ask_secret_unless(const std::string& question,
                                                    const std::function<bool()>& is_needless) {
    using Maybe = std::optional<SecretText>;
    if (!can_ask()) return nobody_to_ask();
    SilentTerminal terminal;
    write_all(STDERR_FILENO, question + ": ");
    SilentTerminal::Line line{};
    const auto typed = SecretText::filled(secret_most + 1,
                                          [&](std::span<char> room) { line = terminal.read_line(room, is_needless); });
    if (!typed) return typed.error();
    if (line.end == SilentTerminal::Line::End::needless) return Maybe();
    if (line.end == SilentTerminal::Line::End::gone) return usage("The terminal has gone. Nothing was sent.");
    if (line.end == SilentTerminal::Line::End::too_long) return too_long(secret_most);
    auto taken = typed->expose([&](std::string_view text) { return SecretText::copy_of(text.substr(0, line.size)); });
    if (!taken) return taken.error();
    return Maybe(std::move(*taken));
}

Result<SecretText> ask_secret(const std::string& question) {
    auto asked = ask_secret_unless(question, nullptr);
    if (!asked) return asked.error();
    return std::move(**asked);
}

Result<SecretText> ask_or_read_secret(const std::string& question) {
    if (isatty(STDIN_FILENO) == 1) return ask_secret(question);
    auto text = SecretText::read_from(STDIN_FILENO);
    if (text) text->cut_newline();
    return text;
}

Result<bool> ask_yes(const std::string& question, const std::string& option_instead) {
    if (!can_ask()) return usage("There is no terminal to ask on.", "If you are sure, say " + option_instead + ".");
    const auto answer = ask(question + " [y/N]");
    if (!answer) return answer.error();
    return *answer == "y" || *answer == "Y" || *answer == "yes";
}

} // namespace credlease::cli
