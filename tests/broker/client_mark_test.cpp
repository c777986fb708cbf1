#define BOOST_TEST_DYN_LINK
#include "broker/client_mark.hpp"

#include <boost/test/unit_test.hpp>

#include <vector>

namespace credlease::broker {
namespace {

BOOST_AUTO_TEST_SUITE(client_mark)

BOOST_AUTO_TEST_CASE(it_tells_clients_apart_by_every_part_of_their_names_and_knows_one_again) {
    const ClientMarks marks;
    const std::vector<ClientKey> clients{
        {.owner = "workspace:acme", .host = "auth.example.org", .client_id = "app"},
        {.owner = "workspace:acme", .host = "auth.example.org", .client_id = "app2"},
        {.owner = "workspace:acme", .host = "auth.example.com", .client_id = "app"},
        {.owner = "workspace:other", .host = "auth.example.org", .client_id = "app"},
        {.owner = "workspace:acmeauth.example.org", .client_id = "app"}, // the same letters in a row
        {.owner = "workspace:acme", .host = "auth.example.orgapp"},
        {},
    };
    for (const auto& one : clients) {
        for (const auto& other : clients) BOOST_TEST((marks.of(one) == marks.of(other)) == (&one == &other));
    }
}

BOOST_AUTO_TEST_CASE(nobody_outside_knows_a_mark) {
    BOOST_TEST((ClientMarks().of({.client_id = "app"}) != ClientMarks().of({.client_id = "app"})));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::broker
