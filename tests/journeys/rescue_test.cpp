#define BOOST_TEST_DYN_LINK
#include "oauth_house.hpp"
#include "support/daemon/slow_disk.hpp"

#include <rocksdb/db.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <memory>

using namespace credlease;
using namespace credlease::tests;
using namespace std::chrono_literals;
using boost::json::object;

namespace {

constexpr auto lies_in_rescue = "they lie in DATA/rescue";

/// A broker whose disk fails at will, beside a provider that holds each answer back once it is decided.
struct FailingHouse {
    SlowDisk disk;
    OAuthHouse house;

    explicit FailingHouse(const std::string& refresh_class)
        : house({{"refresh_class", refresh_class}, {"lifetimes", object{{"access", 3600}}}}, {}, {}, disk.setup()) {}

    Answered refresh(const std::string& id) {
        auto client = client_of(house.daemon);
        return ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}");
    }
    /// Does `work`, and lets the disk fail between the provider's decision and its answer.
    std::jthread fail_beneath(const std::function<void()>& work, int error, const std::string& parts) {
        const auto before = house.provider.token_requests().size();
        house.provider.misbehave({{"do", "slow"}, {"after_ms", 1500}});
        std::jthread works(work);
        BOOST_REQUIRE(house.provider.wait_for_token_requests(before + 1));
        disk.fail(error, parts);
        return works;
    }
    [[nodiscard]] bool has_action(const std::string& action) {
        return !audit_of(house.client, "action=" + action).empty();
    }
    [[nodiscard]] std::string rescue_file() const {
        std::ifstream in(house.daemon.data() / "rescue", std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    [[nodiscard]] bool is_rescue_empty() const {
        for (int i = 0; i < 500; ++i) {
            if (rescue_file().find_first_not_of('\0') == std::string::npos) return true;
            std::this_thread::sleep_for(20ms);
        }
        return false;
    }
    /// Waits until a lease holds another token.
    [[nodiscard]] bool changes(const std::string& name, const std::string& token) {
        for (int i = 0; i < 500; ++i) {
            const auto now = house.token_of(name);
            if (!now.empty() && now != token) return true;
            std::this_thread::sleep_for(20ms);
        }
        return false;
    }
    /// The refresh token that is held is the newest.
    void check_refreshes(const std::string& id, std::size_t requests) {
        BOOST_TEST(house.provider.token_requests().size() == requests);
        BOOST_TEST(refresh(id).status == 200U);
        BOOST_TEST(house.provider.token_requests().size() == requests + 1);
        BOOST_TEST(house.provider.uses_of_spent_tokens().empty());
    }
};

/// A bit of each record under the credential's id; once more, and they are as they were.
void flip_records(const std::filesystem::path& store, const std::string& id) {
    rocksdb::DB* opened = nullptr;
    BOOST_REQUIRE(rocksdb::DB::Open({}, store.string(), &opened).ok());
    const std::unique_ptr<rocksdb::DB> records(opened);
    const std::unique_ptr<rocksdb::Iterator> at(records->NewIterator({}));
    for (at->SeekToFirst(); at->Valid(); at->Next()) {
        if (!at->key().ToString().contains(id)) continue;
        auto value = at->value().ToString();
        value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 1);
        BOOST_REQUIRE(records->Put({}, at->key(), value).ok());
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(rescue)

BOOST_AUTO_TEST_CASE(a_store_that_cannot_write_spends_no_token_and_service_resumes_by_itself) {
    FailingHouse failing("single_use");
    auto& house = failing.house;
    const auto id = house.connected("kept");
    const auto token = house.token_of("kept");
    for (const int error : {ENOSPC, EIO, EROFS}) {
        const auto before = house.provider.token_requests().size();
        failing.disk.fail(error, "/store/");
        for (int i = 0; i < 3; ++i) BOOST_TEST(failing.refresh(id).code == "store_unavailable");
        BOOST_TEST(house.token_of("kept") == token); // the live one is leased on
        BOOST_TEST(house.provider.token_requests().size() == before);
        failing.disk.let_go();
    }
    bool is_refreshed = false;
    for (int i = 0; i < 200 && !is_refreshed; ++i) {
        is_refreshed = failing.refresh(id).status == 200U;
        if (!is_refreshed) std::this_thread::sleep_for(50ms);
    }
    BOOST_TEST(is_refreshed);
    BOOST_TEST(house.provider.token_requests().size() == 2U);
    BOOST_TEST(house.provider.uses_of_spent_tokens().empty());
}

BOOST_AUTO_TEST_CASE(a_data_folder_that_becomes_read_only_in_a_refresh_loses_nothing_and_is_written_again_by_itself) {
    FailingHouse failing("single_use");
    auto& house = failing.house;
    const auto id = house.connected("kept");
    const auto token = house.token_of("kept");
    auto asks = failing.fail_beneath([&] { (void)failing.refresh(id); }, EROFS, "/store/ /journal/ /rescue audit.head");
    asks.join(); // its answer is held in memory, or it waits no longer
    for (int i = 0; i < 3; ++i) BOOST_TEST(failing.refresh(id).status != 200U);
    BOOST_TEST(house.provider.token_requests().size() == 2U);
    failing.disk.let_go();
    BOOST_TEST(failing.changes("kept", token));
    failing.check_refreshes(id, 2);
    BOOST_TEST(house.daemon.stop().value_or(-1) == 0);
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    failing.check_refreshes(id, 3);
}

BOOST_AUTO_TEST_CASE(new_tokens_that_the_store_refuses_survive_a_kill_in_rescue) {
    for (const std::string refresh_class :
         {"static", "rotating", "single_use", "single_use_grace", "kills_access_token"}) {
        FailingHouse failing(refresh_class);
        auto& house = failing.house;
        const auto id = house.connected("saved", {{"refresh_class", refresh_class}});
        const auto token = house.token_of("saved");
        auto asks = failing.fail_beneath([&] { (void)failing.refresh(id); }, ENOSPC, "/store/");
        BOOST_REQUIRE_MESSAGE(house.daemon.wait_for_log(lies_in_rescue), house.daemon.log());
        BOOST_TEST(house.token_of("saved") == token); // the new one once the store has it
        house.daemon.kill9();
        asks.join();
        failing.disk.let_go();
        BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
        const auto saved = house.token_of("saved"); // the first lease of all
        BOOST_TEST((!saved.empty() && saved != token), refresh_class);
        BOOST_TEST(house.show(id).at("generation").to_number<int>() == 1);
        BOOST_TEST(failing.has_action("oauth.rescued"), refresh_class);
        BOOST_TEST(!failing.has_action("oauth.in_doubt"), refresh_class);
        BOOST_TEST(failing.is_rescue_empty(), refresh_class);
        failing.check_refreshes(id, 2);
    }
}

BOOST_AUTO_TEST_CASE(the_first_tokens_of_a_credential_survive_a_kill_in_rescue) {
    FailingHouse failing("single_use");
    auto& house = failing.house;
    const auto id = house.store("first");
    const auto made = house.provider.control("/grant");
    const auto given = made.at("grants").as_array().front().at("answer").at("refresh_token");
    const auto body = boost::json::serialize(object{{"credential", id}, {"refresh_token", given}});
    const auto authorize = [&] {
        auto client = client_of(house.daemon);
        (void)ask(client, "POST", "/v1/oauth/authorizations", body);
    };
    auto asks = failing.fail_beneath(authorize, EIO, "/store/");
    BOOST_REQUIRE_MESSAGE(house.daemon.wait_for_log(lies_in_rescue), house.daemon.log());
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "pending");
    house.daemon.kill9();
    asks.join();
    failing.disk.let_go();
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "active");
    BOOST_TEST(!house.token_of("first").empty());
    failing.check_refreshes(id, 1);
}

BOOST_AUTO_TEST_CASE(rescued_tokens_go_into_the_store_as_soon_as_it_takes_them) {
    FailingHouse failing("single_use");
    auto& house = failing.house;
    const auto id = house.connected("saved");
    const auto token = house.token_of("saved");
    Answered answered;
    auto asks = failing.fail_beneath([&] { answered = failing.refresh(id); }, EROFS, "/store/");
    BOOST_REQUIRE_MESSAGE(house.daemon.wait_for_log(lies_in_rescue), house.daemon.log());
    failing.disk.let_go();
    asks.join();
    BOOST_TEST((answered.status == 200U || answered.code == "refresh_timeout"));
    BOOST_TEST(failing.changes("saved", token));
    BOOST_TEST(failing.is_rescue_empty());
    failing.check_refreshes(id, 2);
}

BOOST_AUTO_TEST_CASE(a_stop_or_a_seal_does_not_wait_for_what_lies_in_rescue) {
    FailingHouse failing("single_use");
    auto& house = failing.house;
    const auto id = house.connected("saved");
    auto token = house.token_of("saved");
    auto asks = failing.fail_beneath([&] { (void)failing.refresh(id); }, ENOSPC, "/store/");
    BOOST_REQUIRE_MESSAGE(house.daemon.wait_for_log(lies_in_rescue), house.daemon.log());
    BOOST_TEST(house.daemon.stop().has_value());
    asks.join();
    failing.disk.let_go();
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    BOOST_TEST(failing.changes("saved", token));

    token = house.token_of("saved");
    asks = failing.fail_beneath([&] { (void)failing.refresh(id); }, ENOSPC, "/store/");
    BOOST_REQUIRE(house.daemon.wait_for_log(lies_in_rescue, 2));
    (void)ask(house.client, "POST", "/v1/seal", "{}");
    asks.join();
    BOOST_TEST(OAuthHouse::text(ask(house.client, "GET", "/v1/status").json, "state") == "sealed");
    failing.disk.let_go();
    BOOST_TEST(ask(house.client, "POST", "/v1/unseal", "{}").status == 200U);
    BOOST_TEST(failing.changes("saved", token));
    failing.check_refreshes(id, 3);
}

BOOST_AUTO_TEST_CASE(tokens_that_no_disk_takes_hold_a_stop_until_one_does) {
    FailingHouse failing("single_use");
    auto& house = failing.house;
    const auto id = house.connected("held");
    const auto token = house.token_of("held");
    auto asks = failing.fail_beneath([&] { (void)failing.refresh(id); }, EROFS, "/store/ /rescue");
    BOOST_REQUIRE_MESSAGE(house.daemon.wait_for_log("kept in memory alone"), house.daemon.log());
    BOOST_TEST(house.token_of("held") == token);
    BOOST_TEST(!house.daemon.stop(4s).has_value());
    failing.disk.let_go();
    BOOST_TEST(house.daemon.stop().has_value());
    asks.join();
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    const auto kept = house.token_of("held");
    BOOST_TEST((!kept.empty() && kept != token));
    failing.check_refreshes(id, 2);
}

BOOST_AUTO_TEST_CASE(a_rescue_file_that_was_removed_is_made_anew) {
    FailingHouse failing("single_use");
    auto& house = failing.house;
    const auto id = house.connected("saved");
    const auto token = house.token_of("saved");
    BOOST_REQUIRE(std::filesystem::remove(house.daemon.data() / "rescue"));
    auto asks = failing.fail_beneath([&] { (void)failing.refresh(id); }, ENOSPC, "/store/");
    BOOST_REQUIRE_MESSAGE(house.daemon.wait_for_log(lies_in_rescue), house.daemon.log());
    house.daemon.kill9();
    asks.join();
    failing.disk.let_go();
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    BOOST_TEST(failing.changes("saved", token));
}

BOOST_AUTO_TEST_CASE(what_does_not_authenticate_is_named_and_left_alone_and_what_is_older_is_not_used) {
    FailingHouse failing("single_use");
    auto& house = failing.house;
    const auto id = house.connected("saved");
    auto asks = failing.fail_beneath([&] { (void)failing.refresh(id); }, ENOSPC, "/store/");
    BOOST_REQUIRE_MESSAGE(house.daemon.wait_for_log(lies_in_rescue), house.daemon.log());
    house.daemon.kill9();
    asks.join();
    failing.disk.let_go();
    const auto rescued = failing.rescue_file();
    const auto file = house.daemon.data() / "rescue";

    auto damaged = rescued;
    const auto last = damaged.find_last_not_of('\0');
    damaged[last] = static_cast<char>(damaged[last] ^ 1);
    std::ofstream(file, std::ios::binary) << damaged;
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    BOOST_TEST(house.daemon.log().contains("does not authenticate"));
    BOOST_TEST(failing.has_action("oauth.in_doubt"));
    BOOST_TEST((failing.rescue_file() == damaged));
    house.daemon.kill9();

    std::ofstream(file, std::ios::binary) << rescued;
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    const auto token = house.token_of("saved");
    BOOST_REQUIRE(failing.is_rescue_empty());
    failing.check_refreshes(id, 2);
    const auto newer = house.token_of("saved");
    BOOST_TEST(newer != token);
    house.daemon.kill9();

    std::ofstream(file, std::ios::binary) << rescued; // once more, when the credential has newer tokens
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    BOOST_TEST(house.token_of("saved") == newer);
    BOOST_TEST(failing.is_rescue_empty());
    failing.check_refreshes(id, 3);
}

BOOST_AUTO_TEST_CASE(what_lies_in_rescue_waits_for_the_backup_of_a_damaged_credential) {
    FailingHouse failing("single_use");
    auto& house = failing.house;
    const auto id = house.connected("saved");
    const auto token = house.token_of("saved");
    auto asks = failing.fail_beneath([&] { (void)failing.refresh(id); }, ENOSPC, "/store/");
    BOOST_REQUIRE_MESSAGE(house.daemon.wait_for_log(lies_in_rescue), house.daemon.log());
    house.daemon.kill9();
    asks.join();
    failing.disk.let_go();
    const auto rescued = failing.rescue_file();
    flip_records(house.daemon.data() / "store", id);
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    BOOST_TEST(house.daemon.log().contains("DATA/rescue has tokens of a credential whose record is damaged"));
    BOOST_TEST(house.daemon.stop().has_value());
    BOOST_TEST((failing.rescue_file() == rescued));
    flip_records(house.daemon.data() / "store", id);
    BOOST_REQUIRE_MESSAGE(house.daemon.start(), house.daemon.log());
    BOOST_TEST(failing.changes("saved", token));
    BOOST_TEST(failing.is_rescue_empty());
    failing.check_refreshes(id, 2);
}

BOOST_AUTO_TEST_CASE(a_stop_waits_for_a_token_request_under_way) {
    OAuthHouse house({{"refresh_class", "single_use"}, {"lifetimes", object{{"access", 3600}}}});
    const auto id = house.connected("slow");
    const auto token = house.token_of("slow");
    house.provider.misbehave({{"do", "slow"}, {"after_ms", 3000}}); // longer than a stop may take otherwise
    std::jthread asks([&] {
        auto client = client_of(house.daemon);
        (void)ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}");
    });
    BOOST_REQUIRE(house.provider.wait_for_token_requests(2));
    BOOST_TEST(house.daemon.stop().value_or(-1) == 0);
    asks.join();
    BOOST_REQUIRE(house.daemon.start());
    BOOST_TEST(house.token_of("slow") != token);
    BOOST_TEST(house.provider.token_requests().size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(answers)

BOOST_AUTO_TEST_CASE(
    an_answer_without_a_refresh_token_keeps_the_old_one_and_one_without_an_access_token_is_never_stored) {
    OAuthHouse house({{"refresh_class", "static"}, {"lifetimes", object{{"access", 3600}}}});
    const auto id = house.connected("kept", {{"refresh_class", "static"}});
    const auto refresh = [&] { return ask(house.client, "POST", "/v1/credentials/" + id + "/refresh", "{}"); };
    auto token = house.token_of("kept");
    for (int i = 0; i < 2; ++i) { // the second is asked with the refresh token that stayed
        house.provider.misbehave({{"do", "alter"}, {"remove", boost::json::array{"/refresh_token"}}});
        BOOST_TEST(refresh().status == 200U);
        const auto next = house.token_of("kept");
        BOOST_TEST((!next.empty() && next != token));
        token = next;
    }
    const auto generation = house.show(id).at("generation").to_number<int>();
    house.provider.misbehave({{"do", "alter"}, {"remove", boost::json::array{"/access_token"}}});
    BOOST_TEST(refresh().code == "upstream_failed");
    BOOST_TEST(house.token_of("kept") == token);
    BOOST_TEST(house.show(id).at("generation").to_number<int>() == generation);
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "failing"); // no definitive refusal
}

BOOST_AUTO_TEST_CASE(a_refusal_of_tokens_that_are_no_longer_current_changes_nothing) {
    OAuthHouse house({{"refresh_class", "single_use"}, {"lifetimes", object{{"access", 3600}}}});
    const auto id = house.connected("stale");
    house.provider.misbehave({{"do", "error"}, {"error", "invalid_grant"}, {"before_ms", 2500}});
    std::jthread asks([&] {
        auto client = client_of(house.daemon);
        (void)ask(client, "POST", "/v1/credentials/" + id + "/refresh", "{}");
    });
    const auto has_struck = [&] {
        return house.provider.control("/counters").at("providers").at("").at("waiting").to_number<int>() == 0;
    };
    for (int i = 0; i < 500 && !has_struck(); ++i) std::this_thread::sleep_for(10ms); // the request is there
    const auto made = house.provider.control("/grant");
    const auto& answer = made.at("grants").as_array().front().at("answer");
    const auto anew = house.authorize({{"credential", id}, {"refresh_token", answer.at("refresh_token")}});
    BOOST_TEST(OAuthHouse::text(anew.json, "state") == "connected");
    asks.join();
    BOOST_TEST(OAuthHouse::text(house.show(id), "status") == "active");
    BOOST_TEST(!house.token_of("stale").empty());
}

BOOST_AUTO_TEST_SUITE_END()
