#pragma once

#include "result/public_text.hpp"
#include "result/result.hpp"
#include "result/static_text.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace credlease::logs {

enum class Level : std::uint8_t { debug, info, warning, error };

/// A named value of a log line: public by its type.
struct Field {
    result::StaticText name;
    std::string value;

    Field(result::StaticText field, const result::PublicText& text) : name(field), value(text.text()) {}
    Field(result::StaticText field, result::StaticText text) : name(field), value(text.view()) {}
    Field(result::StaticText field, std::uint64_t number) : name(field), value(std::to_string(number)) {}
};

/// An error for people: its sentence, what it is about and the next step, a line each, without a newline at the end.
[[nodiscard]] std::string lines_of(const result::Error& error);
/// Is standard error a person's terminal?
[[nodiscard]] bool is_read_by_a_person();

/// Structured lines on standard error: sentences written in the source, and fields that are public by their type, so
/// that no line can hold a secret. Under journald (JOURNAL_STREAM) lines carry a priority prefix instead of a time
/// (sd-daemon(3)).
class Log {
  public:
    enum class Format : std::uint8_t { text, json };
    /// `level`: "debug", "info", "warning" or "error".
    Log(std::string_view level, Format format);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void say(Level level, result::StaticText sentence, std::initializer_list<Field> fields = {});
    void info(result::StaticText sentence, std::initializer_list<Field> fields = {}) {
        say(Level::info, sentence, fields);
    }
    void warn(result::StaticText sentence, std::initializer_list<Field> fields = {}) {
        say(Level::warning, sentence, fields);
    }
    /// An error value: its sentence, what it is about, and the next step; on a terminal a line each.
    void refuse(const result::Error& error);
    void set(std::string_view level, Format format);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace credlease::logs
