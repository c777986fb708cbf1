#include "rude_house.hpp"

#include <filesystem>
#include <sys/resource.h>
#include <unistd.h>

namespace credlease::tests {
namespace {

constexpr auto config = R"([sockets]
lease_mode = "0666"
[[worker]]
name = "steady"
uid = 65533
workspace = "default"
[[worker]]
name = "self"
uid = 0
workspace = "default"
[limits]
connections_per_uid = 40
)";

/// Before whatever else runs on this machine: what is measured is the broker. Its loop has a CPU of its own; the
/// worker, and the thread that writes the log, don't wait until the scheduler takes them from it.
void put_first(pid_t broker) {
    keep_to_cpu(broker, 0);
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(broker) + "/task")) {
        const auto id = static_cast<id_t>(std::stoul(task.path().filename()));
        if (::setpriority(PRIO_PROCESS, id, -20) != 0) BOOST_TEST_MESSAGE("the broker keeps its usual priority");
    }
}

} // namespace

bool can_take_other_uids() {
    if (::geteuid() == 0) return true;
    BOOST_TEST_MESSAGE("skipped: only root takes other uids");
    return false;
}

RudeHouse::RudeHouse() : daemon({.config = config, .open_to_others = true}), client(client_of(daemon)) {
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    credential = store_token(client, "wanted", "tok_wanted_12345678");
    auto lease = client.lease({.credential = "wanted"});
    BOOST_REQUIRE(lease.ok());
    kept.emplace(std::move(*lease));
    put_first(daemon.pid());
    worker.emplace(daemon, worker_uid, "wanted");
    open_before = open_now();
}

RudeHouse::~RudeHouse() {
    BOOST_TEST(becomes_true([&] { return open_now() == open_before; }),
               "the broker holds " << open_now() << " descriptors, before " << open_before);
    BOOST_TEST(kept->renew().ok());
    BOOST_TEST(ask(client, "GET", "/v1/audit/verify").json.at("ok").as_bool());
    worker.reset();
    BOOST_TEST(daemon.stop().value_or(-1) == 0);
}

std::ptrdiff_t RudeHouse::open_now() const {
    return std::distance(std::filesystem::directory_iterator("/proc/" + std::to_string(daemon.pid()) + "/fd"), {});
}

std::string RudeHouse::store_many(int count) {
    const std::string members = R"(","service":"http-bearer","scope":{"kind":"workspace","workspace":"default"},)"
                                R"("fields":{"token":"tok_wanted_12345678"},"notes":")" +
                                std::string(4000, 'n') + "\"}";
    for (int i = 0; i < count; ++i) {
        const auto stored = ask(client, "POST", "/v1/credentials", R"({"name":"n)" + std::to_string(i) + members);
        BOOST_REQUIRE_EQUAL(stored.status, 201U);
    }
    open_before = open_now(); // the store has more files now
    const auto minted = ask(client, "POST", "/v1/grants",
                            R"({"workspace":"default","workflow":"nightly","all":true,"ttl":"1h","uid":null})");
    BOOST_REQUIRE_EQUAL(minted.status, 201U);
    return std::string(minted.json.at("grant").as_string());
}

} // namespace credlease::tests
