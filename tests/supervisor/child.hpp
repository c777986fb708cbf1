#pragma once

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdlib>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace supervisor_test {

/// What `use` says in a process of its own (what it changes there stays there), then the way that process ended.
struct Ended {
    std::string said;
    int status = 0;
};

template <class Use> Ended in_a_child(Use use) {
    std::array<int, 2> pipe{};
    BOOST_REQUIRE_EQUAL(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
        const int out = ::dup2(pipe[1], 100); // beyond the descriptors that socket activation uses
        const std::string said = use();
        const auto written = ::write(out, said.data(), said.size());
        ::_exit(written == static_cast<ssize_t>(said.size()) ? 0 : 99);
    }
    ::close(pipe[1]);
    Ended ended;
    std::array<char, 512> bytes{};
    for (ssize_t size = 0; (size = ::read(pipe[0], bytes.data(), bytes.size())) > 0;)
        ended.said.append(bytes.data(), static_cast<std::size_t>(size));
    ::close(pipe[0]);
    ::waitpid(child, &ended.status, 0);
    return ended;
}

} // namespace supervisor_test
