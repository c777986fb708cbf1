#define BOOST_TEST_DYN_LINK
#include "world.hpp"

#include <fstream>

namespace credlease::outbound::test {
namespace {

BOOST_FIXTURE_TEST_SUITE(destinations, World)

void check_unsent(const Outcome& outcome, std::string_view beginning) {
    BOOST_TEST(failure_of(outcome).starts_with(beginning), failure_of(outcome));
    BOOST_TEST(!was_sent(outcome));
    if (!outcome) BOOST_CHECK(outcome.error().error.code == result::ErrorCode::upstream_failed);
}

BOOST_AUTO_TEST_CASE(a_certificate_must_be_trusted_valid_and_for_this_name) {
    check_unsent(ask("untrusted", "/echo"), "The provider's certificate is not trusted");
    check_unsent(ask("expired", "/echo"), "The provider's certificate is not valid at this time");
    check_unsent(ask("other_name", "/echo"), "The provider's certificate is for another name");
    set_addresses("provider.test", {"127.0.0.1"});
    set_addresses("very.deep.provider.test", {"127.0.0.1"});
    const auto at = [&](const std::string& listener, const std::string& host) {
        return send(request(Provider::get().url(listener, "/echo", host)));
    };
    check_unsent(at("other_name", "provider.test"), "The provider's certificate is for another name");
    check_unsent(at("other_name", "very.deep.provider.test"), "The provider's certificate is for another name");
    BOOST_TEST(at("good", "provider.test").has_value());
    BOOST_TEST(at("good", "PROVIDER.test").has_value());
}

BOOST_AUTO_TEST_CASE(without_its_authority_no_certificate_is_trusted) {
    make({.timeout = 20s, .ca_file = {}, .allow_private = true, .allowed_hosts = {}});
    check_unsent(ask("good", "/echo"), "The provider's certificate is not trusted");
    BOOST_REQUIRE(client->set(trusting()).has_value());
    BOOST_TEST(ask("good", "/echo").has_value());
}

BOOST_AUTO_TEST_CASE(a_file_of_authorities_that_cannot_be_used_is_refused_and_the_old_stays) {
    const credlease::test::TemporaryFolder folder;
    std::ofstream(folder.path() / "empty.pem") << "no certificate\n";
    for (const auto* name : {"absent.pem", "empty.pem"}) {
        Options options = trusting();
        options.ca_file = folder.path() / name;
        const auto set = client->set(std::move(options));
        BOOST_REQUIRE(!set.has_value());
        BOOST_CHECK(set.error().code == result::ErrorCode::configuration);
        BOOST_TEST(set.error().detail().contains(name));
    }
    BOOST_TEST(ask("good", "/echo").has_value());
}

BOOST_AUTO_TEST_CASE(old_tls_no_tls_and_a_broken_handshake_are_told_apart) {
    check_unsent(ask("old", "/echo"), "No TLS connection came about");
    check_unsent(ask("not_tls", "/echo"), "No TLS connection came about");
    check_unsent(ask("drops_handshake", "/echo"), "The provider dropped the connection in the TLS handshake");
}

BOOST_AUTO_TEST_CASE(once_the_handshake_is_done_a_request_counts_as_sent) {
    const auto outcome = ask("drops_after_handshake", "/echo", "token=spent");
    BOOST_TEST(failure_of(outcome).starts_with("The provider dropped the connection"));
    BOOST_TEST(was_sent(outcome));
}

BOOST_AUTO_TEST_CASE(a_name_that_is_not_there_and_a_closed_port_send_nothing) {
    check_unsent(send(request("https://nowhere.test/")), "The provider's host name was not found (nowhere.test)");
    check_unsent(send(request("https://127.0.0.1:1/")), "The provider refused the connection (127.0.0.1:1)");
}

BOOST_AUTO_TEST_CASE(an_address_that_is_not_public_is_refused_after_the_look_up) {
    make({.timeout = 20s, .ca_file = Provider::get().ca_file(), .allow_private = false, .allowed_hosts = {}});
    set_addresses("provider.test", {"127.0.0.1"});
    set_addresses("mapped.test", {"::ffff:127.0.0.1"});
    set_addresses("metadata.test", {"169.254.169.254"});
    for (const auto* host : {"provider.test", "mapped.test", "metadata.test", "localhost", "127.0.0.1", "[::1]"})
        check_unsent(send(request(Provider::get().url("good", "/echo", host))), "The provider's address is private");
}

BOOST_AUTO_TEST_CASE(only_a_host_that_is_named_exactly_may_be_private) {
    set_addresses("provider.test", {"127.0.0.1"});
    set_addresses("deep.provider.test", {"127.0.0.1"});
    make({.timeout = 20s, .ca_file = Provider::get().ca_file(), .allowed_hosts = {"Provider.test"}});
    BOOST_TEST(send(request(Provider::get().url("good", "/echo", "provider.test"))).has_value());
    for (const auto* host : {"deep.provider.test", "localhost", "127.0.0.1"})
        check_unsent(send(request(Provider::get().url("good", "/echo", host))), "The provider's address is private");
}

BOOST_AUTO_TEST_CASE(the_address_that_was_checked_is_the_one_connected_to) {
    set_addresses("provider.test", {"127.0.0.1"});
    const auto before = lookups_of("provider.test");
    BOOST_TEST(send(request(Provider::get().url("good", "/echo", "provider.test"))).has_value());
    BOOST_TEST(lookups_of("provider.test") == before + 1);
}

BOOST_AUTO_TEST_CASE(the_next_address_is_tried_when_one_refuses) {
    set_addresses("provider.test", {"127.0.0.2", "::1", "127.0.0.1"});
    BOOST_TEST(send(request(Provider::get().url("good", "/echo", "provider.test"))).has_value());
}

BOOST_AUTO_TEST_CASE(plain_http_goes_to_loopback_by_its_own_name_alone) {
    BOOST_TEST(ask("plain", "/echo").has_value());
    BOOST_TEST(send(request(Provider::get().url("plain", "/echo", "localhost"))).has_value());
    set_addresses("provider.test", {"127.0.0.1"});
    for (const auto* host : {"provider.test", "10.0.0.1", "1.1.1.1"})
        check_unsent(send(request(Provider::get().url("plain", "/echo", host))), "The provider's address is not https");
    make({.timeout = 20s, .allow_private = false, .allowed_hosts = {"localhost"}});
    BOOST_TEST(send(request(Provider::get().url("plain", "/echo", "localhost"))).has_value());
    check_unsent(ask("plain", "/echo"), "The provider's address is private");
}

BOOST_AUTO_TEST_CASE(a_request_that_cannot_be_written_is_refused) {
    const auto refused = [&](Request made) {
        const auto outcome = send(std::move(made));
        BOOST_REQUIRE(!outcome.has_value());
        BOOST_CHECK(outcome.error().error.code == result::ErrorCode::invalid_request);
        BOOST_TEST(!outcome.error().was_sent);
    };
    refused(request("ftp://127.0.0.1/"));
    for (const auto* value : {"a\r\nX: y", "a\n", std::string_view("a\0b", 3).data()}) {
        Request made = request(Provider::get().url("good", "/echo"));
        const std::string text = value[1] == '\0' ? std::string("a\0b", 3) : std::string(value);
        made.headers.push_back({.name = "Authorization", .value = buffer(text)});
        refused(std::move(made));
    }
    for (const auto* name : {"", "A B", "A:", "A\r\n", "Host", "content-length", "TRANSFER-ENCODING"}) {
        Request made = request(Provider::get().url("good", "/echo"));
        made.headers.push_back({.name = name, .value = buffer("a")});
        refused(std::move(made));
    }
    Request made = request(Provider::get().url("good", "/echo"));
    made.content_type = "text/plain\r\nX: y";
    refused(std::move(made));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::outbound::test
