#include "store/rocks_options.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>

#include <array>
#include <cstdio>
#include <string_view>

namespace credlease::store {
namespace {

/// On a full disk RocksDB would look for free space every five seconds; the next write does better.
class NoPolling final : public rocksdb::EventListener {
  public:
    void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* recover_itself) override {
        *recover_itself = false;
    }
};

} // namespace

void DamageLog::Logv(const char* format, va_list values) {
    std::array<char, 512> line{};
    if (std::vsnprintf(line.data(), line.size(), format, values) < 0) return;
    const std::string_view text(line.data());
    const auto begin = text.find('/');
    if (!text.contains("dropping") || begin == std::string_view::npos) return;
    const std::lock_guard lock(mutex_);
    damage_ = text.substr(begin);
}

std::string DamageLog::damage() const {
    const std::lock_guard lock(mutex_);
    return damage_;
}

rocksdb::Options make_options(std::shared_ptr<DamageLog> log) {
    constexpr std::size_t mebibyte = std::size_t{1} << 20;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(mebibyte);
    rocksdb::Options options;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    // The default would take a flipped bit in the log for its end, and drop what was synced behind it.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    options.track_and_verify_wals_in_manifest = true;
    options.paranoid_checks = true;
    options.compression = rocksdb::kNoCompression; // nearly all of it is ciphertext
    options.bottommost_compression = rocksdb::kNoCompression;
    options.write_buffer_size = 2 * mebibyte;
    options.max_write_buffer_number = 2;
    options.max_total_wal_size = 8 * mebibyte;
    options.max_manifest_file_size = mebibyte;
    options.max_open_files = 64;
    options.max_background_jobs = 2;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    options.listeners.push_back(std::make_shared<NoPolling>());
    options.info_log = std::move(log);
    return options;
}

} // namespace credlease::store
