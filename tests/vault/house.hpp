#pragma once

#include "catalog/catalog.hpp"
#include "secret/arena_resource.hpp"
#include "vault/lease_text.hpp"
#include "vault/vault.hpp"
#include "wire/json_reader.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <map>

namespace credlease::vault {

using vocabulary::Scope;

inline Scope workspace(std::string_view id) { return Scope::of(*vocabulary::WorkspaceId::read(id)); }
inline Scope personal(std::string_view user) { return Scope::of(*vocabulary::UserId::read(user)); }
inline vocabulary::CredentialName name_of(std::string_view text) { return *vocabulary::CredentialName::read(text); }
inline vocabulary::Time time_at(std::int64_t seconds) { return vocabulary::Time(std::chrono::seconds(seconds)); }

/// What a store keeps, by its rules of revisions.
struct Disk {
    struct Value {
        std::uint64_t revision = 0;
        std::string value;
    };
    std::map<std::pair<store::Table, std::string>, Value> records;

    void write(const store::Batch& batch);
};

struct ListedPage {
    std::vector<const Entry*> entries;
    std::optional<Position> next;
};

/// What a list shows, by then.
ListedPage shown(const Vault& vault, const Listing& listing);

/// A whole page, however many slices it takes.
ListedPage list(const Vault& vault, std::span<const Scope> scopes, Filter filter, Sort sort,
                std::optional<Position> after, std::size_t limit);

/// A vault with its keys and a store below it.
struct House {
    House();
    ~House();
    House(const House&) = delete;
    House& operator=(const House&) = delete;

    /// As a start does: whatever was in memory is gone.
    void open();

    const catalog::Service& service(std::string_view id) const { return *catalog->find(id); }
    const catalog::AuthType& auth(std::string_view id) const { return service(id).auth_types.front(); }

    result::Result<GivenFields> read(const catalog::AuthType& kind, std::string_view json);

    NewCredential made(std::string_view id, std::string_view name, Scope scope, std::string_view fields);

    const Entry& create(std::string_view id, std::string_view name, const Scope& scope, std::string_view fields);

    result::Result<Change> stage(const Entry& entry, Edit edit, store::Batch& batch);
    result::Result<> edit(const Entry& entry, Edit edit);
    result::Result<> edit_fields(const Entry& entry, std::string_view json);

    /// The members that a lease of it has, as JSON: for tests, whose secrets are none.
    std::string lease_of(const Entry& entry, std::uint32_t wanted = ~std::uint32_t{0}) {
        return lease_of(entry, auth(entry.credential.service.text()), wanted);
    }
    std::string lease_of(const Entry& entry, const catalog::AuthType& kind, std::uint32_t wanted);

    std::unique_ptr<secret::Arena> arena = std::move(*secret::Arena::make({.size = std::size_t{4} << 20}));
    crypto::RootKey root = std::move(*crypto::make_key<crypto::RootKeyKind>(*arena));
    std::shared_ptr<const catalog::Catalog> catalog = *catalog::Catalog::load({});
    Disk disk;
    std::unique_ptr<Vault> vault;
    vocabulary::UlidSource ids;
    vocabulary::Time now = time_at(1'800'000'000);
};

/// "code field": what a refusal says.
template <class T> std::string refusal_of(const result::Result<T>& result) {
    if (result) return "none";
    const std::string field = result.error().field.text();
    return std::string(name_of(result.error().code)) + (field.empty() ? "" : " " + field);
}

} // namespace credlease::vault
