#include "leases/parties.hpp"

#include <cstring>

namespace credlease::leases {
namespace {

std::uint64_t mix(std::uint64_t high, std::uint64_t low) { return std::hash<vocabulary::Ulid>{}({high, low}); }

std::uint64_t pair(Slot high, Slot low) { return std::uint64_t{high} << 32 | low; }

} // namespace

bool Party::is_same(const Party& other) const {
    return grant == other.grant && principal == other.principal && on_behalf_of == other.on_behalf_of &&
           process == other.process && uid == other.uid;
}

std::uint64_t Party::hash() const {
    return mix(mix(pair(principal, on_behalf_of), pair(process, uid)), std::hash<vocabulary::GrantId>{}(grant));
}

std::uint64_t Party::grant_hash() const { return std::hash<vocabulary::GrantId>{}(grant); }

std::uint64_t Parties::Principal::hash_of(Slot text) { return mix(text, 0); }

std::uint64_t Parties::Process::hash_of(const Holder& holder) {
    std::uint64_t boot = 0;
    std::memcpy(&boot, holder.boot_id.data(), sizeof boot);
    return mix(holder.start_time ^ boot, static_cast<std::uint32_t>(holder.pid));
}

Slot Parties::find_or_add(const Lease& lease) {
    Party wanted;
    wanted.grant = lease.grant;
    wanted.uid = lease.uid;
    wanted.principal = texts_.keep(lease.principal);
    wanted.on_behalf_of = texts_.keep(lease.on_behalf_of);
    if (lease.binding == vocabulary::Binding::process) wanted.process = processes_.find_or_add(lease.holder);

    Slot party = by_key_.find(parties_, wanted.hash(), [&](const Party& known) { return known.is_same(wanted); });
    if (party != none) {
        texts_.release(wanted.principal);
        texts_.release(wanted.on_behalf_of);
        return party;
    }
    party = parties_.take();
    parties_[party] = wanted;
    by_key_.insert(parties_, party);
    if (wanted.grant != vocabulary::GrantId{}) by_grant_.insert(parties_, party);
    Slot& of_principal = principals_[principals_.find_or_add(wanted.principal)].first_party;
    push_front<&Party::of_principal>(parties_, of_principal, party);
    if (wanted.process != none) {
        push_front<&Party::of_process>(parties_, processes_[wanted.process].first_party, party);
    }
    return party;
}

std::optional<Holder> Parties::remove_if_idle(Slot slot) {
    const Party party = parties_[slot];
    std::optional<Holder> idle;
    if (party.first_lease != none) return idle;
    by_key_.erase(parties_, slot);
    if (party.grant != vocabulary::GrantId{}) by_grant_.erase(parties_, slot);

    const Slot principal = principals_.find(party.principal);
    unlink<&Party::of_principal>(parties_, principals_[principal].first_party, slot);
    if (principals_[principal].first_party == none) principals_.remove(principal);
    if (party.process != none) {
        Slot& first = processes_[party.process].first_party;
        unlink<&Party::of_process>(parties_, first, slot);
        if (first == none) {
            idle = processes_[party.process].key;
            processes_.remove(party.process);
        }
    }
    texts_.release(party.principal);
    texts_.release(party.on_behalf_of);
    parties_.give_back(slot);
    return idle;
}

void Parties::count_lease(Slot party, bool more) {
    std::uint32_t& leases = principals_[principals_.find(parties_[party].principal)].leases;
    leases = more ? leases + 1 : leases - 1;
}

void Parties::describe(Slot slot, Lease& lease) const {
    const Party& party = parties_[slot];
    lease.principal = texts_.view(party.principal);
    lease.on_behalf_of = texts_.view(party.on_behalf_of);
    lease.grant = party.grant;
    lease.uid = party.uid;
    lease.binding = party.process == none ? vocabulary::Binding::none : vocabulary::Binding::process;
    if (party.process != none) lease.holder = processes_[party.process].key;
}

bool Parties::matches(Slot slot, const Which& which) const {
    const Party& party = parties_[slot];
    if (which.grant && party.grant != *which.grant) return false;
    if (which.holder && (party.process == none || processes_[party.process].key != *which.holder)) return false;
    if (!which.principal.empty() && texts_.view(party.principal) != which.principal) return false;
    return which.on_behalf_of.empty() || texts_.view(party.on_behalf_of) == which.on_behalf_of;
}

Slot Parties::find_principal(std::string_view principal) const {
    const Slot text = texts_.find(principal);
    return text == none ? none : principals_.find(text);
}

std::uint32_t Parties::held_by(std::string_view principal) const {
    const Slot slot = find_principal(principal);
    return slot == none ? 0 : principals_[slot].leases;
}

bool Parties::visit(const Which& which, const std::function<void(Slot)>& show) const {
    if (which.holder) {
        const Slot process = processes_.find(*which.holder);
        Slot party = process == none ? none : processes_[process].first_party;
        for (; party != none; party = parties_[party].of_process.behind) show(party);
    } else if (which.grant) {
        by_grant_.visit(parties_, std::hash<vocabulary::GrantId>{}(*which.grant), show);
    } else if (!which.principal.empty()) {
        const Slot principal = find_principal(which.principal);
        Slot party = principal == none ? none : principals_[principal].first_party;
        for (; party != none; party = parties_[party].of_principal.behind) show(party);
    } else {
        return false;
    }
    return true;
}

} // namespace credlease::leases
