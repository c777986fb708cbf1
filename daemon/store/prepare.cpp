#include "store/layout.hpp"
#include "store/state.hpp"

#include <ranges>

namespace credlease::store {
namespace {

using result::PublicText;
using result::refuse;
using result::Result;

constexpr std::size_t number_size = 8;

/// Big-endian, so that copies lie in order.
std::string copy_key(std::uint64_t change) {
    std::string made(number_size, '\0');
    for (std::size_t i = number_size; i-- > 0; change >>= 8) made[i] = static_cast<char>(change & 0xff);
    return made;
}

result::Error conflict(const Batch::Change& change, std::uint64_t live) {
    return {.code = result::ErrorCode::version_conflict,
            .sentence = "It has been changed meanwhile.",
            .next_step = "Read it again, then repeat the change.",
            .about = PublicText::of(name_of(change.table)),
            .current_revision = live};
}

result::Error refuse_damaged(const Batch::Change& change) {
    return {.code = result::ErrorCode::damaged,
            .sentence = "This record is damaged: it is kept as it was found and not overwritten.",
            .next_step = "Restore it from a backup, or store it anew under another name.",
            .about = PublicText::of(std::string(name_of(change.table)) + " " + change.key)};
}

bool fits(const Batch::Change& change, std::uint64_t live) {
    return change.value ? change.revision > live : change.revision == live && live != 0;
}

} // namespace

std::uint64_t read_copy_key(std::string_view key) {
    std::uint64_t number = 0;
    for (const char digit : key.substr(0, number_size)) number = number << 8 | static_cast<unsigned char>(digit);
    return number;
}

Prepared::Prepared() : state_(std::make_unique<State>()) {}
Prepared::Prepared(Prepared&&) noexcept = default;
Prepared& Prepared::operator=(Prepared&&) noexcept = default;
Prepared::~Prepared() = default;
const mac::SetHash& Prepared::set_hash_after() const { return state_->after; }
const std::vector<Step>& Prepared::steps() const { return state_->steps; }

Result<Prepared> Store::prepare(Batch batch) {
    Prepared prepared;
    auto& made = *prepared.state_;
    for (const auto& change : batch.changes()) {
        const Slot slot = slot_of(state_->keys->set, change.table, change.key);
        const auto at = state_->live.find(slot);
        const std::uint64_t live = at == state_->live.end() ? 0 : at->second.revision;
        const bool damaged = state_->is_damaged(change.table, change.key);
        if (damaged || !fits(change, live)) {
            revert(prepared);
            return refuse(damaged ? refuse_damaged(change) : conflict(change, live));
        }
        Step step{.table = change.table, .key = change.key, .revision = change.revision, .element = std::nullopt};
        made.keys.push_back(stored_key(change.table, change.key));
        std::optional<Live> now;
        if (change.value) {
            const Record record{change.table, change.key, change.revision, *change.value};
            made.batch.Put(made.keys.back(), make_value(state_->keys->record, record));
            step.element = element_of(state_->keys->set, record);
            now = Live{.revision = change.revision, .element = *step.element};
        } else {
            made.batch.Delete(made.keys.back());
        }
        made.moves.push_back({slot, state_->exchange(slot, now)});
        made.steps.push_back(std::move(step));
    }
    made.after = state_->set;
    return prepared;
}

void Store::add_copy(Prepared& prepared, std::uint64_t change, std::string_view copy) {
    const std::string key = copy_key(change);
    const Record record{.table = Table::copies, .key = key, .revision = 1, .value = copy};
    auto& made = *prepared.state_;
    made.keys.push_back(stored_key(Table::copies, key));
    made.batch.Put(made.keys.back(), make_value(state_->keys->record, record));
}

void Store::drop_copy(Prepared& prepared, std::uint64_t change) {
    auto& made = *prepared.state_;
    made.keys.push_back(stored_key(Table::copies, copy_key(change)));
    made.batch.Delete(made.keys.back());
}

void Store::revert(const Prepared& prepared) {
    for (const auto& move : prepared.state_->moves | std::views::reverse) state_->exchange(move.slot, move.before);
}

namespace {

/// Adds what another batch does.
class Adding final : public rocksdb::WriteBatch::Handler {
  public:
    explicit Adding(rocksdb::WriteBatch& to) : to_(to) {}
    void Put(const rocksdb::Slice& key, const rocksdb::Slice& value) override { to_.Put(key, value); }
    void Delete(const rocksdb::Slice& key) override { to_.Delete(key); }

  private:
    rocksdb::WriteBatch& to_;
};

result::Error not_whole(const rocksdb::Status& status) {
    return {.code = result::ErrorCode::store_unavailable,
            .sentence = "The changes could not be put together: nothing was changed.",
            .next_step = "Try again; if it happens again, look for failing memory.",
            .about = PublicText::of(status.ToString())};
}

} // namespace

Result<> Store::write(const std::vector<Prepared*>& in_order) {
    rocksdb::WriteBatch all;
    Adding adding(all);
    for (const auto* prepared : in_order) {
        const auto added = prepared->state_->batch.Iterate(&adding);
        if (!added.ok()) return refuse(not_whole(added)); // else a part of it would be missing, and nobody told
    }
    // First, since RocksDB can't be opened again while there is a snapshot.
    if (auto mended = state_->rocks->mend(); !mended) return mended;
    std::shared_ptr<Rocks::Snapshot> before = state_->rocks->snapshot();
    auto written = state_->rocks->write(all);
    if (!written) return written;
    for (auto* prepared : in_order) prepared->state_->before = before;
    return written;
}

namespace {

/// Adds what brings the keys back to what they were in the snapshot.
Result<> add_back(rocksdb::WriteBatch& back, const Rocks::Snapshot& before, const std::vector<std::string>& keys) {
    for (const auto& key : keys) {
        std::string value;
        const auto status = before.get(key, value);
        if (status.ok()) {
            back.Put(key, value);
        } else if (status.IsNotFound()) {
            back.Delete(key);
        } else {
            return refuse({.code = result::ErrorCode::store_unavailable,
                           .sentence = "The store can't be read.",
                           .next_step = "Look for a failing disk.",
                           .about = PublicText::of(status.ToString())});
        }
    }
    return {};
}

} // namespace

// The snapshots go before anything is written: while there is one, RocksDB can't be opened again, which it may need.
Result<> Store::undo(const std::vector<Prepared*>& latest_first) {
    if (!state_->undoing) {
        rocksdb::WriteBatch back;
        for (const auto* prepared : latest_first) {
            const auto& made = *prepared->state_;
            if (!made.before) continue;
            if (auto added = add_back(back, *made.before, made.keys); !added) return added;
        }
        if (back.Count() == 0) return {};
        state_->undoing = std::move(back);
        for (auto* prepared : latest_first) prepared->state_->before.reset();
    }
    auto written = state_->rocks->write(*state_->undoing);
    if (written) state_->undoing.reset();
    return written;
}

} // namespace credlease::store
