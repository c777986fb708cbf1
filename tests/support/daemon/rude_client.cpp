#include "support/daemon/rude_client.hpp"

#include <array>
#include <csignal>
#include <exception>
#include <grp.h>
#include <sched.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace credlease::tests {
namespace {

[[noreturn]] void live(unsigned uid, int told, const std::function<void(const std::function<void()>&)>& life) {
    const sched_param none{};
    ::sched_setscheduler(0, SCHED_IDLE, &none);
    if (::setgroups(0, nullptr) != 0 || ::setgid(uid) != 0 || ::setuid(uid) != 0) ::_exit(99);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        life([told] { (void)!::write(told, "u", 1); });
    } catch (const std::exception&) { // refused at the door: it has tried
        ::_exit(98);
    }
    ::_exit(0);
}

} // namespace

RudeClient::RudeClient(unsigned uid, const std::function<void(const std::function<void()>& under_way)>& life) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
        ::close(pipe[0]);
        live(uid, pipe[1], life);
    }
    ::close(pipe[1]);
    char byte = 0;
    is_under_way_ = ::read(pipe[0], &byte, 1) == 1;
    ::close(pipe[0]);
}

RudeClient::RudeClient(RudeClient&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), is_under_way_(other.is_under_way_) {}

RudeClient::~RudeClient() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

} // namespace credlease::tests
