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

    void write(const store::Batch& batch) {
        for (const store::Batch::Change& change : batch.changes()) {
            const auto at = std::pair(change.table, change.key);
            const auto live = records.find(at);
            const std::uint64_t revision = live == records.end() ? 0 : live->second.revision;
            if (change.value) {
                BOOST_REQUIRE_GT(change.revision, revision);
                records[at] = {.revision = change.revision, .value = *change.value};
            } else {
                BOOST_REQUIRE_EQUAL(change.revision, revision);
                BOOST_REQUIRE(records.erase(at) == 1);
            }
        }
    }
};

struct ListedPage {
    std::vector<const Entry*> entries;
    std::optional<Position> next;
};

/// What a list shows, by then.
inline ListedPage shown(const Vault& vault, const Listing& listing) {
    const auto page = Vault::page_of(listing);
    ListedPage shown{.entries = {}, .next = page.next};
    for (const auto& place : page.places) {
        if (const Entry* entry = vault.find({&place.scope, 1}, place.id)) shown.entries.push_back(entry);
    }
    return shown;
}

/// A whole page, however many slices it takes.
inline ListedPage list(const Vault& vault, std::span<const Scope> scopes, Filter filter, Sort sort,
                       std::optional<Position> after, std::size_t limit) {
    Listing listing({scopes.begin(), scopes.end()}, std::move(filter), sort, std::move(after), limit);
    while (vault.list_on(listing)) {
    }
    return shown(vault, listing);
}

/// A vault with its keys and a store below it.
struct House {
    House() { open(); }

    /// As a start does: whatever was in memory is gone.
    void open() {
        auto record_key = crypto::make_key<crypto::RecordKeyKind>(*arena);
        auto mac = mac::make_mac<mac::FingerprintPurpose>(*arena, record_key->buffer());
        vault = std::make_unique<Vault>(*arena, root, Vault::Keys{.fingerprint = std::move(*mac)});
        for (const auto& [at, held] : disk.records) {
            const auto taken =
                vault->accept({.table = at.first, .key = at.second, .revision = held.revision, .value = held.value});
            BOOST_REQUIRE_MESSAGE(taken.has_value(), (taken ? "" : taken.error().detail()));
        }
    }

    const catalog::Service& service(std::string_view id) const { return *catalog->find(id); }
    const catalog::AuthType& auth(std::string_view id) const { return service(id).auth_types.front(); }

    result::Result<GivenFields> read(const catalog::AuthType& kind, std::string_view json) {
        secret::ArenaResource memory(*arena, secret::Share::work, std::size_t{512} << 10);
        const auto value = wire::read_json(json, boost::json::storage_ptr(&memory));
        BOOST_REQUIRE(value.has_value());
        return read_fields(kind, *value, *arena);
    }

    NewCredential made(std::string_view id, std::string_view name, Scope scope, std::string_view fields) {
        auto given = read(auth(id), fields);
        BOOST_REQUIRE_MESSAGE(given.has_value(), (given ? "" : given.error().detail()));
        return {.id = vocabulary::CredentialId(ids.next(static_cast<std::uint64_t>(now.time_since_epoch().count()))),
                .name = name_of(name),
                .scope = std::move(scope),
                .service = &service(id),
                .auth = &auth(id),
                .fields = std::move(*given),
                .notes = "",
                .owner = "operator:root",
                .created_by = "operator:root",
                .now = now,
                .expires_at = {},
                .rotate_every = {}};
    }

    const Entry& create(std::string_view id, std::string_view name, const Scope& scope, std::string_view fields) {
        NewCredential created = made(id, name, scope, fields);
        const auto key = created.id;
        store::Batch batch;
        auto change = vault->stage_create(std::move(created), batch);
        BOOST_REQUIRE_MESSAGE(change.has_value(), (change ? "" : change.error().detail()));
        disk.write(batch);
        vault->apply(std::move(*change));
        return *vault->find({&scope, 1}, key);
    }

    result::Result<Change> stage(const Entry& entry, Edit edit, store::Batch& batch) {
        edit.now = now;
        return vault->stage_edit(entry, auth(entry.credential.service.text()), std::move(edit), batch);
    }
    result::Result<> edit(const Entry& entry, Edit edit) {
        store::Batch batch;
        auto change = stage(entry, std::move(edit), batch);
        if (!change) return result::refuse(std::move(change.error()));
        disk.write(batch);
        vault->apply(std::move(*change));
        return {};
    }
    result::Result<> edit_fields(const Entry& entry, std::string_view json) {
        auto given = read(auth(entry.credential.service.text()), json);
        if (!given) return result::refuse(std::move(given.error()));
        Edit edit_of_fields;
        edit_of_fields.fields = std::move(*given);
        return edit(entry, std::move(edit_of_fields));
    }

    /// The members that a lease of it has, as JSON: for tests, whose secrets are none.
    std::string lease_of(const Entry& entry, std::uint32_t wanted = ~std::uint32_t{0}) {
        return lease_of(entry, auth(entry.credential.service.text()), wanted);
    }
    std::string lease_of(const Entry& entry, const catalog::AuthType& kind, std::uint32_t wanted) {
        const auto opened = vault->open(entry, kind);
        if (!opened) return "refused: " + opened.error().detail();
        std::string text(std::size_t{256} << 10, '\0');
        wire::SecretJsonWriter writer(text.data(), text.size());
        const bool whole = opened->encoded().expose([&](std::span<const std::byte> plaintext) {
            return write_lease_members(writer, kind, entry, plaintext, wanted);
        });
        if (!whole || writer.overflowed()) return "broken";
        text.resize(writer.size());
        return text;
    }

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
