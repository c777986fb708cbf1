#pragma once

#include <csignal>
#include <functional>
#include <span>
#include <string_view>
#include <termios.h>

namespace credlease::cli {

/// Reads a line from the terminal on standard input, which shows nothing of it meanwhile. The terminal does not gather
/// the line itself: it would drop, in silence, what goes beyond 4095 bytes (N_TTY in termios(3)). Signals come by a
/// descriptor meanwhile, so that the echo is on again before one has its effect.
class SilentTerminal {
  public:
    SilentTerminal();
    ~SilentTerminal();
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;

    struct Line {
        enum class End { whole, too_long, gone, needless } end;
        std::size_t size;
    };
    /// Byte by byte into `room`, up to the newline; one byte of it is for the next one. The terminal's keys to erase a
    /// character, a word or all, and to end the line, do so. `is_needless` is asked each second: then nobody waits for
    /// the line any more.
    [[nodiscard]] Line read_line(std::span<char> room, const std::function<bool()>& is_needless = nullptr);

  private:
    void hide();
    void show();
    /// Lets the signal do what it does by default; a stopped program goes on here when it is continued.
    void obey_signal();
    enum class Byte { read, gone, needless };
    [[nodiscard]] Byte read_byte(char& into, const std::function<bool()>& is_needless);
    [[nodiscard]] bool is_key(char byte, int key) const;
    /// How much of the line is left when its last byte was a key that erases; all of it, when it was none.
    [[nodiscard]] std::size_t size_after(std::string_view line) const;

    sigset_t signals_{};
    sigset_t before_{};
    termios shown_{};
    int arrived_ = -1;
    bool has_settings_ = false;
};

} // namespace credlease::cli
