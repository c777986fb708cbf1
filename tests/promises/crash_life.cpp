#include "crash_life.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <ctime>
#include <unistd.h>

namespace credlease::tests {
namespace {

using namespace std::chrono_literals;

constexpr auto absent = "-";
constexpr int changes_a_round = 40; ///< of a writer: a store that grows without end makes rounds ever longer

/// One that does not wait long for a broker that is gone.
Client impatient_client(const Daemon& daemon) {
    Options options;
    options.lease_socket = daemon.lease_socket();
    options.admin_socket = daemon.admin_socket();
    options.timeout = 1s;
    options.grant_from_environment = false;
    return Client(options);
}

std::string credential_body(const std::string& name) {
    return R"({"service":"http-bearer","name":")" + name + R"(","notes":")" + name +
           R"(","fields":{"token":"tok_12345678","base_url":"https://a.example"}})";
}

/// Asks until the broker is not sealed; status 0 when it has died.
Answered ask_unsealed(Client& client, const std::string& method, const std::string& path,
                      const std::string& body = {}) {
    for (;;) {
        auto answered = ask(client, method, path, body);
        if (answered.code != "sealed") return answered;
        ::usleep(1000);
    }
}

/// All pages of a list.
template <class Use> void for_each_item(Client& client, const std::string& path, Use use) {
    const auto mark = path.contains('?') ? "&" : "?";
    for (std::string cursor;;) {
        const auto page = ask(client, "GET", path + mark + "limit=500" + cursor);
        BOOST_REQUIRE_EQUAL(page.status, 200U);
        for (const auto& item : page.json.at("items").as_array()) use(item.as_object());
        const auto& next = page.json.at("next_cursor");
        if (next.is_null()) return;
        cursor = "&cursor=" + std::string(next.as_string());
    }
}

/// As a query takes it.
std::string a_minute_ago() {
    const auto time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - 1min);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%FT%TZ", &parts)};
}

std::string text_of(const boost::json::object& item, const char* member) {
    return std::string(item.at(member).as_string());
}

} // namespace

void Answers::may_become(const std::string& id, const std::string& state) {
    const std::scoped_lock lock(mutex_);
    may_be_[id].insert(state);
}

void Answers::is(const std::string& id, const std::string& state) {
    const std::scoped_lock lock(mutex_);
    may_be_[id] = {state};
    ++changes_;
}

void Answers::delivered(const std::string& lease, bool durably) {
    const std::scoped_lock lock(mutex_);
    (durably ? leases_.on_disk : leases_.in_memory).insert(lease);
}

void Answers::look(const std::map<std::string, std::string>& found, const std::string& kind) {
    for (auto& [id, states] : may_be_) {
        if (!id.starts_with(kind)) continue;
        const auto at = found.find(id);
        const std::string state = at == found.end() ? absent : at->second;
        std::string expected;
        for (const auto& one : states) expected += " " + one;
        BOOST_REQUIRE_MESSAGE(states.contains(state), id << " is " << state << ", and may be" << expected);
        states = {state};
    }
}

Answers::Leases Answers::take_leases() { return std::exchange(leases_, {}); }

void CrashLife::begin() {
    BOOST_REQUIRE_MESSAGE(daemon_.start(), daemon_.log());
    auto client = client_of(daemon_);
    const auto id = store_token(client, "always there", "tok_always_12345678");
    counted_grant_ = mint(client, id, R"(,"max_leases":100000)");
}

void CrashLife::start_using() {
    ++round_;
    stop_ = false;
    for (int writer = 0; writer < 2; ++writer) users_.emplace_back([this, writer] { change(writer); });
    users_.emplace_back([this] { mint_and_withdraw(); });
    users_.emplace_back([this] { lease(false); });
    users_.emplace_back([this] { lease(true); });
    users_.emplace_back([this] { seal_and_unseal(); });
}

void CrashLife::stop_using() {
    stop_ = true;
    for (auto& user : users_) user.join();
    users_.clear();
}

/// Each is made; one in three is edited then, and one in three deleted. Name and notes are always the same.
void CrashLife::change(int writer) {
    auto client = impatient_client(daemon_);
    for (int i = 0; !stop_ && i < changes_a_round; ++i) {
        const auto name = "r" + std::to_string(round_) + "w" + std::to_string(writer) + "i" + std::to_string(i);
        const auto made = ask_unsealed(client, "POST", "/v1/credentials", credential_body(name));
        if (made.status != 201) return;
        const auto id = text_of(made.json.as_object(), "id");
        answers_.is(id, name + "|" + name);
        const auto path = "/v1/credentials/" + id;
        if (i % 3 == 0) {
            const auto edited = name + "e";
            answers_.may_become(id, edited + "|" + edited);
            const auto body = R"({"name":")" + edited + R"(","notes":")" + edited + R"("})";
            if (ask_unsealed(client, "PATCH", path, body).status != 200) return;
            answers_.is(id, edited + "|" + edited);
        } else if (i % 3 == 1) {
            answers_.may_become(id, absent);
            if (ask_unsealed(client, "DELETE", path + "?force=true").status != 204) return;
            answers_.is(id, absent);
        }
    }
}

void CrashLife::mint_and_withdraw() {
    auto client = impatient_client(daemon_);
    for (int i = 0; !stop_ && i < changes_a_round; ++i) {
        const auto minted = ask_unsealed(
            client, "POST", "/v1/grants",
            R"({"workspace":"default","workflow":"nightly","run":"42","credentials":["always there"],"ttl":"1h"})");
        if (minted.status != 201) return;
        const auto id = text_of(minted.json.as_object(), "id");
        answers_.is(id, "live");
        if (i % 4 == 0) continue;
        answers_.may_become(id, absent);
        if (ask_unsealed(client, "DELETE", "/v1/grants/" + id).status != 204) return;
        answers_.is(id, absent);
    }
}

void CrashLife::lease(bool durably) {
    auto client = impatient_client(daemon_);
    if (durably) client.use_grant(SecretText::copy_of(counted_grant_).value());
    while (!stop_) {
        auto lease = client.lease({.credential = "always there", .ttl = 30min, .bound_to_process = false});
        if (lease) {
            lease->keep();
            answers_.delivered(lease->id(), durably);
        } else if (lease.error().code != "sealed") {
            return;
        }
        ::usleep(2000); // hundreds a round, not tens of thousands
    }
}

void CrashLife::seal_and_unseal() {
    auto client = impatient_client(daemon_);
    while (!stop_) {
        ::usleep(40000);
        if (ask(client, "POST", "/v1/seal").status != 200) return;
        ::usleep(2000);
        if (ask(client, "POST", "/v1/unseal").status != 200) return;
    }
}

void CrashLife::look_again(bool was_power_lost) {
    BOOST_REQUIRE_MESSAGE(daemon_.start(), daemon_.log());
    auto client = client_of(daemon_);
    std::map<std::string, std::string> credentials, grants;
    for_each_item(client, "/v1/credentials", [&](const auto& item) {
        credentials[text_of(item, "id")] =
            text_of(item, "name") + "|" +
            (item.contains("notes") && item.at("notes").is_string() ? text_of(item, "notes") : std::string());
    });
    answers_.look(credentials, "cred_");
    for_each_item(client, "/v1/grants", [&](const auto& item) { grants[text_of(item, "id")] = "live"; });
    answers_.look(grants, "grant_");
    look_at_leases(client, was_power_lost);
    BOOST_REQUIRE(ask(client, "GET", "/v1/audit/verify").json.at("ok").as_bool());
}

/// Each that was delivered is in the log, or the log says that some are missing.
void CrashLife::look_at_leases(Client& client, bool was_power_lost) {
    const auto delivered = answers_.take_leases();
    std::set<std::string> recorded;
    for_each_item(client, "/v1/audit?action=lease.issued&since=" + a_minute_ago(),
                  [&](const auto& item) { recorded.insert(text_of(item, "lease")); });
    for (const auto& id : delivered.on_disk) BOOST_REQUIRE_MESSAGE(recorded.contains(id), "no record of " + id);
    for (const auto& id : seen_leases_) BOOST_REQUIRE_MESSAGE(recorded.contains(id), "the log got shorter: " + id);
    seen_leases_ = delivered.on_disk;
    std::size_t lost = 0;
    for (const auto& id : delivered.in_memory) {
        if (recorded.contains(id))
            seen_leases_.insert(id);
        else
            ++lost;
    }
    if (!was_power_lost) BOOST_REQUIRE_EQUAL(lost, 0U);
    const bool says_so = !audit_of(client, "action=log.gap").empty();
    if (lost > 0) BOOST_REQUIRE(says_so);
    leases_ += delivered.on_disk.size() + delivered.in_memory.size();
    leases_lost_ += lost;
}

} // namespace credlease::tests
