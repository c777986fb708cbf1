#include "store/layout.hpp"
#include "store/state.hpp"

#include <cstring>

namespace credlease::store {

using result::Result;

Slot slot_of(const mac::SetMac& mac, Table table, std::string_view key) {
    const std::array<std::byte, 1> kind{static_cast<std::byte>(table)};
    const mac::Digest digest = mac.of({mac::Bytes(kind), mac::bytes_of(key)});
    Slot slot;
    std::memcpy(&slot.high, digest.data(), sizeof slot.high);
    std::memcpy(&slot.low, digest.data() + sizeof slot.high, sizeof slot.low);
    return slot;
}

std::optional<Live> Store::State::exchange(const Slot& slot, const std::optional<Live>& now) {
    std::optional<Live> before;
    if (const auto at = live.find(slot); at != live.end()) {
        before = at->second;
        set.toggle(before->element);
        if (!now) live.erase(at);
    }
    if (now) {
        live[slot] = *now;
        set.toggle(now->element);
    }
    return before;
}

void Store::State::name_damaged(Table table, std::string_view key) {
    if (damaged_keys.insert(stored_key(table, key)).second) damaged.push_back({table, std::string(key)});
}

bool Store::State::is_damaged(Table table, std::string_view key) const {
    return !damaged_keys.empty() && damaged_keys.contains(stored_key(table, key));
}

Result<> Store::load(Keys keys, const std::function<void(const Record&)>& visit) {
    unload();
    state_->keys.emplace(std::move(keys));
    return state_->rocks->read_from("\1", [&](std::string_view stored, std::string_view bytes) {
        const auto table = static_cast<Table>(stored.front());
        const auto value = read_value(bytes);
        Record record{.table = table, .key = stored.substr(1), .revision = 0, .value = {}};
        if (value) {
            record.revision = value->revision;
            record.value = value->value;
        }
        if (!value || !is_authentic(state_->keys->record, record, value->mac)) {
            state_->name_damaged(table, record.key);
            return true;
        }
        if (table == Table::copies) return true;
        state_->exchange(slot_of(state_->keys->set, table, record.key),
                         Live{.revision = record.revision, .element = element_of(state_->keys->set, record)});
        visit(record);
        return true;
    });
}

Result<> Store::scan(Table table, std::string_view from, const std::function<bool(const Record&)>& visit) const {
    return state_->rocks->read_from(stored_key(table, from), [&](std::string_view stored, std::string_view bytes) {
        if (static_cast<Table>(stored.front()) != table) return false;
        const auto value = read_value(bytes);
        if (!value) return true;
        const Record record{
            .table = table, .key = stored.substr(1), .revision = value->revision, .value = value->value};
        return !is_authentic(state_->keys->record, record, value->mac) || visit(record);
    });
}

std::optional<Live> Store::find(Table table, std::string_view key) const {
    const auto at = state_->live.find(slot_of(state_->keys->set, table, key));
    if (at == state_->live.end() || state_->is_damaged(table, key)) return std::nullopt;
    return at->second;
}

void Store::set_aside(Table table, std::string_view key, const std::optional<Live>& expected) {
    state_->name_damaged(table, key);
    state_->exchange(slot_of(state_->keys->set, table, key), expected);
}

} // namespace credlease::store
