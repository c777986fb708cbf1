#include "cli/silent_terminal.hpp"

#include "cli/terminal.hpp"

#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace credlease::cli {
namespace {

constexpr std::array signals_that_end = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

std::string_view without_last_character(std::string_view text) {
    const auto is_inside = [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }; // of UTF-8
    while (!text.empty() && is_inside(text.back())) text.remove_suffix(1);
    text.remove_suffix(text.empty() ? 0 : 1);
    return text;
}

std::string_view without_last_word(std::string_view text) {
    while (text.ends_with(' ')) text.remove_suffix(1);
    while (!text.empty() && !text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

} // namespace

SilentTerminal::SilentTerminal() {
    sigemptyset(&signals_);
    for (const int signal : signals_that_end) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, &before_);
    arrived_ = signalfd(-1, &signals_, SFD_CLOEXEC);
    has_settings_ = tcgetattr(STDIN_FILENO, &shown_) == 0;
    hide();
}

SilentTerminal::~SilentTerminal() {
    show();
    close(arrived_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SilentTerminal::hide() {
    if (!has_settings_) return;
    termios hidden = shown_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON);
    hidden.c_cc[VMIN] = 1;
    hidden.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
}

void SilentTerminal::show() {
    if (has_settings_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown_);
}

void SilentTerminal::obey_signal() {
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

SilentTerminal::Byte SilentTerminal::read_byte(char& into, const std::function<bool()>& is_needless) {
    const int patience = is_needless ? 1000 : -1;
    while (true) {
        std::array<pollfd, 2> waited = {
            {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}, {.fd = arrived_, .events = POLLIN, .revents = 0}}};
        const int count = poll(waited.data(), waited.size(), patience);
        if (count < 0 && errno != EINTR) return Byte::gone;
        if (count == 0) {
            if (is_needless()) return Byte::needless;
        } else if (waited[1].revents != 0) {
            obey_signal();
        } else if (waited[0].revents != 0) {
            const ssize_t got = read(STDIN_FILENO, &into, 1);
            if (got < 0 && errno == EINTR) continue;
            return got == 1 ? Byte::read : Byte::gone;
        }
    }
}

bool SilentTerminal::is_key(char byte, int key) const {
    const cc_t meant = shown_.c_cc[key];
    return meant != _POSIX_VDISABLE && static_cast<cc_t>(byte) == meant;
}

std::size_t SilentTerminal::size_after(std::string_view line) const {
    const std::string_view before = line.substr(0, line.size() - 1);
    if (is_key(line.back(), VERASE)) return without_last_character(before).size();
    if (is_key(line.back(), VWERASE)) return without_last_word(before).size();
    return is_key(line.back(), VKILL) ? 0 : line.size();
}

SilentTerminal::Line SilentTerminal::read_line(std::span<char> room, const std::function<bool()>& is_needless) {
    std::size_t size = 0;
    auto end = Line::End::whole;
    while (true) {
        char& byte = room[size];
        const auto came = read_byte(byte, is_needless);
        if (came == Byte::gone) return {Line::End::gone, 0};
        if (came == Byte::needless) {
            end = Line::End::needless;
            break;
        }
        if (byte == '\n' || is_key(byte, VEOF)) break;
        size = size_after({room.data(), size + 1});
        // Read on to the newline all the same: what is left unread would be typed into the shell.
        if (size == room.size()) end = Line::End::too_long, --size;
    }
    write_all(STDERR_FILENO, "\n");
    return {end, size};
}

} // namespace credlease::cli
