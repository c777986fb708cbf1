#include "support/oauth/process.hpp"

#include <boost/json/parse.hpp>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

namespace credlease::tests {
namespace {

struct Pipe {
    int read = -1;
    int write = -1;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    return {.read = ends[0], .write = ends[1]};
}

[[noreturn]] void exec(const Command& command) {
    for (const auto& [name, value] : command.environment) ::setenv(name.c_str(), value.c_str(), 1);
    auto words = command.words;
    std::vector<char*> raw;
    for (auto& word : words) raw.push_back(word.data());
    raw.push_back(nullptr);
    ::execv(raw[0], raw.data());
    ::_exit(127);
}

pid_t start(const Command& command, int input, int output) {
    const auto child = ::fork();
    if (child == 0) {
        if (input >= 0) ::dup2(input, STDIN_FILENO);
        ::dup2(output, STDOUT_FILENO);
        exec(command);
    }
    if (child < 0) throw std::runtime_error("fork failed");
    return child;
}

void write_whole(int file, std::string_view text) {
    while (!text.empty()) {
        const auto wrote = ::write(file, text.data(), text.size());
        if (wrote <= 0) throw std::runtime_error("a server does not read its input");
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
}

std::string read_line(int file) {
    std::string line;
    char byte = 0;
    while (::read(file, &byte, 1) == 1 && byte != '\n') line += byte;
    return line;
}

std::string read_whole(int file) {
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = ::read(file, part.data(), part.size())) > 0;) {
        text.append(part.data(), static_cast<std::size_t>(got));
    }
    return text;
}

} // namespace

std::filesystem::path make_folder(const std::string& beginning) {
    std::string pattern = std::filesystem::temp_directory_path() / (beginning + "-XXXXXX");
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    return pattern;
}

ServingProcess::ServingProcess(const Command& command, const std::string& input) {
    const auto given = make_pipe();
    const auto told = make_pipe();
    pid_ = start(command, given.read, told.write);
    ::close(given.read);
    ::close(told.write);
    input_ = given.write;
    if (!input.empty()) write_whole(input_, input);
    const auto line = read_line(told.read);
    ::close(told.read);
    if (line.empty()) {
        end();
        throw std::runtime_error(command.words.back() + " did not start; what it said is on standard error");
    }
    ready_ = boost::json::parse(line).as_object();
}

void ServingProcess::end() const {
    ::close(input_);
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
}

PrintingProcess::PrintingProcess(const Command& command) {
    const auto told = make_pipe();
    pid_ = start(command, -1, told.write);
    ::close(told.write);
    output_ = told.read;
}

PrintingProcess::~PrintingProcess() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
    ::close(output_);
}

std::optional<std::string> PrintingProcess::next(std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    std::size_t end = std::string::npos;
    while ((end = bytes_.find('\n')) == std::string::npos) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd waited{.fd = output_, .events = POLLIN, .revents = 0};
        if (left.count() < 0 || ::poll(&waited, 1, static_cast<int>(left.count())) <= 0) return std::nullopt;
        std::array<char, 4096> part{};
        const auto got = ::read(output_, part.data(), part.size());
        if (got <= 0) return std::nullopt;
        bytes_.append(part.data(), static_cast<std::size_t>(got));
    }
    auto line = bytes_.substr(0, end);
    bytes_.erase(0, end + 1);
    return line;
}

std::optional<std::string> PrintingProcess::next_with(const std::string& part) {
    auto line = next();
    while (line && !line->contains(part)) line = next();
    return line;
}

std::string output_of(const Command& command, const std::string& input) {
    const auto given = make_pipe();
    const auto told = make_pipe();
    const auto child = start(command, given.read, told.write);
    ::close(given.read);
    ::close(told.write);
    write_whole(given.write, input);
    ::close(given.write);
    auto text = read_whole(told.read);
    ::close(told.read);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) throw std::runtime_error(command.words.back() + " failed; what it said is on standard error");
    return text;
}

} // namespace credlease::tests
