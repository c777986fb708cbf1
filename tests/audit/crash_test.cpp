#define BOOST_TEST_DYN_LINK
#include "failing_disk.hpp"
#include "sample_journal.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

namespace credlease::audit::test {
namespace {

using credlease::test::TemporaryFolder;

/// What a child has answered, in order: 'l' a lease, 'c' a change, each with its number.
struct Answer {
    char kind;
    int number;
};

/// Leases and changes without end; each answer goes down the pipe. (noexcept: a failed check must not go on as the
/// parent's test.)
[[noreturn]] void work(const std::filesystem::path& data, int answers, int round) noexcept {
    SampleJournal sample(data, {.segment_size = 4000});
    if (sample.try_open()) _exit(1);
    if (round % 3 == 0) die_at(Call::sync, round % 2 == 0 ? "/journal/" : "audit.head", round % 7);
    if (round % 3 == 1) die_at(Call::write, round % 2 == 0 ? "/journal/" : "audit.head", round % 11);
    const auto answer = [&](char kind, int number) {
        const Answer told{kind, number};
        if (write(answers, &told, sizeof told) != sizeof told) _exit(1);
    };
    for (int i = 1;; ++i) {
        const int number = round * 1'000'000 + i;
        if (i % 4 != 0 && sample.issue_now(std::to_string(number))) answer('l', number);
        if (i % 4 == 0 && sample.put_now("key", std::to_string(number)).has_value()) answer('c', number);
        if (i % 5 == 0) sample.clock.advance(std::chrono::milliseconds(60));
    }
}

/// Kills the child some time after its first answer; each fourth one while it may still be opening.
std::vector<Answer> run_and_kill(const std::filesystem::path& data, int round, unsigned microseconds) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(pipe(ends.data()) == 0);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        work(data, ends[1], round);
    }
    close(ends[1]);
    std::vector<Answer> answers;
    Answer told{};
    const auto read_one = [&] {
        const bool is_there = read(ends[0], &told, sizeof told) == sizeof told;
        if (is_there) answers.push_back(told);
        return is_there;
    };
    if (round % 4 != 0) static_cast<void>(read_one());
    usleep(microseconds);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    BOOST_TEST((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    while (read_one()) {
    }
    close(ends[0]);
    return answers;
}

} // namespace

BOOST_AUTO_TEST_SUITE(crashes)

BOOST_AUTO_TEST_CASE(kill_9_at_any_instant_loses_nothing_that_was_answered) {
    const TemporaryFolder folder;
    std::mt19937 random(7);
    std::size_t answered = 0;
    int last_change = 0;
    for (int round = 1; round <= 36; ++round) {
        const auto answers = run_and_kill(folder.path(), round, 20'000 + random() % 60'000);
        SampleJournal sample(folder.path(), {.segment_size = 4000});
        sample.open();
        for (const auto& answer : answers) {
            const auto wanted = "lease.issued " + std::to_string(answer.number);
            if (answer.kind == 'l') BOOST_TEST(std::ranges::count(sample.seen, wanted) == 1, wanted);
            if (answer.kind == 'c') last_change = answer.number;
        }
        const auto value = sample.shown.contains("key") ? std::stoi(sample.shown["key"]) : 0;
        BOOST_TEST(value >= last_change); // a change that was under way may be there too
        last_change = std::max(value, last_change);
        BOOST_TEST(sample.damaged().empty());
        BOOST_TEST(sample.journal->verify(std::nullopt).problem == "");
        answered += answers.size();
    }
    BOOST_TEST(answered > 100U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
