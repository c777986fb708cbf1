#include "access/grants.hpp"

#include "access/grant_record.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <unordered_map>

namespace credlease::access {

using vocabulary::Grant;
using vocabulary::GrantId;
using vocabulary::Time;

namespace {

/// Where a token's hash is looked for; which one it is, is then compared in constant time.
std::uint64_t head_of(const mac::Digest& digest) {
    std::uint64_t head = 0;
    std::memcpy(&head, digest.data(), sizeof head);
    return head;
}

} // namespace

struct Grants::State {
    struct Entry {
        GrantRecord record;
        std::uint64_t revision = 0;
        std::optional<Time> due; ///< its place in `by_end`; nullopt: it is being withdrawn
    };

    mac::GrantMac mac;
    std::map<GrantId, Entry> entries;
    std::unordered_multimap<std::uint64_t, const Entry*> by_token;
    std::set<std::pair<std::string_view, GrantId>> by_minter; ///< views the entry's own text
    std::set<std::pair<Time, GrantId>> by_end;

    explicit State(mac::GrantMac made) : mac(std::move(made)) {}

    [[nodiscard]] mac::Digest digest_of(std::span<const std::byte> token) const { return mac.of({token}); }
    [[nodiscard]] mac::Digest digest_of(const secret::SecretBuffer& token) const {
        return token.expose([&](std::span<const std::byte> bytes) { return digest_of(bytes); });
    }
    [[nodiscard]] std::uint64_t revision_of(const GrantId& id) const {
        const auto found = entries.find(id);
        return found == entries.end() ? 0 : found->second.revision;
    }
    void insert(GrantRecord record, std::uint64_t revision);
    void remove(const GrantId& id);
    void wait_for(Entry& entry, std::optional<Time> end);
};

void Grants::State::insert(GrantRecord record, std::uint64_t revision) {
    const GrantId id = record.grant.id;
    remove(id);
    Entry& entry = entries[id];
    entry = {.record = std::move(record), .revision = revision, .due = {}};
    by_token.emplace(head_of(entry.record.token), &entry);
    by_minter.emplace(entry.record.grant.minted_by, id);
    wait_for(entry, entry.record.grant.expires_at);
}

void Grants::State::wait_for(Entry& entry, std::optional<Time> end) {
    const GrantId& id = entry.record.grant.id;
    if (entry.due) by_end.erase({*entry.due, id});
    if (end) by_end.emplace(*end, id);
    entry.due = end;
}

void Grants::State::remove(const GrantId& id) {
    const auto found = entries.find(id);
    if (found == entries.end()) return;
    Entry& entry = found->second;
    const auto [begin, end] = by_token.equal_range(head_of(entry.record.token));
    for (auto token = begin; token != end; ++token) {
        if (token->second != &entry) continue;
        by_token.erase(token);
        break;
    }
    by_minter.erase({entry.record.grant.minted_by, id});
    wait_for(entry, std::nullopt);
    entries.erase(found);
}

Grants::Grants(mac::GrantMac mac) : state_(std::make_unique<State>(std::move(mac))) {}
Grants::~Grants() = default;

result::Result<> Grants::accept(const store::Record& record) {
    auto read = read_grant_record(record);
    if (!read) return result::refuse(std::move(read.error()));
    state_->insert(std::move(*read), record.revision);
    return {};
}

void Grants::forget(std::string_view key) {
    if (const auto id = GrantId::find(key)) state_->remove(*id);
}

const Grant* Grants::find_by_token(std::string_view token) const {
    if (!state_->mac.ready()) return nullptr; // sealed: there is no grant
    const mac::Digest digest = state_->digest_of(mac::bytes_of(token));
    static const State::Entry nobody; // an unknown token is compared with something too
    const auto [begin, end] = state_->by_token.equal_range(head_of(digest));
    const Grant* found = nullptr;
    auto next = begin;
    do {
        const State::Entry& known = next == end ? nobody : *next++->second;
        const bool same = mac::equal_in_constant_time(mac::bytes_of(known.record.token), mac::bytes_of(digest));
        if (same && &known != &nobody) found = &known.record.grant;
    } while (next != end);
    return found;
}

const Grant* Grants::find(const GrantId& id) const {
    const auto found = state_->entries.find(id);
    return found == state_->entries.end() ? nullptr : &found->second.record.grant;
}

std::vector<const Grant*> Grants::minted_by(std::string_view principal) const {
    return list(principal, GrantId(), std::size_t(-1), [](const Grant&) { return true; });
}

std::vector<const Grant*> Grants::list(std::string_view principal, const GrantId& after, std::size_t limit,
                                       const std::function<bool(const Grant&)>& keep) const {
    std::vector<const Grant*> listed;
    const auto take = [&](const Grant& grant) {
        if (keep(grant)) listed.push_back(&grant);
        return listed.size() < limit;
    };
    if (principal.empty()) {
        for (auto next = state_->entries.upper_bound(after); next != state_->entries.end(); ++next) {
            if (!take(next->second.record.grant)) break;
        }
        return listed;
    }
    auto next = state_->by_minter.upper_bound({principal, after});
    for (; next != state_->by_minter.end() && next->first == principal; ++next) {
        if (!take(*find(next->second))) break;
    }
    return listed;
}

std::size_t Grants::size() const { return state_->entries.size(); }

void Grants::stage_mint(const Grant& grant, const secret::SecretBuffer& token, store::Batch& batch) {
    batch.put(store::Table::grants, grant.id.text(), state_->revision_of(grant.id) + 1,
              write_record({.grant = grant, .token = state_->digest_of(token)}));
}

void Grants::stage_withdraw(const Grant& grant, store::Batch& batch) {
    batch.erase(store::Table::grants, grant.id.text(), state_->revision_of(grant.id));
}

void Grants::stage_count(const Grant& grant, store::Batch& batch) {
    const State::Entry& entry = state_->entries.at(grant.id);
    GrantRecord counted = entry.record;
    ++counted.grant.leases_taken;
    batch.put(store::Table::grants, grant.id.text(), entry.revision + 1, write_record(counted));
}

void Grants::apply_mint(Grant grant, const secret::SecretBuffer& token) {
    const std::uint64_t revision = state_->revision_of(grant.id) + 1;
    const mac::Digest digest = state_->digest_of(token);
    state_->insert({.grant = std::move(grant), .token = digest}, revision);
}

void Grants::apply_withdraw(const GrantId& id) { state_->remove(id); }

bool Grants::begin_end(const GrantId& id, Time now) {
    const auto found = state_->entries.find(id);
    if (found == state_->entries.end() || !found->second.due) return false;
    auto& end = found->second.record.grant.expires_at;
    end = std::min(end, now);
    state_->wait_for(found->second, std::nullopt);
    return true;
}

void Grants::end_again_at(const GrantId& id, Time when) {
    const auto found = state_->entries.find(id);
    if (found != state_->entries.end()) state_->wait_for(found->second, when);
}

void Grants::apply_count(const GrantId& id, std::uint32_t leases_taken) {
    const auto found = state_->entries.find(id);
    if (found == state_->entries.end()) return;
    found->second.record.grant.leases_taken = leases_taken;
    ++found->second.revision;
}

std::vector<GrantId> Grants::expired(Time now, std::size_t most) const {
    std::vector<GrantId> ended;
    for (const auto& [end, id] : state_->by_end) {
        if (end > now || ended.size() == most) break;
        ended.push_back(id);
    }
    return ended;
}

std::optional<Time> Grants::next_expiry() const {
    return state_->by_end.empty() ? std::nullopt : std::optional(state_->by_end.begin()->first);
}

void Grants::clear() {
    state_->by_token.clear();
    state_->by_minter.clear();
    state_->by_end.clear();
    state_->entries.clear();
}

} // namespace credlease::access
