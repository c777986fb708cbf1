#include "broker/listeners.hpp"

#include "wire/limits.hpp"

#include <algorithm>
#include <utility>

namespace credlease::broker {
namespace {

constexpr std::size_t sent_in_a_row = 32; ///< to listeners of one caller, then it is another caller's turn

std::string key_of(std::string_view principal, std::string_view on_behalf_of) {
    std::string key(principal);
    return key.append("\n").append(on_behalf_of);
}

std::pair<std::int32_t, std::uint64_t> key_of(const leases::Holder& process) {
    return {process.pid, process.start_time};
}

} // namespace

Listener& Listeners::add(Listener listener) {
    const auto key = key_of(listener.caller->principal, listener.caller->on_behalf_of);
    auto& caller = callers_[key];
    if (!caller) {
        caller = std::make_shared<Caller>();
        caller->key = key;
    }
    const auto id = listener.id;
    callers_of_.emplace(id, caller.get());
    caller->by_process.emplace(key_of(listener.process), id);
    if (listener.on_admin) ++caller->on_admin;
    return caller->listeners.emplace(id, std::move(listener)).first->second;
}

void Listeners::remove(ListenerId id) {
    const auto found = callers_of_.find(id);
    if (found == callers_of_.end()) return;
    Caller& caller = *found->second;
    callers_of_.erase(found);
    const auto node = caller.listeners.extract(id);
    const auto& listener = node.mapped();
    if (listener.on_admin) --caller.on_admin;
    const auto [first, last] = caller.by_process.equal_range(key_of(listener.process));
    caller.by_process.erase(std::find_if(first, last, [id](const auto& entry) { return entry.second == id; }));
    if (!caller.listeners.empty()) return;
    caller.line.clear();
    callers_.erase(std::string(caller.key)); // who is due lives until its turn
}

Listener* Listeners::find(ListenerId id) {
    const auto found = callers_of_.find(id);
    return found == callers_of_.end() ? nullptr : &found->second->listeners.at(id);
}

Listeners::Caller* Listeners::find_caller(std::string_view principal, std::string_view on_behalf_of) const {
    const auto found = callers_.find(key_of(principal, on_behalf_of));
    return found == callers_.end() ? nullptr : found->second.get();
}

bool Listeners::hears(std::string_view principal, std::string_view on_behalf_of,
                      const std::optional<leases::Holder>& process) const {
    if (is_empty()) return false;
    const auto* caller = find_caller(principal, on_behalf_of);
    return caller != nullptr && (!process || caller->by_process.contains(key_of(*process)));
}

void Listeners::for_each(const std::function<void(Listener&)>& visit) {
    std::vector<ListenerId> ids;
    for (const auto& [id, caller] : callers_of_) ids.push_back(id);
    for (const auto id : ids) {
        if (auto* listener = find(id)) visit(*listener);
    }
}

void Listeners::enqueue(Caller& caller, Waiting waiting) {
    // Of a credential that one process leased many times it hears once.
    const bool is_told = !caller.line.empty() && caller.line.back().event == waiting.event &&
                         caller.line.back().process == waiting.process;
    if (is_told) return;
    if (caller.line.size() >= wire::limits::events_kept) return drop(caller);
    caller.line.push_back(std::move(waiting));
    if (std::exchange(caller.is_due, true)) return;
    due_.push_back(callers_.at(caller.key));
}

/// More than it could ever ask for again: its listeners come back and are told from the history, or to look anew.
void Listeners::drop(Caller& caller) {
    std::vector<ListenerId> ids;
    for (const auto& [id, listener] : caller.listeners) ids.push_back(id);
    for (const auto id : ids) remove(id);
}

void Listeners::tell_holder(const EventRef& event, std::string_view principal, std::string_view on_behalf_of,
                            const std::optional<leases::Holder>& process) {
    if (!hears(principal, on_behalf_of, process)) return;
    enqueue(*find_caller(principal, on_behalf_of), {.event = event, .process = process});
}

void Listeners::tell_admin(const EventRef& event) {
    for (const auto& caller : callers_where([](const Caller& one) { return one.on_admin != 0; })) {
        enqueue(*caller, {.event = event, .process = {}, .on_admin_only = true});
    }
}

void Listeners::tell_all(const EventRef& event) {
    for (const auto& caller : callers_where([](const Caller&) { return true; })) {
        enqueue(*caller, {.event = event, .process = {}});
    }
}

/// They are held: whose line is full is dropped on the way.
std::vector<std::shared_ptr<Listeners::Caller>> Listeners::callers_where(bool (*is_wanted)(const Caller&)) const {
    std::vector<std::shared_ptr<Caller>> found;
    for (const auto& [key, caller] : callers_) {
        if (is_wanted(*caller)) found.push_back(caller);
    }
    return found;
}

/// The next listeners that an event concerns.
std::vector<ListenerId> Listeners::next_of(const Caller& caller, const Waiting& waiting, std::size_t most) const {
    std::vector<ListenerId> ids;
    if (waiting.process) {
        const auto [first, last] = caller.by_process.equal_range(key_of(*waiting.process));
        for (auto at = first; at != last; ++at) {
            if (at->second > waiting.told) ids.push_back(at->second);
        }
        std::ranges::sort(ids);
        if (ids.size() > most) ids.resize(most);
        return ids;
    }
    for (auto at = caller.listeners.upper_bound(waiting.told); at != caller.listeners.end() && ids.size() < most;
         ++at) {
        ids.push_back(at->first);
    }
    return ids;
}

/// Returns how many it was sent to; what nobody is left for leaves the line.
std::size_t Listeners::send_first(Caller& caller, std::size_t most) {
    auto& waiting = caller.line.front();
    const auto ids = next_of(caller, waiting, most);
    const auto event = waiting.event;
    const bool on_admin_only = waiting.on_admin_only;
    if (ids.size() < most) {
        caller.line.pop_front();
    } else {
        waiting.told = ids.back();
    }
    for (const auto id : ids) {
        auto* listener = find(id);
        if (listener == nullptr || (on_admin_only && !listener->on_admin)) continue;
        if (!send_(*listener, event)) remove(id);
    }
    return ids.size();
}

bool Listeners::send_some(const EventId& until, std::size_t most) {
    std::size_t sent = 0;
    for (std::size_t turns = due_.size(); turns > 0 && sent < most; --turns) {
        const auto caller = std::move(due_.front());
        due_.pop_front();
        std::size_t in_a_row = 0;
        while (!caller->line.empty() && caller->line.front().event->id <= until && in_a_row < sent_in_a_row) {
            in_a_row += std::max<std::size_t>(send_first(*caller, sent_in_a_row - in_a_row), 1);
        }
        sent += in_a_row;
        caller->is_due = !caller->line.empty();
        if (caller->is_due) due_.push_back(caller);
    }
    return std::ranges::any_of(
        due_, [&](const auto& caller) { return !caller->line.empty() && caller->line.front().event->id <= until; });
}

} // namespace credlease::broker
