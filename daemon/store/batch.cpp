#include "store/store.hpp"

namespace credlease::store {

std::string_view name_of(Table table) {
    switch (table) {
    case Table::credentials:
        return "credentials";
    case Table::versions:
        return "versions";
    case Table::keys:
        return "keys";
    case Table::grants:
        return "grants";
    case Table::workspaces:
        return "workspaces";
    case Table::members:
        return "members";
    case Table::idempotency:
        return "idempotency";
    case Table::copies:
        return "copies";
    case Table::tokens:
        return "tokens";
    case Table::intents:
        return "intents";
    case Table::clients:
        return "clients";
    }
    return "unknown";
}

void Batch::put(Table table, std::string key, std::uint64_t revision, std::string value) {
    changes_.push_back({.table = table, .key = std::move(key), .revision = revision, .value = std::move(value)});
}

void Batch::erase(Table table, std::string key, std::uint64_t revision) {
    changes_.push_back({.table = table, .key = std::move(key), .revision = revision, .value = std::nullopt});
}

} // namespace credlease::store
