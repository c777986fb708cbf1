#include "cli/prompt.hpp"

#include "cli/invocation.hpp"
#include "cli/terminal.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

namespace credlease::cli {
namespace {

constexpr std::array signals_that_end = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

/// Waits for a line on standard input with the terminal's echo off. Signals come by a descriptor meanwhile, so that the
/// echo is on again before one has its effect.
class SilentTerminal {
  public:
    SilentTerminal() {
        sigemptyset(&signals_);
        for (const int signal : signals_that_end) sigaddset(&signals_, signal);
        pthread_sigmask(SIG_BLOCK, &signals_, &before_);
        arrived_ = signalfd(-1, &signals_, SFD_CLOEXEC);
        has_settings_ = tcgetattr(STDIN_FILENO, &shown_) == 0;
        hide();
    }
    ~SilentTerminal() {
        show();
        close(arrived_);
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;

    void wait_for_line() {
        while (true) {
            std::array<pollfd, 2> waited = {{{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                             {.fd = arrived_, .events = POLLIN, .revents = 0}}};
            if (poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return;
            if (waited[1].revents != 0) {
                obey_signal();
            } else if (waited[0].revents != 0) {
                return;
            }
        }
    }

  private:
    void hide() {
        if (!has_settings_) return;
        termios hidden = shown_;
        hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        hidden.c_lflag |= ECHONL;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    void show() {
        if (has_settings_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown_);
    }
    /// Lets the signal do what it does by default; a stopped program goes on here when it is continued.
    void obey_signal() {
        signalfd_siginfo info{};
        if (read(arrived_, &info, sizeof info) != sizeof info) return;
        show();
        sigset_t one{};
        sigemptyset(&one);
        sigaddset(&one, static_cast<int>(info.ssi_signo));
        raise(static_cast<int>(info.ssi_signo));
        pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
        pthread_sigmask(SIG_BLOCK, &one, nullptr);
        hide();
    }

    sigset_t signals_{};
    sigset_t before_{};
    termios shown_{};
    int arrived_ = -1;
    bool has_settings_ = false;
};

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
    return line->empty() ? otherwise : line->expose([](std::string_view text) { return std::string(text); });
}

Result<SecretText> ask_secret(const std::string& question) {
    if (!can_ask()) return nobody_to_ask();
    SilentTerminal terminal;
    write_all(STDERR_FILENO, question + ": ");
    terminal.wait_for_line();
    return SecretText::read_line(STDIN_FILENO);
}

Result<bool> ask_yes(const std::string& question, const std::string& option_instead) {
    if (!can_ask()) return usage("There is no terminal to ask on.", "If you are sure, say " + option_instead + ".");
    const auto answer = ask(question + " [y/N]");
    if (!answer) return answer.error();
    return *answer == "y" || *answer == "Y" || *answer == "yes";
}

} // namespace credlease::cli
