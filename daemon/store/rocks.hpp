#pragma once

#include "result/result.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace credlease::store {

/// RocksDB, as the store wants it: small, quiet, strict about damage, and never asked for a write with `sync = true`
/// (that would hold up every other writer for as long as the disk takes).
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
    [[nodiscard]] rocksdb::DB& db() const { return *db_; }

  private:
    /// After a failure RocksDB refuses all writes until it is told that the cause may be gone. From both threads.
    [[nodiscard]] result::Result<> resume();
    explicit Rocks(std::unique_ptr<rocksdb::DB> db) : db_(std::move(db)) {}

    std::unique_ptr<rocksdb::DB> db_;
    std::atomic<std::uint64_t> failures_{0}; ///< writes and syncs that failed: RocksDB refuses all until it is resumed
    std::atomic<std::uint64_t> resumed_{0};  ///< … since so many failures
};

} // namespace credlease::store
