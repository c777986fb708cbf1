#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/daemon/steady_worker.hpp"
#include "support/socket_client.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

using namespace credlease;
using namespace credlease::tests;

namespace {

constexpr std::size_t pairs = 20000;
constexpr std::size_t at_once = 16; ///< requests in one go: what one of them tells drowns in the kernel's noise
constexpr std::size_t ids = 400;    ///< of each kind: what a processor remembers of an id is the same for both

/// The worker's own workspace has none of what it asks for.
constexpr auto config = "[[worker]]\nname = \"red\"\nuid = 0\nworkspace = \"default\"\n";

using Nanoseconds = std::chrono::nanoseconds::rep;

/// How long the broker takes to refuse a lease of each.
Nanoseconds time_of(test::SocketClient& worker, const std::string& requests) {
    const auto begin = std::chrono::steady_clock::now();
    BOOST_REQUIRE(worker.send(requests));
    for (std::size_t i = 0; i < at_once; ++i) {
        const auto answer = worker.receive();
        BOOST_REQUIRE(answer && answer->status == 404U);
    }
    return std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
}

/// The chance that one of `later` took longer than one of `earlier` (Mann and Whitney's U, by the number of pairs);
/// ties are halves. 0.5: nobody can tell them apart.
double chance_of_longer(std::vector<Nanoseconds> later, std::vector<Nanoseconds> earlier) {
    std::ranges::sort(earlier);
    double longer = 0;
    for (const auto time : later) {
        const auto [below, above] = std::ranges::equal_range(earlier, time);
        longer += double(below - earlier.begin()) + double(above - below) / 2;
    }
    return longer / (double(later.size()) * double(earlier.size()));
}

std::string request_for(const std::string& id) {
    return test::request_text("POST", "/v1/leases", R"({"credential":")" + id + "\"}");
}

/// As good as those that exist.
std::string some_id(std::mt19937_64& random) {
    static constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz";
    std::string id = "cred_01";
    while (id.size() < 31) id += digits[random() % digits.size()];
    return id;
}

struct House {
    Daemon daemon{{.config = config}};
    std::vector<std::string> foreign, absent; ///< requests
    std::mt19937_64 random{std::random_device()()};

    House() {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        auto client = client_of(daemon);
        BOOST_REQUIRE_EQUAL(ask(client, "PUT", "/v1/workspaces/blue", "{}").status, 201U);
        for (std::size_t i = 0; i < ids; ++i) {
            const auto stored = ask(client, "POST", "/v1/credentials",
                                    R"({"service":"http-bearer","name":"b)" + std::to_string(i) +
                                        R"(","scope":{"kind":"workspace","workspace":"blue"},)" +
                                        R"("fields":{"token":"tok_12345678","base_url":"https://a.example"}})");
            BOOST_REQUIRE_EQUAL(stored.status, 201U);
            foreign.push_back(request_for(std::string(stored.json.at("id").as_string())));
            absent.push_back(request_for(some_id(random)));
        }
        keep_to_cpu(daemon.pid(), 0);
    }

    std::string some_of(const std::vector<std::string>& requests) {
        std::string some;
        for (std::size_t i = 0; i < at_once; ++i) some += requests[random() % ids];
        return some;
    }

    /// Pairs of foreign and absent ones, which first is chance.
    double tell_apart() {
        test::SocketClient worker(daemon.lease_socket());
        std::vector<Nanoseconds> of_foreign, of_absent;
        for (std::size_t i = 0; i < pairs; ++i) {
            const auto exists = some_of(foreign);
            const auto does_not = some_of(absent);
            const bool exists_first = random() % 2 == 0;
            if (exists_first) of_foreign.push_back(time_of(worker, exists));
            of_absent.push_back(time_of(worker, does_not));
            if (!exists_first) of_foreign.push_back(time_of(worker, exists));
        }
        return chance_of_longer(std::move(of_foreign), std::move(of_absent));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(same_work)

BOOST_FIXTURE_TEST_CASE(twenty_thousand_pairs_do_not_tell_a_foreign_credential_from_one_that_does_not_exist, House) {
    const auto chance = tell_apart();
    BOOST_TEST_MESSAGE("chance that the foreign one took longer: " << chance);
    BOOST_TEST(chance > 0.48);
    BOOST_TEST(chance < 0.52);
}

BOOST_AUTO_TEST_SUITE_END()
