#define BOOST_TEST_DYN_LINK
#include "support/daemon/broker_client.hpp"
#include "support/daemon/slow_disk.hpp"
#include "support/socket_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <set>
#include <thread>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;

namespace {

constexpr auto token = "tok_recorded_7c1e05b2f9";
constexpr auto wanted = R"({"credential":"recorded","bind":"none"})";

/// A broker on a disk that fails, and a worker whose socket is watched.
struct FailingHouse {
    SlowDisk disk;
    Daemon daemon;
    Client client;
    std::optional<test::SocketClient> worker;
    std::set<std::string> delivered; ///< leases whose secret left

    explicit FailingHouse(const std::string& config = {}) : daemon(disk.setup(config)), client(client_of(daemon)) {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        (void)store_token(client, "recorded", token);
        worker.emplace(daemon.lease_socket());
    }

    void ask_for_lease() { BOOST_REQUIRE(worker->send(test::request_text("POST", "/v1/leases", wanted))); }
    /// 201 with the secret, which is noted, or a refusal without it.
    unsigned take_answer() {
        const auto answer = worker->receive();
        BOOST_REQUIRE(answer.has_value());
        BOOST_TEST((answer->status == 201U) == answer->body.contains(token));
        const auto json = boost::json::parse(answer->body);
        if (answer->status == 201U)
            delivered.emplace(json.at("lease").as_string());
        else
            BOOST_TEST(json.at("code").as_string() == "store_unavailable");
        return answer->status;
    }
    unsigned lease() {
        ask_for_lease();
        return take_answer();
    }
    Answered change(const std::string& name) {
        return ask(client, "POST", "/v1/credentials",
                   R"({"service":"http-bearer","name":")" + name +
                       R"(","fields":{"token":"tok_12345678","base_url":"https://a.example"}})");
    }

    /// Nothing but the cause is taken away.
    void resumes_by_itself() {
        disk.let_go();
        bool changes = false, leases = false;
        for (int i = 0; i < 250 && !(changes && leases); ++i) {
            changes = changes || change("after " + std::to_string(delivered.size())).status == 201U;
            leases = leases || lease() == 201U;
            if (!(changes && leases)) std::this_thread::sleep_for(20ms);
        }
        BOOST_TEST(changes);
        BOOST_TEST(leases);
    }
    /// Over a kill as well: what was delivered has its record, what was refused is no lease, and the log is whole.
    void has_a_record_of_each() {
        daemon.kill9();
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        std::set<std::string> recorded, live;
        for (const auto& record : audit_of(client, "action=lease.issued"))
            recorded.emplace(record.at("lease").as_string());
        const auto list = ask(client, "GET", "/v1/leases?limit=500");
        for (const auto& item : list.json.at("items").as_array()) live.emplace(item.at("lease").as_string());
        for (const auto& id : delivered) BOOST_TEST(recorded.contains(id), "no record of " << id);
        BOOST_TEST(live == delivered, boost::test_tools::per_element());
        BOOST_TEST(ask(client, "GET", "/v1/audit/verify").json.at("ok").as_bool());
    }
};

struct Cause {
    int error;
    const char* name;
};
constexpr std::array causes = {Cause{ENOSPC, "ENOSPC"}, Cause{EIO, "EIO"}, Cause{EROFS, "EROFS"}};

/// `during` sees a broker that can't write files with `part` in their path, once for each cause.
template <class During> void for_each_cause(const char* part, During during) {
    for (const auto& cause : causes) {
        BOOST_TEST_CONTEXT(cause.name << " under " << part) {
            FailingHouse house;
            BOOST_REQUIRE_EQUAL(house.lease(), 201U);
            house.disk.fail(cause.error, part);
            during(house);
            house.resumes_by_itself();
            house.has_a_record_of_each();
        }
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(record_before_secret)

BOOST_AUTO_TEST_CASE(no_byte_of_an_answer_leaves_before_the_kernel_has_its_record) {
    FailingHouse house;
    house.disk.hold_writes();
    house.ask_for_lease();
    BOOST_TEST(house.worker->is_silent(300ms));
    house.disk.let_go();
    BOOST_TEST(house.take_answer() == 201U);
    house.has_a_record_of_each();
}

BOOST_AUTO_TEST_CASE(nor_with_durability_disk_before_the_disk_has_it) {
    FailingHouse house("[audit]\ndurability = \"disk\"\n");
    house.disk.hold_syncs();
    house.ask_for_lease();
    BOOST_TEST(house.worker->is_silent(600ms));
    house.disk.let_go();
    BOOST_TEST(house.take_answer() == 201U);
    house.has_a_record_of_each();
}

BOOST_AUTO_TEST_CASE(a_log_that_cannot_be_written_lets_no_secret_out) {
    for_each_cause("/journal/", [](FailingHouse& house) {
        for (int i = 0; i < 20; ++i) BOOST_TEST(house.lease() == 503U);
        BOOST_TEST(house.change("refused").code == "store_unavailable");
    });
}

BOOST_AUTO_TEST_CASE(a_head_that_cannot_be_written_lets_no_change_through_and_then_no_secret_out) {
    for_each_cause("audit.head", [](FailingHouse& house) {
        BOOST_TEST(house.change("refused").code == "store_unavailable");
        for (int i = 0; i < 20; ++i) BOOST_TEST(house.lease() == 503U);
    });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(failing_disk)

BOOST_AUTO_TEST_CASE(a_store_that_cannot_be_written_refuses_changes_harms_nothing_and_holds_up_no_lease) {
    for_each_cause("/store/", [](FailingHouse& house) {
        BOOST_TEST(house.change("refused").code == "store_unavailable");
        for (int i = 0; i < 20; ++i) BOOST_TEST(house.lease() == 201U);
        BOOST_TEST(ask(house.client, "GET", "/v1/credentials").json.at("items").as_array().size() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(a_disk_that_takes_nothing_at_all_harms_nothing) {
    for_each_cause("/store/ /journal/ audit.head /rescue", [](FailingHouse& house) {
        BOOST_TEST(house.lease() == 503U);
        BOOST_TEST(house.change("refused").code == "store_unavailable");
        BOOST_TEST(ask(house.client, "GET", "/v1/status").status == 200U);
        BOOST_TEST(ask(house.client, "GET", "/v1/credentials").json.at("items").as_array().size() == 1U);
    });
}

BOOST_AUTO_TEST_SUITE_END()
