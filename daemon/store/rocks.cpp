#include "store/rocks.hpp"

#include "runtime/behind_leases.hpp"
#include "store/layout.hpp"
#include "store/rocks_options.hpp"

#include <charconv>

namespace credlease::store {
namespace {

namespace fs = std::filesystem;
using result::PublicText;
using result::refuse;
using result::Result;

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

/// Threads of RocksDB's own write out what its memory holds and merge its files: milliseconds at a time.
void go_behind_leases(rocksdb::Env& env) {
    for (const auto pool : {rocksdb::Env::HIGH, rocksdb::Env::LOW}) { // of one thread each
        env.Schedule([](void*) { runtime::go_behind_leases(); }, nullptr, pool);
    }
}

Result<std::shared_ptr<rocksdb::DB>> open_db(const fs::path& directory) {
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
    std::shared_ptr<rocksdb::DB> db(opened);
    if (!status.ok()) return refuse(open_error(status, directory, log->damage()));
    go_behind_leases(*options.env);
    return db;
}

result::Error closed() { return unavailable(rocksdb::Status::IOError("it could not be opened again")); }

} // namespace

Result<std::unique_ptr<Rocks>> Rocks::open(const fs::path& directory) {
    auto db = open_db(directory);
    if (!db) return refuse(std::move(db.error()));
    auto rocks = std::unique_ptr<Rocks>(new Rocks(directory, std::move(*db)));
    if (rocks->is_empty()) {
        rocksdb::WriteBatch first;
        first.Put(header_key("format"), std::to_string(format_version));
        if (auto written = rocks->write(first); !written) return refuse(std::move(written.error()));
        if (auto synced = rocks->sync(); !synced) return refuse(std::move(synced.error()));
    }
    return rocks;
}

std::shared_ptr<rocksdb::DB> Rocks::hold() const {
    const std::lock_guard lock(mutex_);
    return db_;
}

Result<std::optional<std::string>> Rocks::get(std::string_view key) const {
    const auto db = hold();
    if (!db) return refuse(closed());
    std::string value;
    const auto status = db->Get({}, slice_of(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return refuse(damaged(status));
    return value;
}

// What the log holds, although a write or sync behind it failed, is read again and written to files that are synced.
Result<> Rocks::mend() {
    const auto failures = failures_.load();
    if (failures == mended_) return {};
    const std::lock_guard lock(mutex_);
    if (db_.use_count() > 1) return refuse(unavailable(rocksdb::Status::Busy("it is being read")));
    db_.reset();
    auto opened = open_db(directory_);
    if (!opened) return refuse(std::move(opened.error()));
    db_ = std::move(*opened);
    mended_ = failures;
    return {};
}

Result<> Rocks::write(rocksdb::WriteBatch& batch) {
    if (auto mended = mend(); !mended) return mended;
    const auto db = hold();
    if (!db) return refuse(closed());
    rocksdb::WriteOptions unsynced;
    unsynced.sync = false;
    const auto status = db->Write(unsynced, &batch);
    if (status.ok()) return {};
    ++failures_;
    return refuse(unavailable(status));
}

Result<> Rocks::sync() {
    // A log in which a write failed must not be synced: RocksDB takes that for a mistake of ours and ends the process.
    if (auto mended = mend(); !mended) return mended;
    const auto db = hold();
    if (!db) return refuse(closed());
    const auto status = db->SyncWAL();
    if (status.ok()) return {};
    ++failures_;
    return refuse(unavailable(status));
}

Result<> Rocks::read_from(std::string_view from,
                          const std::function<bool(std::string_view, std::string_view)>& visit) const {
    const auto db = hold();
    if (!db) return refuse(closed());
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    options.readahead_size = std::size_t{1} << 20;
    const std::unique_ptr<rocksdb::Iterator> at(db->NewIterator(options));
    for (at->Seek(slice_of(from)); at->Valid(); at->Next()) {
        if (!visit(view_of(at->key()), view_of(at->value()))) return {};
    }
    if (!at->status().ok()) return refuse(damaged(at->status()));
    return {};
}

bool Rocks::is_empty() const {
    bool empty = true;
    const auto read = read_from("", [&](std::string_view, std::string_view) { return empty = false; });
    return read.has_value() && empty;
}

Rocks::Snapshot::Snapshot(std::shared_ptr<rocksdb::DB> db) : db_(std::move(db)), snapshot_(db_->GetSnapshot()) {}

Rocks::Snapshot::~Snapshot() { db_->ReleaseSnapshot(snapshot_); }

rocksdb::Status Rocks::Snapshot::get(const std::string& key, std::string& value) const {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    return db_->Get(options, key, &value);
}

std::unique_ptr<Rocks::Snapshot> Rocks::snapshot() const {
    auto db = hold();
    return db ? std::make_unique<Snapshot>(std::move(db)) : nullptr;
}

} // namespace credlease::store
