#define BOOST_TEST_DYN_LINK
#include "promises/files_of.hpp"
#include "support/daemon/broker_client.hpp"

#include <boost/test/unit_test.hpp>
#include <rocksdb/db.h>

#include <functional>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

using namespace credlease;
using namespace credlease::tests;
namespace fs = std::filesystem;

namespace {

/// A stopped broker that has stored two credentials.
struct Stopped {
    Daemon daemon;
    std::string wanted;
    std::string other;
    fs::path key = daemon.config_folder() / "root.key";

    Stopped() {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        auto client = client_of(daemon);
        wanted = store_token(client, "wanted", "tok_wanted_12345678");
        other = store_token(client, "other", "tok_other_12345678");
        BOOST_REQUIRE(daemon.stop().value_or(-1) == 0);
    }

    /// The start is refused with that sentence, and neither the data nor what lies beside the key has changed.
    void is_refused(const std::string& sentence) {
        const auto data = files_of(daemon.data());
        const auto config = files_of(daemon.config_folder());
        const auto said = daemon.log().size();
        BOOST_TEST(!daemon.start());
        BOOST_TEST(daemon.log().find(sentence, said) != std::string::npos, daemon.log().substr(said));
        BOOST_TEST((files_of(daemon.data()) == data));
        BOOST_TEST((files_of(daemon.config_folder()) == config));
    }
    void serves_all() {
        BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
        auto client = client_of(daemon);
        BOOST_TEST(client.lease({.credential = wanted}).ok());
        BOOST_TEST(client.lease({.credential = other}).ok());
    }
};

void write_key(const fs::path& path, std::size_t size, ::mode_t mode = 0400) {
    std::ofstream(path, std::ios::binary) << std::string(size, 'k');
    BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
}

} // namespace

BOOST_AUTO_TEST_SUITE(root_key)

BOOST_FIXTURE_TEST_CASE(a_key_that_is_not_as_it_must_be_refuses_to_start_and_writes_nothing, Stopped) {
    const auto kept = daemon.root() / "kept.key";
    fs::rename(key, kept);
    is_refused("The root key file is missing.");

    const std::vector<std::pair<std::string, std::function<void()>>> wrong = {
        {"The root key is not the one that this store was made with", [&] { write_key(key, 32); }},
        {"The root key file is too short", [&] { write_key(key, 31); }},
        {"The root key file is too short", [&] { write_key(key, 0); }},
        {"The root key file is too long", [&] { write_key(key, 33); }},
        {"The root key file is a symbolic link", [&] { fs::create_symlink(kept, key); }},
        {"The root key file has more than one name", [&] { fs::create_hard_link(kept, key); }},
        {"The root key file is not a regular file", [&] { fs::create_directory(key); }},
        {"The root key file is open to its group or to others", [&] {
             fs::copy_file(kept, key);
             ::chmod(key.c_str(), 0440);
         }}};
    for (const auto& [sentence, make] : wrong) {
        BOOST_TEST_CONTEXT(sentence) {
            make();
            is_refused(sentence);
            fs::remove_all(key);
        }
    }
    if (::geteuid() == 0) {
        fs::copy_file(kept, key);
        BOOST_REQUIRE(::chmod(key.c_str(), 0400) == 0 && ::chown(key.c_str(), 65534, 65534) == 0);
        // Root is refused too: the broker has dropped the right to read what is not its own.
        is_refused("The root key file belongs to another user");
        fs::remove(key);
    }
    fs::rename(kept, key);
    serves_all();
}

BOOST_FIXTURE_TEST_CASE(a_flipped_record_is_named_refused_and_left_as_it_is_and_the_others_serve_on, Stopped) {
    const auto with_store = [&](const std::function<void(rocksdb::DB&)>& use) {
        rocksdb::DB* opened = nullptr;
        BOOST_REQUIRE(rocksdb::DB::Open({}, (daemon.data() / "store").string(), &opened).ok());
        const std::unique_ptr<rocksdb::DB> store(opened);
        use(*store);
    };
    std::map<std::string, std::string> flipped; // all that RocksDB holds under the credential's id
    with_store([&](rocksdb::DB& store) {
        const std::unique_ptr<rocksdb::Iterator> at(store.NewIterator({}));
        for (at->SeekToFirst(); at->Valid(); at->Next()) {
            if (!at->key().ToString().contains(wanted)) continue;
            auto value = at->value().ToString();
            value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 1);
            flipped[at->key().ToString()] = value;
        }
        for (const auto& [record, value] : flipped) BOOST_REQUIRE(store.Put({}, record, value).ok());
    });
    BOOST_REQUIRE(!flipped.empty());
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    BOOST_TEST(daemon.log().contains("A stored record failed its authentication"));
    BOOST_TEST(daemon.log().contains(wanted));
    auto client = client_of(daemon);
    BOOST_TEST(ask(client, "GET", "/v1/status").json.at("store").at("damaged").as_int64() ==
               static_cast<std::int64_t>(flipped.size()));
    BOOST_TEST(!client.lease({.credential = wanted}).ok());
    BOOST_TEST(ask(client, "DELETE", "/v1/credentials/" + wanted + "?force=true").status >= 400U);
    BOOST_TEST(client.lease({.credential = other}).ok());
    (void)store_token(client, "a third", "tok_third_12345678");
    BOOST_REQUIRE(daemon.stop().value_or(-1) == 0);
    with_store([&](rocksdb::DB& store) {
        for (const auto& [record, value] : flipped) {
            std::string found;
            BOOST_TEST(store.Get({}, record, &found).ok());
            BOOST_TEST((found == value));
        }
    });
}

BOOST_FIXTURE_TEST_CASE(a_bit_flipped_in_the_stores_own_log_refuses_to_start_and_names_the_file, Stopped) {
    BOOST_REQUIRE(daemon.start());
    auto client = client_of(daemon);
    for (int i = 0; i < 20; ++i) (void)store_token(client, "c" + std::to_string(i), "tok_many_12345678");
    daemon.kill9();
    fs::path log;
    for (const auto& entry : fs::directory_iterator(daemon.data() / "store")) {
        if (entry.path().extension() == ".log" && (log.empty() || entry.file_size() > fs::file_size(log)))
            log = entry.path();
    }
    BOOST_REQUIRE(!log.empty());
    const auto middle = static_cast<std::streamoff>(fs::file_size(log) / 2);
    flip(log, middle);
    is_refused(log.stem().string());
    flip(log, middle);
    serves_all();
}

BOOST_FIXTURE_TEST_CASE(without_its_seal_file_the_store_is_refused_and_nothing_is_written, Stopped) {
    const auto kept = daemon.root() / "kept.seal";
    fs::rename(daemon.data() / "seal", kept);
    is_refused("The store holds records, but its seal file is missing. code=damaged about=" +
               (daemon.data() / "seal").native());
    fs::rename(kept, daemon.data() / "seal");
    serves_all();
}

BOOST_FIXTURE_TEST_CASE(a_first_start_that_was_cut_off_behind_its_seal_file_is_gone_on_with, Stopped) {
    fs::remove_all(daemon.data() / "store");
    fs::remove_all(daemon.data() / "journal");
    fs::remove(daemon.config_folder() / "audit.head");
    BOOST_REQUIRE_MESSAGE(daemon.start(), daemon.log());
    auto client = client_of(daemon);
    BOOST_TEST(client.lease({.credential = store_token(client, "first", "tok_first_12345678")}).ok());
}

BOOST_AUTO_TEST_SUITE_END()
