#define BOOST_TEST_DYN_LINK
#include "vault/house.hpp"

namespace credlease::vault {

void Disk::write(const store::Batch& batch) {
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

ListedPage shown(const Vault& vault, const Listing& listing) {
    const auto page = Vault::page_of(listing);
    ListedPage shown{.entries = {}, .next = page.next};
    for (const auto& place : page.places) {
        if (const Entry* entry = vault.find({&place.scope, 1}, place.id)) shown.entries.push_back(entry);
    }
    return shown;
}

ListedPage list(const Vault& vault, std::span<const Scope> scopes, Filter filter, Sort sort,
                std::optional<Position> after, std::size_t limit) {
    Listing listing({scopes.begin(), scopes.end()}, std::move(filter), sort, std::move(after), limit);
    while (vault.list_on(listing)) {
    }
    return shown(vault, listing);
}

House::House() { open(); }

House::~House() = default;

void House::open() {
    auto record_key = crypto::make_key<crypto::RecordKeyKind>(*arena);
    auto mac = mac::make_mac<mac::FingerprintPurpose>(*arena, record_key->buffer());
    vault = std::make_unique<Vault>(*arena, root, Vault::Keys{.fingerprint = std::move(*mac)});
    for (const auto& [at, held] : disk.records) {
        const auto taken =
            vault->accept({.table = at.first, .key = at.second, .revision = held.revision, .value = held.value});
        BOOST_REQUIRE_MESSAGE(taken.has_value(), (taken ? "" : taken.error().detail()));
    }
}

result::Result<GivenFields> House::read(const catalog::AuthType& kind, std::string_view json) {
    secret::ArenaResource memory(*arena, secret::Share::work, std::size_t{512} << 10);
    const auto value = wire::read_json(json, boost::json::storage_ptr(&memory));
    BOOST_REQUIRE(value.has_value());
    return read_fields(kind, *value, *arena);
}

NewCredential House::made(std::string_view id, std::string_view name, Scope scope, std::string_view fields) {
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

const Entry& House::create(std::string_view id, std::string_view name, const Scope& scope, std::string_view fields) {
    NewCredential created = made(id, name, scope, fields);
    const auto key = created.id;
    store::Batch batch;
    auto change = vault->stage_create(std::move(created), batch);
    BOOST_REQUIRE_MESSAGE(change.has_value(), (change ? "" : change.error().detail()));
    disk.write(batch);
    vault->apply(std::move(*change));
    return *vault->find({&scope, 1}, key);
}

result::Result<Change> House::stage(const Entry& entry, Edit edit, store::Batch& batch) {
    edit.now = now;
    return vault->stage_edit(entry, auth(entry.credential.service.text()), std::move(edit), batch);
}

result::Result<> House::edit(const Entry& entry, Edit edit) {
    store::Batch batch;
    auto change = stage(entry, std::move(edit), batch);
    if (!change) return result::refuse(std::move(change.error()));
    disk.write(batch);
    vault->apply(std::move(*change));
    return {};
}

result::Result<> House::edit_fields(const Entry& entry, std::string_view json) {
    auto given = read(auth(entry.credential.service.text()), json);
    if (!given) return result::refuse(std::move(given.error()));
    Edit edit_of_fields;
    edit_of_fields.fields = std::move(*given);
    return edit(entry, std::move(edit_of_fields));
}

std::string House::lease_of(const Entry& entry, const catalog::AuthType& kind, std::uint32_t wanted) {
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

} // namespace credlease::vault
