#pragma once

#include "mac/mac.hpp"
#include "secret/arena.hpp"
#include "store/store.hpp"
#include "support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>
#include <rocksdb/db.h>

#include <map>
#include <memory>
#include <string>

namespace credlease::store::test {

/// Keys that are the same in every run.
class SampleKeys {
  public:
    SampleKeys() : arena_(*secret::Arena::make({.size = std::size_t{256} << 10, .allow_unlocked = true})) {}

    [[nodiscard]] Store::Keys store() { return {make<mac::RecordPurpose>(), make<mac::SetPurpose>()}; }
    template <class Purpose> mac::Mac<Purpose> make() {
        auto parent = secret::SecretBuffer::copy(*arena_, std::string_view("0123456789abcdef0123456789abcdef"),
                                                 secret::Share::keys);
        return std::move(*mac::make_mac<Purpose>(*arena_, *parent));
    }

  private:
    std::unique_ptr<secret::Arena> arena_;
};

/// What a load showed: "table/key" → value.
using Shown = std::map<std::string, std::string>;

inline std::string name_of_record(Table table, std::string_view key) {
    return std::string(name_of(table)) + "/" + std::string(key);
}

struct Opened {
    std::unique_ptr<Store> store;
    Shown shown;

    [[nodiscard]] std::vector<std::string> damaged() const {
        std::vector<std::string> names;
        for (const auto& record : store->damaged()) names.push_back(name_of_record(record.table, record.key));
        return names;
    }
};

inline Opened open_and_load(const std::filesystem::path& data, SampleKeys& keys) {
    auto store = Store::open(data);
    BOOST_REQUIRE_MESSAGE(store.has_value(), (store ? "" : store.error().detail()));
    Opened opened{.store = std::move(*store), .shown = {}};
    const auto loaded = opened.store->load(keys.store(), [&](const Record& record) {
        opened.shown[name_of_record(record.table, record.key)] = std::string(record.value);
    });
    BOOST_REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().detail()));
    return opened;
}

/// Prepares and writes, or takes back.
inline result::Result<> apply(Store& store, Batch batch) {
    auto prepared = store.prepare(std::move(batch));
    if (!prepared) return result::refuse(std::move(prepared.error()));
    auto written = store.write({&*prepared});
    if (!written) store.revert(*prepared);
    return written;
}

inline Batch put(std::string key, std::uint64_t revision, std::string value) {
    Batch batch;
    batch.put(Table::credentials, std::move(key), revision, std::move(value));
    return batch;
}

/// The store's RocksDB behind its back: what somebody can do who has the disk and no key.
class Tampering {
  public:
    explicit Tampering(const std::filesystem::path& data) {
        rocksdb::DB* opened = nullptr;
        const auto status = rocksdb::DB::Open({}, (data / "store").string(), &opened);
        BOOST_REQUIRE_MESSAGE(status.ok(), status.ToString());
        db_.reset(opened);
    }
    [[nodiscard]] std::string get(const std::string& key) const {
        std::string value;
        BOOST_REQUIRE(db_->Get({}, key, &value).ok());
        return value;
    }
    void put(const std::string& key, const std::string& value) { BOOST_REQUIRE(db_->Put({}, key, value).ok()); }
    void erase(const std::string& key) { BOOST_REQUIRE(db_->Delete({}, key).ok()); }

  private:
    std::unique_ptr<rocksdb::DB> db_;
};

/// As it lies in RocksDB.
inline std::string raw_key(Table table, const std::string& key) { return static_cast<char>(table) + key; }
inline std::string credential_key(const std::string& key) { return raw_key(Table::credentials, key); }

} // namespace credlease::store::test
