#pragma once

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

namespace credlease::test {

/// How a forked child ended that ran `body`: the number that it returned, or minus the signal that killed it.
template <class Body> int in_child(Body body) {
    const pid_t child = fork();
    if (child == 0) {
        // Whoever wants to see these signals (the test program, a sanitizer), a child simply dies of them.
        for (const int signal : {SIGSEGV, SIGBUS, SIGABRT}) std::signal(signal, SIG_DFL);
        try {
            _exit(body());
        } catch (...) { // a failed BOOST_REQUIRE must not run the rest of the tests a second time
            _exit(99);
        }
    }
    BOOST_REQUIRE(child > 0);
    int status = 0;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace credlease::test
