#pragma once

#include "result/result.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::store {

/// RocksDB, as the store wants it: small, quiet, strict about damage, and never asked for a write with `sync = true`
/// (that would hold up every other writer for as long as the disk takes).
///
/// After a failed write or sync RocksDB takes no more: DB::Resume() helps in some cases, fails in some (a failed sync)
/// and in some makes the next write end the process (a failed write to a log that was empty; Debian builds it with
/// assertions). So the next write or sync closes it and opens it again.
class Rocks {
  public:
    /// Opens what is there or makes it. What is there is first read through without writing: a damaged or newer one
    /// stays as it was.
    [[nodiscard]] static result::Result<std::unique_ptr<Rocks>> open(const std::filesystem::path& directory);

    [[nodiscard]] result::Result<std::optional<std::string>> get(std::string_view key) const;
    /// From any thread, but one at a time.
    [[nodiscard]] result::Result<> write(rocksdb::WriteBatch& batch);
    /// Beside writes of another thread.
    [[nodiscard]] result::Result<> sync();
    /// Shows every key from `from` on, until `visit` says false.
    [[nodiscard]] result::Result<>
    read_from(std::string_view from, const std::function<bool(std::string_view, std::string_view)>& visit) const;
    [[nodiscard]] bool is_empty() const;

    /// The store as it is now. It keeps RocksDB from being opened again: hold it no longer than needed.
    class Snapshot {
      public:
        explicit Snapshot(std::shared_ptr<rocksdb::DB> db);
        Snapshot(const Snapshot&) = delete;
        Snapshot& operator=(const Snapshot&) = delete;
        ~Snapshot();
        [[nodiscard]] rocksdb::Status get(const std::string& key, std::string& value) const;

      private:
        std::shared_ptr<rocksdb::DB> db_;
        const rocksdb::Snapshot* snapshot_;
    };
    /// nullptr when RocksDB could not be opened again.
    /// Opens it again if a write or sync failed since. `store_unavailable`, also while something reads it.
    [[nodiscard]] result::Result<> mend();
    [[nodiscard]] std::unique_ptr<Snapshot> snapshot() const;

  private:
    Rocks(std::filesystem::path directory, std::shared_ptr<rocksdb::DB> db)
        : directory_(std::move(directory)), db_(std::move(db)) {}
    [[nodiscard]] std::shared_ptr<rocksdb::DB> hold() const;

    std::filesystem::path directory_;
    mutable std::mutex mutex_; ///< guards `db_` while it is opened again: several threads hold it
    std::shared_ptr<rocksdb::DB> db_;
    std::atomic<std::uint64_t> failures_{0}; ///< writes and syncs that failed
    std::atomic<std::uint64_t> mended_{0};   ///< it was opened again since so many
};

} // namespace credlease::store
