#define BOOST_TEST_DYN_LINK
#include "run_task.hpp"
#include "runtime/worker.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <pthread.h>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace credlease::runtime {
namespace {

std::string name_of_this_thread() {
    std::array<char, 16> name{};
    pthread_getname_np(pthread_self(), name.data(), name.size());
    return name.data();
}

bool gets_no_signals() {
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    return sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGHUP) == 1 &&
           sigismember(&blocked, SIGINT) == 1;
}

} // namespace

BOOST_AUTO_TEST_SUITE(worker_promises)

BOOST_AUTO_TEST_CASE(jobs_run_in_order_on_the_thread_and_done_on_the_loop) {
    Loop loop;
    Worker worker(loop, "commit");
    const auto here = std::this_thread::get_id();
    std::vector<int> ran; // the worker's until `done` has come
    std::vector<int> done;
    for (int i = 0; i < 100; ++i) {
        worker.submit(
            [&, i] {
                if (std::this_thread::get_id() != here) ran.push_back(i);
            },
            [&, i] {
                if (std::this_thread::get_id() == here) done.push_back(i);
                if (i == 99) loop.stop();
            });
    }
    loop.run();
    BOOST_REQUIRE(done.size() == 100U);
    BOOST_TEST(done == ran);
    BOOST_TEST(std::ranges::is_sorted(ran));
}

BOOST_AUTO_TEST_CASE(run_gives_back_what_the_job_returns) {
    struct Story {
        static Task<> run(Worker& worker) {
            const int number = co_await worker.run([] { return 42; });
            BOOST_TEST(number == 42);
            const auto owned = co_await worker.run([] { return std::make_unique<int>(7); });
            BOOST_TEST(*owned == 7);
            int seen = 0;
            co_await worker.run([&seen] { seen = 1; });
            BOOST_TEST(seen == 1);
        }
    };
    Loop loop;
    Worker worker(loop, "bulk");
    run_task(loop, Story::run(worker));
}

BOOST_AUTO_TEST_CASE(the_thread_has_its_name_and_gets_no_signals) {
    struct Story {
        static Task<> run(Worker& worker) {
            const auto name = co_await worker.run(name_of_this_thread);
            BOOST_TEST(name == "commit");
            const bool blocked = co_await worker.run(gets_no_signals);
            BOOST_TEST(blocked);
        }
    };
    Loop loop;
    Worker worker(loop, "commit");
    run_task(loop, Story::run(worker));
    BOOST_TEST(!gets_no_signals());
}

BOOST_AUTO_TEST_CASE(a_long_name_is_cut_to_what_the_kernel_takes) {
    struct Story {
        static Task<> run(Worker& worker) {
            const auto name = co_await worker.run(name_of_this_thread);
            BOOST_TEST(name == "a-name-that-is-");
        }
    };
    Loop loop;
    Worker worker(loop, "a-name-that-is-far-too-long");
    run_task(loop, Story::run(worker));
}

BOOST_AUTO_TEST_CASE(a_worker_behind_leases_yields_the_cpu_to_the_others) {
    const auto nice_of = [](Worker::Place place) {
        Loop loop;
        Worker worker(loop, "bulk", place);
        std::promise<int> nice;
        worker.submit([&nice] { nice.set_value(::getpriority(PRIO_PROCESS, 0)); }, nullptr);
        return nice.get_future().get();
    };
    const int own = ::getpriority(PRIO_PROCESS, 0);
    constexpr int least = 19;
    BOOST_TEST(nice_of(Worker::Place::among_leases) == own);
    BOOST_TEST(nice_of(Worker::Place::behind_leases) == std::min(own + 10, least));
    BOOST_TEST(::getpriority(PRIO_PROCESS, 0) == own);
}

BOOST_AUTO_TEST_CASE(waiting_counts_what_is_not_finished) {
    Loop loop;
    Worker worker(loop, "bulk");
    std::promise<void> go;
    worker.submit([&] { go.get_future().wait(); }, [] {});
    worker.submit([] {}, [&] { loop.stop(); });
    BOOST_TEST(worker.waiting() == 2U);
    go.set_value();
    loop.run();
    BOOST_TEST(worker.waiting() == 0U);
}

BOOST_AUTO_TEST_CASE(a_dying_worker_finishes_its_jobs) {
    Loop loop;
    int ran = 0;
    {
        Worker worker(loop, "commit");
        for (int i = 0; i < 50; ++i) worker.submit([&] { ++ran; }, [] {});
    }
    BOOST_TEST(ran == 50);
}

BOOST_AUTO_TEST_CASE(a_job_that_ends_after_the_loop_has_stopped_is_freed) {
    const Witness witness = make_witness();
    bool done = false;
    {
        Loop loop;
        Worker worker(loop, "commit");
        TaskGroup group(loop);
        auto wait = [](Worker& on, Witness held) -> Task<> { co_await on.run([held] { (void)held; }); };
        group.start(wait(worker, witness));
        run_ready(loop);
        worker.submit([witness] { (void)witness; }, [witness, &done] { done = true; });
    }
    BOOST_TEST(!done);
    BOOST_TEST(witness.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(what_a_job_owns_dies_before_the_loop_goes_on) {
    std::atomic<bool> died = false;
    struct SlowToDie {
        std::atomic<bool>& died;
        ~SlowToDie() {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            died = true;
        }
    };
    Loop loop;
    Worker worker(loop, "bulk");
    bool died_before = false;
    worker.submit([owned = std::shared_ptr<SlowToDie>(new SlowToDie{died})] { (void)owned; },
                  [&] {
                      died_before = died;
                      loop.stop();
                  });
    loop.run();
    BOOST_TEST(died_before);
}

// The job may work on what the task owns.
BOOST_AUTO_TEST_CASE(a_cancelled_task_waits_for_its_job) {
    struct Story {
        static Task<> run(Worker& worker, std::promise<void>& go, bool& went_on) {
            bool ran = false;
            co_await worker.run([&ran, &go] {
                go.get_future().wait();
                ran = true;
            });
            went_on = ran;
        }
    };
    Loop loop;
    Worker worker(loop, "bulk");
    TaskGroup group(loop);
    std::promise<void> go;
    bool went_on = false;
    group.start(Story::run(worker, go, went_on));
    run_ready(loop);
    group.cancel();
    run_ready(loop);
    BOOST_TEST(group.size() == 1U);
    go.set_value();
    run_task(loop, group.drain());
    BOOST_TEST(went_on);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::runtime
