#include "cli/child.hpp"

#include "cli/invocation.hpp"
#include "cli/terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace credlease::cli {
namespace {

constexpr pid_t no_process = 0;
constexpr int not_found = 127;
constexpr int not_executable = 126;

/// All that is passed on, and the child's own.
constexpr std::array attended = {SIGCHLD, SIGTERM, SIGINT,   SIGHUP,  SIGQUIT,
                                 SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT};

/// Of this program's own: that there is something to look at.
int wake_signal() { return SIGRTMIN; }

sigset_t attended_set() {
    sigset_t set{};
    sigemptyset(&set);
    for (const int signal : attended) sigaddset(&set, signal);
    sigaddset(&set, wake_signal());
    return set;
}

bool is_replaced(std::string_view variable, const std::vector<std::string>& replaced) {
    return std::ranges::find(replaced, variable.substr(0, variable.find('='))) != replaced.end();
}

/// This program's environment without what is replaced, then the new variables where they lie.
std::vector<char*> pointers_to(std::string_view variables, const std::vector<std::string>& replaced) {
    std::vector<char*> pointers;
    for (char** at = environ; *at != nullptr; ++at) {
        if (!is_replaced(*at, replaced)) pointers.push_back(*at);
    }
    while (!variables.empty()) {
        pointers.push_back(const_cast<char*>(variables.data())); // NOLINT: execve(2) takes them so, and changes nothing
        variables.remove_prefix(std::min(variables.find('\0') + 1, variables.size()));
    }
    pointers.push_back(nullptr);
    return pointers;
}

/// posix_spawn(3) shares this program's memory with the child until it executes: a forked child would find the locked
/// memory empty.
int spawn(pid_t& process, const std::vector<std::string>& command, char* const* environment) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str())); // NOLINT: as above
    arguments.push_back(nullptr);
    signal(SIGCHLD, SIG_DFL); // were it ignored, the child's end would not be seen
    // Whenever a child is started, it gets the mask that this program was started with.
    static const sigset_t before = [] {
        sigset_t was{};
        const sigset_t blocked = attended_set();
        pthread_sigmask(SIG_BLOCK, &blocked, &was);
        sigdelset(&was, wake_signal());
        return was;
    }();
    posix_spawnattr_t attributes{};
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &before);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    const int failed = posix_spawnp(&process, arguments[0], nullptr, &attributes, arguments.data(), environment);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

} // namespace

Result<Child> Child::start(const std::vector<std::string>& command, const Environment& environment) {
    pid_t process = no_process;
    const int failed = environment.variables.expose([&](std::string_view variables) {
        const auto pointers = pointers_to(variables, environment.replaced);
        return spawn(process, command, pointers.data());
    });
    if (failed == 0) return Child(process, 0);
    report({.code = "command", .sentence = printable(command[0]) + ": " + std::strerror(failed) + "."}, false);
    return Child(no_process, failed == ENOENT ? not_found : not_executable);
}

int Child::attend(const std::function<void()>& look) {
    while (!has_ended()) {
        take_signal();
        look();
    }
    return status_;
}

bool Child::end() {
    constexpr auto patience = std::chrono::seconds(10);
    const auto until = std::chrono::steady_clock::now() + patience;
    send(SIGTERM);
    while (!has_ended()) {
        take_signal();
        if (std::chrono::steady_clock::now() >= until) send(SIGKILL);
    }
    return !is_told_to_end_;
}

void Child::take_signal() {
    constexpr timespec look_every{.tv_sec = 1, .tv_nsec = 0};
    const sigset_t waited = attended_set();
    siginfo_t info{};
    const int signal = sigtimedwait(&waited, &info, &look_every);
    if (signal <= 0 || signal == SIGCHLD || signal == wake_signal()) return;
    is_told_to_end_ = is_told_to_end_ || signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
    pass_on(signal, info.si_code);
}

void Child::send(int signal) const {
    if (process_ != no_process) kill(process_, signal);
}

void Child::expect_wake() {
    sigset_t set{};
    sigemptyset(&set);
    sigaddset(&set, wake_signal());
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void Child::wake() { kill(getpid(), wake_signal()); }

bool Child::has_ended() {
    if (process_ == no_process) return true;
    int status = 0;
    while (waitpid(process_, &status, WNOHANG | WUNTRACED) == process_) {
        if (WIFSTOPPED(status)) {
            // Stopped from the terminal: the shell must see this program stopped too, and continues both.
            if (WSTOPSIG(status) != SIGSTOP && isatty(STDIN_FILENO) == 1) kill(getpid(), SIGSTOP);
            continue;
        }
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        process_ = no_process;
        return true;
    }
    return false;
}

void Child::pass_on(int signal, int code) const {
    // What the terminal sends goes to the whole foreground group: the command has it already.
    const bool is_from_terminal = code == SI_KERNEL;
    if (!is_from_terminal || signal == SIGCONT) kill(process_, signal);
}

} // namespace credlease::cli
