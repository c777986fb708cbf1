#include "leases/idempotency.hpp"

#include "leases/chains.hpp"
#include "leases/texts.hpp"

namespace credlease::leases {
namespace {

/// The texts of a caller.
struct Owner {
    Slot principal = none;
    Slot on_behalf_of = none;
    bool operator==(const Owner&) const = default;
};

/// Which of the texts, as one number (the texts' own hashes are keyed).
std::uint64_t hash_of(const Owner& owner, Slot key) {
    return std::hash<vocabulary::Ulid>{}({std::uint64_t{owner.principal} << 32 | owner.on_behalf_of, key});
}

} // namespace

struct Idempotency::State {
    struct Entry {
        Seen seen{};
        vocabulary::Time at{};
        Owner owner;
        Slot key = none; ///< text
        Slot chain = none;
        Links in_line, of_caller;
        [[nodiscard]] std::uint64_t hash() const { return leases::hash_of(owner, key); }
    };
    struct Caller {
        Owner key;
        Slot chain = none;
        Line<&Entry::of_caller> entries;
        static std::uint64_t hash_of(const Owner& owner) { return leases::hash_of(owner, none); }
    };

    vocabulary::Duration kept_for;
    std::size_t per_caller;
    Texts texts;
    Slab<Entry> entries;
    Chains<Entry> by_key;
    Line<&Entry::in_line> line;
    Registry<Caller> callers;

    State(vocabulary::Duration time, std::size_t most) : kept_for(time), per_caller(most) {}

    [[nodiscard]] bool is_stale(Slot slot, vocabulary::Time now) const { return entries[slot].at + kept_for < now; }
    [[nodiscard]] Slot find(const Whose& whose, std::string_view key) const;
    void remove(Slot slot);
    void add(const Whose& whose, std::string_view key, const Seen& seen, vocabulary::Time at);
};

Slot Idempotency::State::find(const Whose& whose, std::string_view key) const {
    const Owner owner{.principal = texts.find(whose.principal), .on_behalf_of = texts.find(whose.on_behalf_of)};
    const Slot key_text = texts.find(key);
    const bool is_user_unknown = owner.on_behalf_of == none && !whose.on_behalf_of.empty();
    if (owner.principal == none || is_user_unknown || key_text == none) return none;
    return by_key.find(entries, hash_of(owner, key_text),
                       [&](const Entry& entry) { return entry.owner == owner && entry.key == key_text; });
}

void Idempotency::State::remove(Slot slot) {
    const Entry entry = entries[slot];
    const Slot caller = callers.find(entry.owner);
    line.remove(entries, slot);
    callers[caller].entries.remove(entries, slot);
    if (callers[caller].entries.size == 0) callers.remove(caller);
    by_key.erase(entries, slot);
    texts.release(entry.owner.principal);
    texts.release(entry.owner.on_behalf_of);
    texts.release(entry.key);
    entries.give_back(slot);
}

void Idempotency::State::add(const Whose& whose, std::string_view key, const Seen& seen, vocabulary::Time at) {
    const Slot slot = entries.take();
    Entry& entry = entries[slot];
    entry.seen = seen;
    entry.at = at;
    entry.owner = {.principal = texts.keep(whose.principal), .on_behalf_of = texts.keep(whose.on_behalf_of)};
    entry.key = texts.keep(key);
    by_key.insert(entries, slot);
    line.append(entries, slot);
    Line<&Entry::of_caller>& own = callers[callers.find_or_add(entry.owner)].entries;
    own.append(entries, slot);
    if (own.size > per_caller) remove(own.oldest);
}

Idempotency::Idempotency(vocabulary::Duration kept_for, std::size_t per_caller)
    : state_(std::make_unique<State>(kept_for, per_caller)) {}
Idempotency::~Idempotency() = default;

std::optional<Idempotency::Seen> Idempotency::find(const Whose& whose, std::string_view key,
                                                   vocabulary::Time now) const {
    const Slot slot = state_->find(whose, key);
    if (slot == none || state_->is_stale(slot, now)) return std::nullopt;
    return state_->entries[slot].seen;
}

void Idempotency::note(const Whose& whose, std::string_view key, const Seen& seen, vocabulary::Time now) {
    if (key.empty()) return;
    // Two at a time, so that a long quiet time is never paid for at once.
    for (int i = 0; i < 2 && state_->line.size > 0 && state_->is_stale(state_->line.oldest, now); ++i) {
        state_->remove(state_->line.oldest);
    }
    const Slot before = state_->find(whose, key);
    if (before != none) state_->remove(before);
    state_->add(whose, key, seen, now);
}

void Idempotency::forget(const Whose& whose, std::string_view key) {
    const Slot slot = state_->find(whose, key);
    if (slot != none) state_->remove(slot);
}

void Idempotency::replay(const vocabulary::AuditRecord& record) {
    using vocabulary::Action;
    const bool renewal = record.action == Action::lease_renewed;
    if (!record.ok || record.lease_view == nullptr || (record.action != Action::lease_issued && !renewal)) return;
    const bool with_secret = record.fingerprint != decltype(record.fingerprint){};
    note({.principal = record.principal, .on_behalf_of = record.on_behalf_of}, record.lease_view->idempotency_key,
         {.lease = record.lease,
          .body_digest = record.lease_view->body_digest,
          .renewal = renewal,
          .with_secret = with_secret},
         record.at);
}

void Idempotency::visit(
    const std::function<void(const Whose&, std::string_view, const Seen&, vocabulary::Time)>& show) const {
    for (Slot slot = state_->line.oldest; slot != none; slot = state_->entries[slot].in_line.before) {
        const State::Entry& entry = state_->entries[slot];
        const Whose whose{.principal = state_->texts.view(entry.owner.principal),
                          .on_behalf_of = state_->texts.view(entry.owner.on_behalf_of)};
        show(whose, state_->texts.view(entry.key), entry.seen, entry.at);
    }
}

void Idempotency::clear() { state_ = std::make_unique<State>(state_->kept_for, state_->per_caller); }

} // namespace credlease::leases
