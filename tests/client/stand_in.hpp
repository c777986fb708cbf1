#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace credlease::test {

/// A directory of its own, gone with this object.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// Stands in for the broker where a test needs answers that a broker does not give on demand: speaks HTTP/1.1 over a
/// Unix socket, one thread a connection, and answers what `handle` says.
class StandIn {
  public:
    struct Request {
        std::string method;
        std::string path;
        std::map<std::string, std::string> headers; ///< names in lower case
        std::string body;
        pid_t pid = 0; ///< of the connected process, by SO_PEERCRED
        int connection = 0;
    };
    struct Response {
        unsigned status = 200;
        std::string body = "{}";
        std::map<std::string, std::string> headers{};
        enum class Then {
            keep,
            close_before_answer,
            close_after_answer,
            stay_silent,
            break_off,
            stream, ///< the body is only the beginning: see `push`
        } then = Then::keep;
    };
    using Handle = std::function<Response(const Request&)>;

    StandIn(std::filesystem::path socket, Handle handle);
    ~StandIn();
    StandIn(const StandIn&) = delete;
    StandIn& operator=(const StandIn&) = delete;

    [[nodiscard]] std::string socket() const { return socket_.string(); }
    [[nodiscard]] std::vector<Request> seen() const;
    /// Waits until so many requests were seen, at most ten seconds.
    [[nodiscard]] bool wait_for(std::size_t count) const;
    /// More of every answer that is a stream; how many there are.
    std::size_t push(const std::string& text);
    /// Ends them.
    void cut_streams();
    [[nodiscard]] int connections() const { return connections_; }

  private:
    void accept_all();
    void serve(int descriptor, int number);
    bool answer(int descriptor, const Request& request);

    std::filesystem::path socket_;
    Handle handle_;
    int listener_ = -1;
    std::atomic<int> connections_{0};
    std::atomic<bool> is_stopping_{false};
    mutable std::mutex lock_;
    std::vector<Request> seen_;
    std::vector<int> open_;
    std::vector<int> streams_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

/// A lease's answer as interface §3 has it; it lives for `seconds` and may be renewed for an hour.
[[nodiscard]] std::string lease_json(double seconds, const std::string& token = "xoxb-secret-token",
                                     const std::string& id = "lease_01j00000000000000000000000");
/// The same without its secret: a renewal that changed nothing.
[[nodiscard]] std::string renewal_json(double seconds);
/// An error as interface §3 has it; `more` are further members (",\"reason\":\"expired\"").
[[nodiscard]] StandIn::Response problem(unsigned status, const std::string& code, const std::string& detail,
                                        const std::string& more = "");

} // namespace credlease::test
