#pragma once

#include "store/rocks.hpp"
#include "store/store.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace credlease::store {

/// Holds DATA/lock: two brokers on one store would each undo the other's work.
class Lock {
  public:
    [[nodiscard]] static result::Result<Lock> take(const std::filesystem::path& file);
    Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    Lock& operator=(Lock&&) = delete;
    ~Lock();

  private:
    explicit Lock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

/// A record's place in the index: 16 bytes of a keyed hash of table and key, so that nobody can make two keys meet and
/// a record costs the same however long its key is.
struct Slot {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const Slot&) const = default;
};
struct SlotHash {
    using is_avalanching = void; // it is a hash already
    std::size_t operator()(const Slot& slot) const noexcept { return slot.low; }
};
[[nodiscard]] Slot slot_of(const mac::SetMac& mac, Table table, std::string_view key);

struct Store::State {
    State(Lock held, std::unique_ptr<Rocks> opened) : lock(std::move(held)), rocks(std::move(opened)) {}

    /// Puts `now` in the place of what is live in the slot; returns what was.
    std::optional<Live> exchange(const Slot& slot, const std::optional<Live>& now);
    void name_damaged(Table table, std::string_view key);
    [[nodiscard]] bool is_damaged(Table table, std::string_view key) const;

    Lock lock;
    std::unique_ptr<Rocks> rocks;
    std::optional<rocksdb::WriteBatch> undoing; ///< log thread: an undo that could not be written yet
    // ---- loop thread
    std::optional<Keys> keys;
    boost::unordered_flat_map<Slot, Live, SlotHash> live; ///< about 90 bytes a record
    mac::SetHash set;
    std::vector<DamagedRecord> damaged;
    std::set<std::string> damaged_keys; ///< as they are stored
};

struct Prepared::State {
    struct Move {
        Slot slot;
        std::optional<Live> before;
    };

    rocksdb::WriteBatch batch;
    std::vector<Step> steps;
    std::vector<Move> moves;       ///< in the order in which they were made
    std::vector<std::string> keys; ///< all that the batch touches, as they are stored
    mac::SetHash after;
    std::shared_ptr<Rocks::Snapshot> before; ///< once written: what `undo` goes back to
};

} // namespace credlease::store
