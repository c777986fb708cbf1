#include "support/oauth/process.hpp"

#include <boost/json/parse.hpp>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
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
