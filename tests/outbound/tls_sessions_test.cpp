#define BOOST_TEST_DYN_LINK
#include "outbound/tls_sessions.hpp"
#include "world.hpp"

#include <openssl/ssl.h>

namespace credlease::outbound::test {
namespace {

struct Asking : World {
    /// How the provider says that this connection began.
    std::string session(const std::string& listener, const std::string& host = "127.0.0.1") {
        return body_of(send(request(Provider::get().url(listener, "/session", host))));
    }
    ~Asking() { let_go(); }
};

TlsSession a_session() { return {SSL_SESSION_new(), SSL_SESSION_free}; }

BOOST_FIXTURE_TEST_SUITE(resumption, Asking)

BOOST_AUTO_TEST_CASE(the_next_connection_to_an_origin_resumes_its_session) {
    BOOST_TEST(session("good") == "new");
    for (int i = 0; i < 5; ++i) BOOST_TEST(session("good") == "resumed");
}

BOOST_AUTO_TEST_CASE(a_session_is_of_the_host_that_was_verified) {
    set_addresses("localhost", {"127.0.0.1"});
    set_addresses("other.test", {"127.0.0.1"});
    BOOST_TEST(session("good") == "new");
    BOOST_TEST(session("good", "localhost") == "new");
    BOOST_TEST(session("good", "other.test").starts_with("failed: "));
    BOOST_TEST(session("good", "other.test").starts_with("failed: "));
}

BOOST_AUTO_TEST_CASE(a_session_is_of_the_config_that_it_was_verified_by) {
    BOOST_TEST(session("good") == "new");
    Options options = trusting();
    options.ca_file.clear();
    BOOST_REQUIRE(client->set(std::move(options)).has_value());
    BOOST_TEST(session("good").starts_with("failed: "));
}

BOOST_AUTO_TEST_CASE(a_session_of_tls_1_2_is_not_resumed) {
    BOOST_TEST(session("tls_1_2") == "new");
    BOOST_TEST(session("tls_1_2") == "new");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(tls_sessions)

constexpr TlsSessions::Clock::time_point began{1h};

BOOST_AUTO_TEST_CASE(each_is_taken_once_the_newest_first) {
    TlsSessions sessions;
    auto old = a_session(), young = a_session();
    const auto *first = young.get(), *second = old.get();
    sessions.keep("a:443", std::move(old), began);
    sessions.keep("a:443", std::move(young), began + 1s);
    sessions.keep("b:443", a_session(), began + 2s);
    BOOST_TEST(sessions.take("a:443", began + 3s).get() == first);
    BOOST_TEST(sessions.take("a:443", began + 3s).get() == second);
    BOOST_TEST(!sessions.take("a:443", began + 3s));
    BOOST_TEST(!!sessions.take("b:443", began + 3s));
}

BOOST_AUTO_TEST_CASE(none_is_taken_ten_minutes_later) {
    TlsSessions sessions;
    sessions.keep("a:443", a_session(), began);
    sessions.keep("a:443", a_session(), began + 1min);
    BOOST_TEST(!!sessions.take("a:443", began + 10min));
    BOOST_TEST(!sessions.take("a:443", began + 10min));
}

BOOST_AUTO_TEST_CASE(a_failed_handshake_forgets_those_of_its_origin) {
    TlsSessions sessions;
    sessions.keep("a:443", a_session(), began);
    sessions.keep("b:443", a_session(), began);
    sessions.forget("a:443");
    BOOST_TEST(!sessions.take("a:443", began));
    BOOST_TEST(!!sessions.take("b:443", began));
}

BOOST_AUTO_TEST_CASE(a_server_that_gives_many_pushes_only_old_ones_out) {
    TlsSessions sessions;
    sessions.keep("a:443", a_session(), began);
    for (int i = 0; i < 255; ++i) sessions.keep("b:443", a_session(), began);
    BOOST_TEST(!!sessions.take("a:443", began));
    sessions.keep("a:443", a_session(), began);
    for (int i = 0; i < 256; ++i) sessions.keep("b:443", a_session(), began);
    BOOST_TEST(!sessions.take("a:443", began));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound::test
