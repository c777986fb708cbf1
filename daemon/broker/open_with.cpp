#include "broker/authorizations.hpp"
#include "broker/clock_warnings.hpp"
#include "broker/events.hpp"
#include "broker/expiry.hpp"
#include "broker/first_start.hpp"
#include "broker/keep_tokens.hpp"
#include "broker/log_memory.hpp"
#include "broker/refresher.hpp"
#include "broker/retention.hpp"
#include "broker/unsealed.hpp"
#include "broker/wall_watch.hpp"
#include "wire/limits.hpp"

#include <charconv>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

constexpr std::string_view record_key_name = "key.record";
constexpr std::string_view audit_key_name = "key.audit";
constexpr std::size_t scratch_size = std::size_t{512} * 1024;

template <class Kind>
result::Result<secret::Secret<Kind>> unwrap_header(const crypto::RootKey& root, const store::Store& store,
                                                   std::string_view name, secret::Arena& arena) {
    auto wrapped = store.read_header(name);
    if (!wrapped) return refuse(std::move(wrapped.error()));
    if (!*wrapped) {
        return refuse({.code = ErrorCode::damaged,
                       .sentence = "A key of the store is missing.",
                       .next_step = "Put the data folder back from a copy.",
                       .about = result::PublicText::of(name)});
    }
    return crypto::unwrap<Kind>(root, std::as_bytes(std::span(**wrapped)), name, arena);
}

template <class Purpose>
bool derive(mac::Mac<Purpose>& out, secret::Arena& arena, const secret::SecretBuffer& parent, result::Error& error) {
    auto made = mac::make_mac<Purpose>(arena, parent);
    if (!made) {
        error = std::move(made.error());
        return false;
    }
    out = std::move(*made);
    return true;
}

struct Macs {
    store::Store::Keys store;
    audit::Keys audit;
    mac::GrantMac grants;
    mac::FingerprintMac fingerprints;
};

result::Result<> derive_all(Unsealed& house, Macs& macs) {
    auto& arena = house.parts.arena;
    auto record_key = unwrap_header<crypto::RecordKeyKind>(house.root, house.store, record_key_name, arena);
    if (!record_key) return refuse(std::move(record_key.error()));
    auto audit_key = unwrap_header<crypto::AuditKeyKind>(house.root, house.store, audit_key_name, arena);
    if (!audit_key) return refuse(std::move(audit_key.error()));
    const auto& records = record_key->buffer();
    const auto& audits = audit_key->buffer();
    result::Error error;
    const bool derived =
        derive(macs.store.record, arena, records, error) && derive(macs.store.set, arena, records, error) &&
        derive(house.cursors, arena, records, error) && derive(house.digests, arena, records, error) &&
        derive(macs.grants, arena, records, error) && derive(macs.fingerprints, arena, records, error) &&
        derive(macs.audit.chain, arena, audits, error) && derive(macs.audit.head, arena, audits, error);
    if (!derived) return refuse(std::move(error));
    return {};
}

result::Result<> read_store(Unsealed& house, store::Store::Keys keys) {
    std::optional<result::Error> bad;
    auto loaded = house.store.load(std::move(keys), [&](const store::Record& record) {
        result::Result<> taken;
        switch (record.table) {
        case store::Table::credentials:
        case store::Table::versions:
        case store::Table::keys:
        case store::Table::tokens:
        case store::Table::intents:
        case store::Table::clients:
            taken = house.vault->accept(record);
            break;
        case store::Table::grants:
            taken = house.grants->accept(record);
            break;
        case store::Table::workspaces:
        case store::Table::members:
            taken = house.directory.accept(record);
            break;
        case store::Table::idempotency:
            taken = house.outcomes.accept(record);
            break;
        case store::Table::copies:
            break; // the journal's own
        }
        if (!taken && !bad) bad = std::move(taken.error());
    });
    if (!loaded) return refuse(std::move(loaded.error()));
    if (bad) return refuse(std::move(*bad));
    return {};
}

/// `latest`: when the log's last record was written.
result::Result<> open_journal(Unsealed& house, audit::Keys keys, vocabulary::Time& latest) {
    const auto& settings = house.settings();
    const audit::Options options{.directory = settings.places.data / "journal",
                                 .head_file = settings.audit.head_file,
                                 .durable_leases = settings.audit.durability == settings::Durability::disk,
                                 .boot_id = attestation::boot_id(),
                                 .segment_begun = [&house] { house.tasks.start(make_checkpoint(house)); }};
    const LogMemory memory{.book = house.book,
                           .lease_keys = house.lease_keys,
                           .time = house.time,
                           .note_use = [&house](const auto& id, const auto& scope, vocabulary::Time at) {
                               house.vault->note_use(id, scope, at);
                           }};
    const auto visit = [&](const vocabulary::AuditRecord& record) {
        latest = std::max(latest, record.at);
        replay(memory, record);
    };
    audit::Replay replayed;
    auto journal = audit::Journal::open(options, std::move(keys), house.store, house.parts.loop, house.parts.clock,
                                        house.parts.log, house.parts.commit, visit, replayed);
    if (!journal) return refuse(std::move(journal.error()));
    house.journal = std::move(*journal);
    return {};
}

/// What only the log could tell of the store: records that were replayed, added or put back are used by nobody.
void forget_damaged(Unsealed& house) {
    for (const auto& [table, key] : house.store.damaged()) {
        switch (table) {
        case store::Table::credentials:
        case store::Table::versions:
        case store::Table::keys:
        case store::Table::tokens:
        case store::Table::intents:
        case store::Table::clients:
            house.vault->forget(table, key);
            break;
        case store::Table::grants:
            house.grants->forget(key);
            break;
        case store::Table::workspaces:
        case store::Table::members:
            house.directory.forget(table, key);
            break;
        case store::Table::idempotency:
            house.outcomes.forget(key);
            break;
        case store::Table::copies:
            break;
        }
    }
}

void note_start(Unsealed& house) {
    const auto detail = started_detail(house.time);
    vocabulary::AuditRecord started;
    started.action = vocabulary::Action::broker_started;
    started.principal = vocabulary::by_itself;
    started.detail = detail;
    house.journal->note(started);
    house.journal->flush();
}

/// Which credentials had expired while the log was written, it says; the others did while nobody ran.
void pass_over_told_ends(Unsealed& house, vocabulary::Time log_ends_at) {
    while (house.vault->take_ended(log_ends_at) != nullptr) {
    }
}

void make_rooms(Unsealed& house, Macs& macs) {
    house.vault = std::make_unique<vault::Vault>(house.parts.arena, house.root,
                                                 vault::Vault::Keys{.fingerprint = std::move(macs.fingerprints)});
    house.grants = std::make_unique<access::Grants>(std::move(macs.grants));
    house.callers = std::make_unique<access::Callers>(house.rules.settings, house.directory, *house.grants);
    house.callers->set_hash_of([&house](const attestation::Peer& peer) { return house.hashes.find(peer); });
    house.book.set_per_principal(house.settings().leases.per_principal);
}

} // namespace

result::Result<std::unique_ptr<Unsealed>> open_with(crypto::RootKey root, const Parts& parts, Rules rules,
                                                    store::Store& store, store::Rescue& rescue) {
    auto house = std::make_unique<Unsealed>(parts, std::move(rules), store, rescue);
    house->root = std::move(root);
    auto scratch = secret::SecretBuffer::make(
        parts.arena, std::min(scratch_size, parts.arena.share_size(secret::Share::leases) / 2), secret::Share::leases);
    if (!scratch) return refuse(std::move(scratch.error()));
    house->reply_scratch = std::move(*scratch);

    Macs macs;
    if (auto derived = derive_all(*house, macs); !derived) return refuse(std::move(derived.error()));
    make_rooms(*house, macs);
    if (auto read = read_store(*house, std::move(macs.store)); !read) {
        store.unload();
        return refuse(std::move(read.error()));
    }
    if (store.records() == 0 && store.damaged().empty()) drop_empty_log(house->settings());
    vocabulary::Time log_ends_at{};
    if (auto opened = open_journal(*house, std::move(macs.audit), log_ends_at); !opened) {
        store.unload();
        return refuse(std::move(opened.error()));
    }
    forget_damaged(*house);
    house->events = std::make_shared<Events>(*house);
    house->refusals = std::make_unique<Refusals>(parts.clock, *house->journal);
    house->holders = std::make_unique<HolderWatch>(
        parts.loop, [&house = *house](const leases::Holder& holder) { holder_exited(house, holder); });
    house->book.tell_idle([&house = *house](const leases::Holder& holder) {
        if (house.holders) house.holders->rest(holder);
    });
    note_start(*house);
    pass_over_told_ends(*house, log_ends_at);
    end_what_has_gone(*house);
    house->authorizations = std::make_shared<Authorizations>(
        parts.clock, parts.await_browsers,
        [&house = *house](const Authorization& one, const Asker& by) { note_failed(house, by, one); });
    house->wall_watch = std::make_shared<WallWatch>(*house);
    house->refresher = std::make_shared<Refresher>(*house);
    take_up_rescued(*house);
    house->refresher->plan_all();
    const bool is_new = log_ends_at == vocabulary::Time{}; // nothing was left untold
    house->clock_warnings = std::make_shared<ClockWarnings>(*house, is_new ? house->wall() : log_ends_at);
    house->clock_warnings->look_soon();
    schedule_expiry(*house);
    schedule_pruning(*house);
    house->tasks.start(make_checkpoint(*house));
    return house;
}

bool has_store_keys(const store::Store& store) {
    const auto wrapped = store.read_header(record_key_name); // they are written together
    return !wrapped || wrapped->has_value();
}

result::Result<> make_store_keys(const crypto::RootKey& root, store::Store& store, secret::Arena& arena) {
    auto record_key = crypto::make_key<crypto::RecordKeyKind>(arena);
    if (!record_key) return refuse(std::move(record_key.error()));
    auto audit_key = crypto::make_key<crypto::AuditKeyKind>(arena);
    if (!audit_key) return refuse(std::move(audit_key.error()));
    const auto as_string = [](const std::vector<std::byte>& bytes) {
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    return store.write_headers(
        {{std::string(record_key_name), as_string(crypto::wrap(root, *record_key, record_key_name))},
         {std::string(audit_key_name), as_string(crypto::wrap(root, *audit_key, audit_key_name))}});
}

} // namespace credlease::broker
