#include "support/daemon/daemon.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace credlease::tests {
namespace {

using namespace std::chrono_literals;

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

/// What a sanitizer found in the daemon is no test's to pass over: it ends the whole run.
void check_reports(const std::string& log) {
    for (const auto* report : {"Sanitizer", "runtime error:"}) {
        if (log.find(report) == std::string::npos) continue;
        std::fprintf(stderr, "A sanitizer reports of the daemon:\n%s\n", log.c_str());
        std::_Exit(66);
    }
}

std::filesystem::path make_folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "credlease-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    return pattern;
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
    return count;
}

template <class Done> bool wait_until(std::chrono::milliseconds within, Done done) {
    const auto end = std::chrono::steady_clock::now() + within;
    while (!done()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

std::string program(const char* variable, const char* built) {
    const char* named = std::getenv(variable);
    return named != nullptr ? named : built;
}

} // namespace

std::string daemon_program() { return program("CREDLEASED", CREDLEASED_BUILT); }
std::string crashing_program() { return CREDLEASED_CRASHING_BUILT; }
std::string command_program() { return program("CREDLEASE", CREDLEASE_BUILT); }

Daemon::Daemon(Setup setup) : setup_(std::move(setup)) {
    remove_ = !setup_.root;
    root_ = setup_.root ? *setup_.root : make_folder();
    for (const auto* folder : {"config/credlease", "state", "run"}) {
        std::filesystem::create_directories(root_ / folder);
        ::chmod((root_ / folder).c_str(), 0700);
    }
    if (setup_.open_to_others) {
        ::chmod(root_.c_str(), 0755);
        ::chmod((root_ / "run").c_str(), 0755);
    }
    if (!setup_.config.empty()) write_config(setup_.config);
}

Daemon::~Daemon() {
    if (is_sanitized) {
        (void)stop(); // leaks are looked for at its end
        check_reports(log());
    }
    kill9();
    std::error_code ignored;
    if (remove_) std::filesystem::remove_all(root_, ignored);
}

void Daemon::write_config(const std::string& text) const {
    std::ofstream(config_folder() / "credleased.toml", std::ios::trunc) << text;
}

void Daemon::exec_daemon() const {
    const int log = ::open((root_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(log, STDERR_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::setenv("XDG_CONFIG_HOME", (root_ / "config").c_str(), 1);
    ::setenv("XDG_STATE_HOME", (root_ / "state").c_str(), 1);
    ::setenv("XDG_RUNTIME_DIR", (root_ / "run").c_str(), 1);
    ::unsetenv("NOTIFY_SOCKET");
    for (const auto& [name, value] : setup_.environment) ::setenv(name.c_str(), value.c_str(), 1);
    if (setup_.before_exec) setup_.before_exec();
    const auto path = setup_.program.empty() ? daemon_program() : setup_.program;
    std::vector<std::string> arguments{path};
    arguments.insert(arguments.end(), setup_.arguments.begin(), setup_.arguments.end());
    std::vector<char*> raw;
    for (auto& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    ::execv(path.c_str(), raw.data());
    ::_exit(127);
}

bool Daemon::start() {
    ++starts_;
    const auto ready_before = count_of(log(), " Ready");
    pid_ = ::fork();
    if (pid_ == 0) exec_daemon();
    bool stopped = false;
    wait_until(60s, [&] {
        int status = 0;
        stopped = ::waitpid(pid_, &status, WNOHANG) == pid_;
        return stopped || count_of(log(), " Ready") > ready_before;
    });
    if (stopped) pid_ = 0;
    if (!stopped && setup_.open_to_others) ::chmod((root_ / "run/credlease").c_str(), 0755);
    return !stopped;
}

std::optional<int> Daemon::stop(std::chrono::milliseconds within) {
    if (pid_ == 0) return std::nullopt;
    ::kill(pid_, SIGTERM);
    int status = 0;
    const bool stopped = wait_until(within, [&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    if (!stopped) return std::nullopt;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Daemon::kill9() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
}

bool Daemon::wait_for_death(std::chrono::milliseconds within) {
    const bool has_died = pid_ != 0 && wait_until(within, [&] { return ::waitpid(pid_, nullptr, WNOHANG) == pid_; });
    if (has_died) pid_ = 0;
    return has_died;
}

void Daemon::signal(int number) const { ::kill(pid_, number); }

std::string Daemon::log() const {
    std::ifstream in(root_ / "log");
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool Daemon::wait_for_log(const std::string& text, std::size_t times, std::chrono::milliseconds within) const {
    return wait_until(within, [&] { return count_of(log(), text) >= times; });
}

} // namespace credlease::tests
