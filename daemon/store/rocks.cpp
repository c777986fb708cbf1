#include "store/rocks.hpp"

#include "store/layout.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <mutex>

namespace credlease::store {
namespace {

namespace fs = std::filesystem;
using result::PublicText;
using result::refuse;
using result::Result;

/// RocksDB's own log would be a file that nobody reads. Of what it says one thing counts: which file was damaged, since
/// the status does not name it.
class DamageLog final : public rocksdb::Logger {
  public:
    DamageLog() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
    using rocksdb::Logger::Logv;
    void Logv(const char* format, va_list values) override {
        std::array<char, 512> line{};
        if (std::vsnprintf(line.data(), line.size(), format, values) < 0) return;
        const std::string_view text(line.data());
        const auto begin = text.find('/');
        if (!text.contains("dropping") || begin == std::string_view::npos) return;
        const std::lock_guard lock(mutex_);
        damage_ = text.substr(begin);
    }
    [[nodiscard]] std::string damage() const {
        const std::lock_guard lock(mutex_);
        return damage_;
    }

  private:
    mutable std::mutex mutex_; // RocksDB logs from threads of its own
    std::string damage_;
};

/// RocksDB would look for free space every five seconds, and refuse to be resumed meanwhile. The next write does that
/// at once.
class NoPolling final : public rocksdb::EventListener {
  public:
    void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* recover_itself) override {
        *recover_itself = false;
    }
};

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

rocksdb::Slice slice_of(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view_of(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

result::Error unavailable(const rocksdb::Status& status) {
    return {.code = result::ErrorCode::store_unavailable,
            .sentence = "The store does not take changes now: nothing was changed.",
            .next_step = "Look for a full or failing disk; the broker goes on by itself when it is well again.",
            .about = PublicText::of(status.ToString())};
}

result::Error damaged(const rocksdb::Status& status) {
    return {.code = result::ErrorCode::damaged,
            .sentence = "The store is damaged.",
            .next_step = "Nothing was written to it. Keep a copy of it, then restore the last backup.",
            .about = PublicText::of(status.ToString())};
}

result::Error open_error(const rocksdb::Status& status, const fs::path& directory, const std::string& damage) {
    if (status.IsCorruption() && !damage.empty()) return damaged(rocksdb::Status::Corruption(damage));
    if (status.IsCorruption()) return damaged(status);
    return {.code = result::ErrorCode::configuration,
            .sentence = "The store can't be opened.",
            .next_step = "Look at the directory's owner, rights and free space.",
            .about = PublicText::of(directory.string() + ": " + status.ToString())};
}

result::Error newer_format(std::string_view version) {
    return {.code = result::ErrorCode::configuration,
            .sentence = "The store was written by a newer version of Credlease.",
            .next_step = "Start that version or a later one. Nothing was written to the store.",
            .about = PublicText::of("format " + std::string(version) + ", this version knows up to " +
                                    std::to_string(format_version))};
}

/// A directory whose CURRENT is gone looks new to RocksDB, which would begin an empty store beside the data.
bool holds_data(const fs::path& directory) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(directory, ignored)) {
        const auto kind = entry.path().extension();
        if (kind == ".sst" || (kind == ".log" && entry.file_size(ignored) > 0)) return true;
    }
    return false;
}

Result<> check_format(rocksdb::DB& db) {
    std::string version;
    const auto status = db.Get({}, header_key("format"), &version);
    if (status.ok()) {
        std::uint32_t number = 0;
        const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
        if (error != std::errc{} || end != version.data() + version.size() || number > format_version || number == 0) {
            return refuse(newer_format(version));
        }
        return {};
    }
    if (!status.IsNotFound()) return refuse(damaged(status));
    const std::unique_ptr<rocksdb::Iterator> first(db.NewIterator({}));
    first->SeekToFirst();
    if (!first->status().ok()) return refuse(damaged(first->status()));
    if (first->Valid()) return refuse(damaged(rocksdb::Status::Corruption("the format header is missing")));
    return {};
}

/// Reads what is there without writing.
Result<> inspect(const rocksdb::Options& options, const DamageLog& log, const fs::path& directory) {
    rocksdb::DB* opened = nullptr;
    const auto status = rocksdb::DB::OpenForReadOnly(options, directory.string(), &opened);
    const std::unique_ptr<rocksdb::DB> db(opened);
    if (!status.ok()) return refuse(open_error(status, directory, log.damage()));
    return check_format(*db);
}

} // namespace

Result<std::unique_ptr<Rocks>> Rocks::open(const fs::path& directory) {
    const auto log = std::make_shared<DamageLog>();
    auto options = make_options(log);
    std::error_code ignored;
    if (fs::exists(directory / "CURRENT", ignored)) {
        if (auto sound = inspect(options, *log, directory); !sound) return refuse(std::move(sound.error()));
    } else if (holds_data(directory)) {
        return refuse(damaged(rocksdb::Status::Corruption((directory / "CURRENT").string() + " is missing")));
    }
    options.create_if_missing = true;
    rocksdb::DB* opened = nullptr;
    const auto status = rocksdb::DB::Open(options, directory.string(), &opened);
    auto rocks = std::unique_ptr<Rocks>(new Rocks(std::unique_ptr<rocksdb::DB>(opened)));
    if (!status.ok()) return refuse(open_error(status, directory, log->damage()));
    if (rocks->is_empty()) {
        rocksdb::WriteBatch first;
        first.Put(header_key("format"), std::to_string(format_version));
        if (auto written = rocks->write(first); !written) return refuse(std::move(written.error()));
        if (auto synced = rocks->sync(); !synced) return refuse(std::move(synced.error()));
    }
    return rocks;
}

Result<std::optional<std::string>> Rocks::get(std::string_view key) const {
    std::string value;
    const auto status = db_->Get({}, slice_of(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return refuse(damaged(status));
    return value;
}

Result<> Rocks::resume() {
    const auto failures = failures_.load();
    if (failures == resumed_) return {};
    if (const auto status = db_->Resume(); !status.ok()) return refuse(unavailable(status));
    resumed_ = failures;
    return {};
}

Result<> Rocks::write(rocksdb::WriteBatch& batch) {
    if (auto resumed = resume(); !resumed) return resumed;
    rocksdb::WriteOptions unsynced;
    unsynced.sync = false;
    const auto status = db_->Write(unsynced, &batch);
    if (status.ok()) return {};
    ++failures_;
    return refuse(unavailable(status));
}

Result<> Rocks::sync() {
    // A log in which a write failed must not be synced: RocksDB takes that for a mistake of ours and ends the process.
    if (auto resumed = resume(); !resumed) return resumed;
    const auto status = db_->SyncWAL();
    if (status.ok()) return {};
    ++failures_;
    return refuse(unavailable(status));
}

Result<> Rocks::read_from(std::string_view from,
                          const std::function<bool(std::string_view, std::string_view)>& visit) const {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    options.readahead_size = std::size_t{1} << 20;
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
    for (at->Seek(slice_of(from)); at->Valid(); at->Next()) {
        if (!visit(view_of(at->key()), view_of(at->value()))) return {};
    }
    if (!at->status().ok()) return refuse(damaged(at->status()));
    return {};
}

bool Rocks::is_empty() const {
    const std::unique_ptr<rocksdb::Iterator> first(db_->NewIterator({}));
    first->SeekToFirst();
    return !first->Valid() && first->status().ok();
}

} // namespace credlease::store
