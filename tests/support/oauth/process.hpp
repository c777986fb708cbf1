#pragma once

#include <boost/json/object.hpp>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace credlease::tests {

/// What a process is started with: its program and arguments, and what its environment has besides this one's.
struct Command {
    std::vector<std::string> words;
    std::map<std::string, std::string> environment{};
};

/// A folder under TMPDIR with that beginning of its name.
[[nodiscard]] std::filesystem::path make_folder(const std::string& beginning);

/// A server in a process of its own: it prints one line of JSON when it listens, and ends when its standard input does.
class ServingProcess {
  public:
    /// Gives it `input` and waits for its line; throws when it ended instead.
    explicit ServingProcess(const Command& command, const std::string& input = {});
    ~ServingProcess() { end(); }
    ServingProcess(const ServingProcess&) = delete;
    ServingProcess& operator=(const ServingProcess&) = delete;

    [[nodiscard]] const boost::json::object& ready() const { return ready_; } ///< the line
    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    void end() const;

    pid_t pid_ = 0;
    int input_ = -1;
    boost::json::object ready_;
};

/// A program that runs, and what it prints, line by line. It is ended by SIGTERM and waited for.
class PrintingProcess {
  public:
    explicit PrintingProcess(const Command& command);
    ~PrintingProcess();
    PrintingProcess(const PrintingProcess&) = delete;
    PrintingProcess& operator=(const PrintingProcess&) = delete;

    /// The next line; nullopt: none came within `patience`, or it prints no more.
    [[nodiscard]] std::optional<std::string> next(std::chrono::milliseconds patience = std::chrono::seconds(20));
    /// The next one that holds `part`.
    [[nodiscard]] std::optional<std::string> next_with(const std::string& part);

  private:
    pid_t pid_ = 0;
    int output_ = -1;
    std::string bytes_; ///< that came and were not taken yet
};

/// What a program that ends prints, given `input`; throws when its exit status is not 0. What is secret (an address
/// with a state) goes there, and not into the words, which every user sees.
[[nodiscard]] std::string output_of(const Command& command, const std::string& input = {});

} // namespace credlease::tests
