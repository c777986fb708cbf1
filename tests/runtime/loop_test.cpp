#define BOOST_TEST_MODULE runtime
#define BOOST_TEST_DYN_LINK
#include "run_task.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace credlease::runtime {

BOOST_AUTO_TEST_SUITE(loop_promises)

BOOST_AUTO_TEST_CASE(what_another_thread_posts_runs_on_the_loop) {
    Loop loop;
    std::thread::id ran_on;
    std::thread other([&] {
        loop.post([&] {
            ran_on = std::this_thread::get_id();
            loop.stop();
        });
    });
    loop.run();
    other.join();
    BOOST_TEST((ran_on == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(no_post_of_many_threads_is_lost) {
    constexpr int threads = 4;
    constexpr int each = 2000;
    Loop loop;
    int ran = 0; // touched by the loop alone
    std::vector<std::jthread> others;
    for (int i = 0; i < threads; ++i) {
        others.emplace_back([&] {
            for (int k = 0; k < each; ++k) {
                loop.post([&] {
                    if (++ran == threads * each) loop.stop();
                });
            }
        });
    }
    loop.run();
    BOOST_TEST(ran == threads * each);
}

BOOST_AUTO_TEST_CASE(a_stop_that_comes_before_run_is_kept_and_run_works_again) {
    Loop loop;
    bool ran = false;
    loop.stop();
    loop.post([&] { ran = true; });
    loop.run();
    BOOST_TEST(!ran);
    loop.post([&] { loop.stop(); });
    loop.run();
    BOOST_TEST(ran);
}

BOOST_AUTO_TEST_CASE(an_exception_of_a_job_comes_out_of_run) {
    Loop loop;
    loop.post([] { throw std::runtime_error("broken"); });
    BOOST_CHECK_THROW(loop.run(), std::runtime_error);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_turn_comes_after_what_was_ready) {
    Loop loop;
    std::string order;
    loop.post([&] {
        order += 'a';
        loop.at_end_of_turn([&] {
            order += '!';
            loop.stop();
        });
    });
    loop.post([&] { order += 'b'; });
    loop.post([&] { order += 'c'; });
    loop.run();
    BOOST_TEST(order == "abc!");
}

// What the journal counts on: one write for all requests that were readable in the same turn.
BOOST_AUTO_TEST_CASE(one_end_of_turn_serves_all_sockets_that_were_readable) {
    Loop loop;
    std::vector<boost::asio::posix::stream_descriptor> readers;
    std::vector<int> writers;
    int staged = 0;
    int flushes = 0;
    for (int i = 0; i < 5; ++i) {
        std::array<int, 2> pair{};
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
        readers.emplace_back(loop.context(), pair[0]);
        writers.push_back(pair[1]);
        readers.back().async_wait(boost::asio::posix::descriptor_base::wait_read,
                                  [&](const boost::system::error_code&) {
                                      if (staged++ > 0) return;
                                      loop.at_end_of_turn([&] {
                                          ++flushes;
                                          loop.stop();
                                      });
                                  });
    }
    for (const int writer : writers) BOOST_REQUIRE(::write(writer, "x", 1) == 1);
    loop.run();
    BOOST_TEST(staged == 5);
    BOOST_TEST(flushes == 1);
    for (const int writer : writers) ::close(writer);
}

// What leases count on: a crowd of other work does not hold them up.
BOOST_AUTO_TEST_CASE(what_is_ready_goes_between_any_two_that_lined_up) {
    Loop loop;
    std::string order;
    std::array<int, 2> pair{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
    boost::asio::posix::stream_descriptor reader(loop.context(), pair[0]);
    loop.post([&] {
        for (const char job : {'1', '2', '3'}) {
            loop.line_up([&, job] {
                order += job;
                if (job == '1') BOOST_REQUIRE(::write(pair[1], "x", 1) == 1);
                if (job == '1') loop.line_up([&] { order += '4'; });
                if (job == '3') loop.line_up([&] { loop.stop(); });
            });
        }
    });
    reader.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [&](const boost::system::error_code&) { order += 'r'; });
    loop.run();
    BOOST_TEST(order == "1r234");
    ::close(pair[1]);
}

// Else leases that are asked for without an end would hold up the crowd for as long.
BOOST_AUTO_TEST_CASE(a_line_that_grows_goes_faster) {
    constexpr int crowd = 64;
    Loop loop;
    int turns = 0, done = 0;
    std::function<void()> turn = [&] {
        ++turns;
        if (done < crowd) loop.at_end_of_turn(turn);
    };
    loop.post([&] {
        for (int i = 0; i < crowd; ++i) {
            loop.line_up([&] {
                if (++done == crowd) loop.stop();
            });
        }
        turn();
    });
    loop.run();
    BOOST_TEST(done == crowd);
    BOOST_TEST(turns < crowd * 3 / 2); // two for each, where they go one by one
}

BOOST_AUTO_TEST_CASE(what_lined_up_lets_leases_go_first_that_another_thread_has) {
    Loop loop;
    std::string order;
    int turns = 20;
    std::function<void()> turn = [&] {
        if (--turns > 0) return loop.at_end_of_turn(turn);
        loop.leases_are_back();
        order += 'l';
    };
    loop.post([&] {
        loop.leases_leave();
        loop.line_up([&] { order += '1'; });
        loop.line_up([&] { loop.stop(); });
        turn();
    });
    loop.run();
    BOOST_TEST(order == "l1");
}

BOOST_AUTO_TEST_CASE(leases_without_an_end_do_not_hold_the_line_up) {
    Loop loop;
    int writes = 0;
    std::vector<int> ran_at;
    std::function<void()> write = [&] {
        loop.leases_are_back();
        loop.leases_leave();
        ++writes;
        if (writes < 1000) loop.at_end_of_turn([&] { loop.at_end_of_turn(write); });
    };
    loop.post([&] {
        loop.leases_leave();
        loop.line_up([&] { ran_at.push_back(writes); });
        loop.line_up([&] { loop.stop(); });
        write();
    });
    loop.run();
    BOOST_REQUIRE(ran_at.size() == 1U);
    BOOST_TEST(ran_at[0] > 1);
    BOOST_TEST(writes < 40);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::runtime
