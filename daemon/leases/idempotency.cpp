#include "leases/idempotency.hpp"

#include "leases/chains.hpp"
#include "leases/texts.hpp"

namespace credlease::leases {
namespace {

/// Which of both texts, as one number (the texts' own hashes are keyed).
std::uint64_t hash_of_pair(Slot principal, Slot key) { return std::hash<vocabulary::Ulid>{}({principal, key}); }

} // namespace

struct Idempotency::State {
    struct Entry {
        Seen seen{};
        vocabulary::Time at{};
        Slot principal = none; ///< text
        Slot key = none;       ///< text
        Slot chain = none;
        Links in_line, of_principal;
        [[nodiscard]] std::uint64_t hash() const { return hash_of_pair(principal, key); }
    };
    struct Principal {
        Slot key = none; ///< text
        Slot chain = none;
        Line<&Entry::of_principal> entries;
        static std::uint64_t hash_of(Slot text) { return hash_of_pair(text, none); }
    };

    vocabulary::Duration kept_for;
    std::size_t per_principal;
    Texts texts;
    Slab<Entry> entries;
    Chains<Entry> by_key;
    Line<&Entry::in_line> line;
    Registry<Principal> principals;

    State(vocabulary::Duration time, std::size_t most) : kept_for(time), per_principal(most) {}

    [[nodiscard]] bool is_stale(Slot slot, vocabulary::Time now) const { return entries[slot].at + kept_for < now; }
    [[nodiscard]] Slot find(std::string_view principal, std::string_view key) const;
    void remove(Slot slot);
    void add(std::string_view principal, std::string_view key, const Seen& seen, vocabulary::Time at);
};

Slot Idempotency::State::find(std::string_view principal, std::string_view key) const {
    const Slot principal_text = texts.find(principal);
    const Slot key_text = texts.find(key);
    if (principal_text == none || key_text == none) return none;
    return by_key.find(entries, hash_of_pair(principal_text, key_text),
                       [&](const Entry& entry) { return entry.principal == principal_text && entry.key == key_text; });
}

void Idempotency::State::remove(Slot slot) {
    const Entry entry = entries[slot];
    const Slot principal = principals.find(entry.principal);
    line.remove(entries, slot);
    principals[principal].entries.remove(entries, slot);
    if (principals[principal].entries.size == 0) principals.remove(principal);
    by_key.erase(entries, slot);
    texts.release(entry.principal);
    texts.release(entry.key);
    entries.give_back(slot);
}

void Idempotency::State::add(std::string_view principal, std::string_view key, const Seen& seen, vocabulary::Time at) {
    const Slot slot = entries.take();
    Entry& entry = entries[slot];
    entry.seen = seen;
    entry.at = at;
    entry.principal = texts.keep(principal);
    entry.key = texts.keep(key);
    by_key.insert(entries, slot);
    line.append(entries, slot);
    Line<&Entry::of_principal>& own = principals[principals.find_or_add(entry.principal)].entries;
    own.append(entries, slot);
    if (own.size > per_principal) remove(own.oldest);
}

Idempotency::Idempotency(vocabulary::Duration kept_for, std::size_t per_principal)
    : state_(std::make_unique<State>(kept_for, per_principal)) {}
Idempotency::~Idempotency() = default;

std::optional<Idempotency::Seen> Idempotency::find(std::string_view principal, std::string_view key,
                                                   vocabulary::Time now) const {
    const Slot slot = state_->find(principal, key);
    if (slot == none || state_->is_stale(slot, now)) return std::nullopt;
    return state_->entries[slot].seen;
}

void Idempotency::note(std::string_view principal, std::string_view key, const Seen& seen, vocabulary::Time now) {
    if (key.empty()) return;
    // Two at a time, so that a long quiet time is never paid for at once.
    for (int i = 0; i < 2 && state_->line.size > 0 && state_->is_stale(state_->line.oldest, now); ++i) {
        state_->remove(state_->line.oldest);
    }
    const Slot before = state_->find(principal, key);
    if (before != none) state_->remove(before);
    state_->add(principal, key, seen, now);
}

void Idempotency::forget(std::string_view principal, std::string_view key) {
    const Slot slot = state_->find(principal, key);
    if (slot != none) state_->remove(slot);
}

void Idempotency::replay(const vocabulary::AuditRecord& record) {
    using vocabulary::Action;
    const bool renewal = record.action == Action::lease_renewed;
    if (!record.ok || record.lease_view == nullptr || (record.action != Action::lease_issued && !renewal)) return;
    const bool with_secret = record.fingerprint != decltype(record.fingerprint){};
    note(record.principal, record.lease_view->idempotency_key,
         {.lease = record.lease,
          .body_digest = record.lease_view->body_digest,
          .renewal = renewal,
          .with_secret = with_secret},
         record.at);
}

void Idempotency::visit(
    const std::function<void(std::string_view, std::string_view, const Seen&, vocabulary::Time)>& show) const {
    for (Slot slot = state_->line.oldest; slot != none; slot = state_->entries[slot].in_line.before) {
        const State::Entry& entry = state_->entries[slot];
        show(state_->texts.view(entry.principal), state_->texts.view(entry.key), entry.seen, entry.at);
    }
}

void Idempotency::clear() { state_ = std::make_unique<State>(state_->kept_for, state_->per_principal); }

} // namespace credlease::leases
