#define BOOST_TEST_DYN_LINK
#include "outbound/exchange.hpp"
#include "outbound/kept_connections.hpp"

#include <boost/test/unit_test.hpp>

#include <poll.h>
#include <vector>

namespace credlease::outbound::test {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;

/// Connections on loopback, whose other ends these tests hold, by a clock that they drive.
struct Waiting {
    std::unique_ptr<Connection> connection() {
        auto made = std::make_unique<Connection>(loop, clock.boot());
        made->socket().connect(acceptor.local_endpoint());
        made->socket().non_blocking(true);
        others.push_back(acceptor.accept());
        others.back().non_blocking(true);
        return made;
    }
    /// The number of the connection that was kept, as `others` has it.
    std::size_t keep(const std::string& origin) {
        kept.keep(terms, origin, connection());
        return others.size() - 1;
    }
    /// Within a limit that only a broken promise reaches.
    static bool can_be_read(tcp::socket& socket, int milliseconds) {
        pollfd one{.fd = socket.native_handle(), .events = POLLIN, .revents = 0};
        return ::poll(&one, 1, milliseconds) == 1;
    }
    bool is_open(std::size_t number) { return !can_be_read(others[number], 0); }
    bool is_closed(std::size_t number) {
        if (!can_be_read(others[number], 10'000)) return false;
        char one = 0;
        boost::system::error_code failed;
        others[number].read_some(boost::asio::buffer(&one, 1), failed);
        return failed == boost::asio::error::eof;
    }
    /// Whether it is this one that would be used next.
    bool is_next(std::size_t number, const std::string& origin) {
        const auto taken = kept.take(terms, origin);
        return taken && taken->socket().local_endpoint() == others[number].remote_endpoint();
    }
    /// Whether the loop sees in time what the other side did.
    bool becomes_empty() {
        loop.context().restart();
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (kept.size() != 0 && std::chrono::steady_clock::now() < end) loop.context().run_one_for(100ms);
        return kept.size() == 0;
    }

    runtime::Loop loop;
    runtime::HandClock clock{loop, {}};
    tcp::acceptor acceptor{loop.context(), {boost::asio::ip::address_v4::loopback(), 0}};
    std::vector<tcp::socket> others{};
    std::shared_ptr<const Terms> terms = std::make_shared<const Terms>();
    KeptConnections kept{clock, terms};
};

BOOST_FIXTURE_TEST_SUITE(kept_connections, Waiting)

BOOST_AUTO_TEST_CASE(the_newest_of_its_origin_is_used_first_and_each_by_one) {
    const auto old = keep("a"), young = keep("a"), other = keep("b");
    BOOST_TEST(is_next(young, "a"));
    BOOST_TEST(is_next(old, "a"));
    BOOST_TEST(!kept.take(terms, "a"));
    BOOST_TEST(is_next(other, "b"));
}

BOOST_AUTO_TEST_CASE(one_waits_for_four_seconds) {
    const auto old = keep("a");
    clock.advance(2s);
    const auto young = keep("b");
    clock.advance(1999ms);
    BOOST_TEST(is_open(old));
    clock.advance(1ms);
    BOOST_TEST(is_closed(old));
    BOOST_TEST(is_open(young));
    clock.advance(2s);
    BOOST_TEST(is_closed(young));
    BOOST_TEST(kept.size() == 0u);
}

BOOST_AUTO_TEST_CASE(none_is_kept_that_was_begun_a_minute_ago) {
    auto used = connection();
    clock.advance(59s);
    kept.keep(terms, "a", std::move(used));
    used = kept.take(terms, "a");
    BOOST_REQUIRE(used);
    clock.advance(1s);
    kept.keep(terms, "a", std::move(used));
    BOOST_TEST(!kept.take(terms, "a"));
    BOOST_TEST(is_closed(0));
}

BOOST_AUTO_TEST_CASE(one_that_the_other_side_ends_or_writes_to_is_closed) {
    keep("a");
    others[0].close();
    BOOST_TEST(becomes_empty());
    keep("a");
    others[1].send(boost::asio::buffer("HTTP/1.1 408 Request Timeout\r\n\r\n", 32));
    BOOST_TEST(becomes_empty());
}

BOOST_AUTO_TEST_CASE(one_that_the_other_side_wrote_to_is_not_taken_before_the_loop_has_seen_it) {
    auto made = connection();
    auto& socket = made->socket();
    kept.keep(terms, "a", std::move(made));
    others.back().send(boost::asio::buffer("x", 1));
    BOOST_REQUIRE(can_be_read(socket, 10'000));
    BOOST_TEST(!kept.take(terms, "a"));
}

BOOST_AUTO_TEST_CASE(an_origin_has_eight_and_all_have_sixty_four) {
    const auto first_of_a = keep("a"), second_of_a = keep("a");
    for (int i = 0; i < 6; ++i) keep("a");
    BOOST_TEST(is_open(first_of_a));
    keep("a");
    BOOST_TEST(is_closed(first_of_a));
    BOOST_TEST(kept.size() == 8u);
    for (int i = 0; i < 56; ++i) keep("b" + std::to_string(i));
    BOOST_TEST(kept.size() == 64u);
    BOOST_TEST(is_open(second_of_a));
    keep("c");
    BOOST_TEST(is_closed(second_of_a));
    BOOST_TEST(kept.size() == 64u);
}

BOOST_AUTO_TEST_CASE(one_of_other_terms_is_neither_kept_nor_used) {
    const auto old = keep("a");
    const auto others_terms = std::make_shared<const Terms>();
    BOOST_TEST(!kept.take(others_terms, "a"));
    kept.begin_anew(others_terms);
    BOOST_TEST(is_closed(old));
    BOOST_TEST(is_closed(keep("a")));
    BOOST_TEST(!kept.take(terms, "a"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound::test
