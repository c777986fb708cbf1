#pragma once

#include <boost/json/object.hpp>

#include <filesystem>
#include <map>
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

/// What a program that ends prints, given `input`; throws when its exit status is not 0. What is secret (an address
/// with a state) goes there, and not into the words, which every user sees.
[[nodiscard]] std::string output_of(const Command& command, const std::string& input = {});

} // namespace credlease::tests
