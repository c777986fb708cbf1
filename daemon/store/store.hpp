#pragma once

#include "mac/mac.hpp"
#include "result/result.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace credlease::store {

/// The kinds of record. The number is part of the stored format.
enum class Table : std::uint8_t {
    credentials = 1, ///< metadata, by credential id
    versions = 2,    ///< sealed field sets, by credential id and version
    keys = 3,        ///< wrapped workspace keys, by scope text
    grants = 4,      ///< by grant id
    workspaces = 5,  ///< by workspace id
    members = 6,     ///< by workspace and user
    idempotency = 7, ///< first outcomes, by principal and key
    copies = 8,      ///< audit records of changes that the audit head may not have reached; not in the set hash
    tokens = 9,      ///< sealed token sets, by credential id
    intents = 10,    ///< token requests that were begun, by credential id
    clients = 11,    ///< the organization's OAuth clients, by service id
};
/// Those whose records are in the set hash.
inline constexpr std::array set_tables{Table::credentials, Table::versions, Table::keys,        Table::grants,
                                       Table::workspaces,  Table::members,  Table::idempotency, Table::tokens,
                                       Table::intents,     Table::clients};
[[nodiscard]] std::string_view name_of(Table table);

/// A change to several records that happens whole or not at all. Revisions count from 1 and only go up.
class Batch {
  public:
    struct Change {
        Table table;
        std::string key;
        std::uint64_t revision = 0;       ///< of the new value; for an erase: of the value that goes
        std::optional<std::string> value; ///< nullopt: erase
    };

    void put(Table table, std::string key, std::uint64_t revision, std::string value);
    void erase(Table table, std::string key, std::uint64_t revision);
    [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
    [[nodiscard]] bool empty() const { return changes_.empty(); }

  private:
    std::vector<Change> changes_;
};

/// A stored record as it was read, authenticated.
struct Record {
    Table table;
    std::string_view key;
    std::uint64_t revision;
    std::string_view value;
};

/// A record that failed its authentication: refused, never overwritten, the others serve on.
struct DamagedRecord {
    Table table;
    std::string key;
};

/// What one change of a prepared batch does to the set hash: all that is needed to check, from the journal alone, which
/// records the store should hold.
struct Step {
    Table table;
    std::string key;
    std::uint64_t revision = 0;
    std::optional<mac::Digest> element; ///< the record's share in the set hash; nullopt: erased
};

/// A record that is live: its revision and its share in the set hash.
struct Live {
    std::uint64_t revision = 0;
    mac::Digest element{};
};

/// A batch with its MACs and its step of the set hash, made on the loop, written on the commit thread.
class Prepared;

/// The embedded store (RocksDB). Every record carries a keyed MAC over its table, key, revision and value; a keyed set
/// hash of all live records moves with every batch.
class Store {
  public:
    /// Opens or makes DATA/store, and holds DATA/lock for as long as it lives. `configuration`: held by another process
    /// (says so), written by a newer version, or not readable; `damaged`: RocksDB found damage before the log's tail
    /// (names the file). Nothing is written to a store that is refused.
    [[nodiscard]] static result::Result<std::unique_ptr<Store>> open(const std::filesystem::path& data);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Holds no record: a root key may be made. Wrapped keys that nothing is stored under are as good as none.
    [[nodiscard]] bool is_empty() const;

    /// Values that are authenticated by themselves (wrapped keys, the key-check value), readable before any key is
    /// there.
    [[nodiscard]] result::Result<std::optional<std::string>> read_header(std::string_view name) const;
    /// Synced before it returns. All values together, in one batch.
    [[nodiscard]] result::Result<> write_headers(const std::vector<std::pair<std::string, std::string>>& values);

    struct Keys {
        mac::RecordMac record;
        mac::SetMac set;
    };
    /// Reads and authenticates every record and shows the good ones but `copies` to `visit`, table by table in key
    /// order. From here on the store can prepare batches. `damaged`: RocksDB cannot read a file. Blocks: a `bulk`
    /// worker's job, or before the loop runs. What only the set hash can tell (a record replayed, dropped or added) is
    /// found by audit::Journal::open, which adds it to `damaged()`: whoever visited such a record forgets it then.
    [[nodiscard]] result::Result<> load(Keys keys, const std::function<void(const Record&)>& visit);
    /// Forgets keys and what was loaded (sealing).
    void unload();

    [[nodiscard]] const std::vector<DamagedRecord>& damaged() const;
    [[nodiscard]] const mac::SetHash& set_hash() const;
    [[nodiscard]] std::size_t records() const;

    // ---- loop thread
    /// Checks every change against the revision that is live (`version_conflict`: a put must be above it, an erase the
    /// same) and that no damaged record would be overwritten (`damaged`), makes the MACs, and moves the set hash. To be
    /// followed by write() or revert(), in the order of prepare().
    [[nodiscard]] result::Result<Prepared> prepare(Batch batch);
    /// Adds to a prepared batch the copy of its audit record, as number `change`, and drops copies that are no longer
    /// needed. Copies are outside the set hash, since they hold it.
    void add_copy(Prepared& prepared, std::uint64_t change, std::string_view copy);
    void drop_copy(Prepared& prepared, std::uint64_t change);
    /// Takes back batches that were prepared and not written (or undone), the latest first.
    void revert(const Prepared& prepared);
    /// The record that is live under this key, as far as the index knows; nullopt: none, or damaged.
    [[nodiscard]] std::optional<Live> find(Table table, std::string_view key) const;
    /// Counts a record as damaged: refused, never overwritten. `expected` is what should be there (nullopt: nothing):
    /// it takes the place of what is there in the set hash.
    void set_aside(Table table, std::string_view key, const std::optional<Live>& expected);

    // ---- commit thread; `undo`: log thread
    /// Writes all of them or none, without syncing (WriteOptions.sync = false). `store_unavailable`: nothing was
    /// changed.
    [[nodiscard]] result::Result<> write(const std::vector<Prepared*>& in_order);
    /// Takes back what `write` wrote, for changes whose sync failed and which nobody was told of: all of them at once,
    /// the latest first. Of what was not written, nothing. When it is refused it is to be called again, with the same.
    [[nodiscard]] result::Result<> undo(const std::vector<Prepared*>& latest_first);

    /// Makes all that was written durable (SyncWAL).
    [[nodiscard]] result::Result<> sync();

    // ---- any worker, and the start
    /// A bounded range of one table straight from the disk, authenticated (for backups, imports and diagnosis).
    [[nodiscard]] result::Result<> scan(Table table, std::string_view from,
                                        const std::function<bool(const Record&)>& visit) const;

  private:
    struct State;
    friend class Prepared;
    explicit Store(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// The number of a copy, as `scan` shows its key.
[[nodiscard]] std::uint64_t read_copy_key(std::string_view key);

/// It does not outlive the store.
class Prepared {
  public:
    Prepared();
    Prepared(Prepared&&) noexcept;
    Prepared& operator=(Prepared&&) noexcept;
    ~Prepared();
    /// The set hash once this batch is in.
    [[nodiscard]] const mac::SetHash& set_hash_after() const;
    [[nodiscard]] const std::vector<Step>& steps() const;

  private:
    friend class Store;
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace credlease::store
