#include "logs/log.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cstdlib>
#include <unistd.h>

namespace credlease::logs {
namespace {

spdlog::level::level_enum level_of(std::string_view name) {
    if (name == "debug") return spdlog::level::debug;
    if (name == "warning") return spdlog::level::warn;
    if (name == "error") return spdlog::level::err;
    return spdlog::level::info;
}

spdlog::level::level_enum level_of(Level level) {
    switch (level) {
    case Level::debug:
        return spdlog::level::debug;
    case Level::info:
        return spdlog::level::info;
    case Level::warning:
        return spdlog::level::warn;
    case Level::error:
        return spdlog::level::err;
    }
    return spdlog::level::info;
}

std::string_view name_of(Level level) {
    switch (level) {
    case Level::debug:
        return "debug";
    case Level::info:
        return "info";
    case Level::warning:
        return "warning";
    case Level::error:
        return "error";
    }
    return "";
}

/// syslog(3)'s priorities, which journald reads from the head of a line.
std::string_view priority_of(Level level) {
    switch (level) {
    case Level::debug:
        return "<7>";
    case Level::info:
        return "<6>";
    case Level::warning:
        return "<4>";
    case Level::error:
        return "<3>";
    }
    return "";
}

/// As it is where it is one word, so that no value is taken for another field.
std::string as_one_word(std::string_view value) {
    if (value.find_first_of(" =\"") == std::string_view::npos) return std::string(value);
    return boost::json::serialize(boost::json::string_view(value.data(), value.size()));
}

std::string as_text(result::StaticText sentence, std::initializer_list<Field> fields) {
    std::string line(sentence.view());
    for (const auto& field : fields)
        line.append(" ").append(field.name.view()).append("=").append(as_one_word(field.value));
    return line;
}

std::string as_json(Level level, result::StaticText sentence, std::initializer_list<Field> fields) {
    boost::json::object object;
    object["level"] = name_of(level);
    object["message"] = sentence.view();
    for (const auto& field : fields) object[field.name.view()] = field.value;
    return boost::json::serialize(object);
}

} // namespace

std::string lines_of(const result::Error& error) {
    std::string lines(error.sentence.view());
    for (const auto& more : {std::string_view(error.about.text()), error.next_step.view()}) {
        if (!more.empty()) lines.append("\n    ").append(more);
    }
    return lines;
}

bool is_read_by_a_person() { return ::isatty(STDERR_FILENO) == 1; }

struct Log::State {
    State() : logger("credleased", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {}
    spdlog::logger logger;
    Format format = Format::text;
    bool terminal = is_read_by_a_person();
    bool journald = std::getenv("JOURNAL_STREAM") != nullptr;
};

Log::Log(std::string_view level, Format format) : state_(std::make_unique<State>()) { set(level, format); }
Log::~Log() = default;

void Log::set(std::string_view level, Format format) {
    state_->format = format;
    state_->logger.set_level(level_of(level));
    state_->logger.flush_on(spdlog::level::debug);
    const bool bare = state_->journald || format == Format::json;
    state_->logger.set_pattern(bare ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
}

void Log::say(Level level, result::StaticText sentence, std::initializer_list<Field> fields) {
    auto line = state_->format == Format::json ? as_json(level, sentence, fields) : as_text(sentence, fields);
    if (state_->journald) line.insert(0, priority_of(level));
    state_->logger.log(level_of(level), spdlog::string_view_t(line));
}

void Log::refuse(const result::Error& error) {
    if (state_->terminal && state_->format == Format::text) {
        state_->logger.log(spdlog::level::err, spdlog::string_view_t(lines_of(error)));
        return;
    }
    say(Level::error, error.sentence,
        {{"code", result::PublicText::of(result::name_of(error.code))},
         {"about", error.about},
         {"next", error.next_step}});
}

} // namespace credlease::logs
