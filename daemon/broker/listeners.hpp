#pragma once

#include "broker/asker.hpp"
#include "broker/event.hpp"
#include "broker/event_sink.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace credlease::broker {

using ListenerId = std::uint64_t;

/// One who listens: a process, as one caller.
struct Listener {
    ListenerId id = 0;
    access::CallerRef caller;
    std::shared_ptr<const attestation::Peer> peer;
    leases::Holder process{};
    bool on_admin = false;
    std::unique_ptr<EventSink> sink;

    EventId last{};          ///< what it was sent, or where it begins
    bool comes_back = false; ///< `last` is what it said it had
    bool is_lost = false;    ///< … and it made no sense
    bool is_greeted = false;
    bool is_behind = true; ///< it is told from the history first
};

/// Who listens, found by caller and process, and what each caller is still to be told. A caller's events wait in one
/// line; the callers take turns, so that one with many listeners holds up no other.
class Listeners {
  public:
    /// Sends one listener one event. False: it is no listener any more.
    using Send = std::function<bool(Listener&, const EventRef&)>;
    explicit Listeners(Send send) : send_(std::move(send)) {}

    Listener& add(Listener listener);
    void remove(ListenerId id);
    [[nodiscard]] Listener* find(ListenerId id);
    [[nodiscard]] bool is_empty() const { return callers_of_.empty(); }
    [[nodiscard]] std::size_t size() const { return callers_of_.size(); }
    /// Whether anybody would be told of such a lease.
    [[nodiscard]] bool hears(std::string_view principal, std::string_view on_behalf_of,
                             const std::optional<leases::Holder>& process) const;
    void for_each(const std::function<void(Listener&)>& visit);

    // ---- into the lines
    void tell_holder(const EventRef& event, std::string_view principal, std::string_view on_behalf_of,
                     const std::optional<leases::Holder>& process);
    void tell_caller(const EventRef& event, std::string_view principal, std::string_view on_behalf_of) {
        tell_holder(event, principal, on_behalf_of, std::nullopt);
    }
    void tell_admin(const EventRef& event); ///< whoever listens on admin.sock; `send` looks at its rights
    void tell_all(const EventRef& event);

    /// Sends what is waiting, up to that event, to at most so many listeners. True: there is more.
    [[nodiscard]] bool send_some(const EventId& until, std::size_t most);
    [[nodiscard]] bool has_waiting() const { return !due_.empty(); }

  private:
    struct Waiting {
        EventRef event;
        std::optional<leases::Holder> process; ///< nullopt: all listeners of the caller
        bool on_admin_only = false;
        ListenerId told = 0; ///< of those the last one that was told
    };
    struct Caller {
        std::string key;
        std::map<ListenerId, Listener> listeners;
        std::multimap<std::pair<std::int32_t, std::uint64_t>, ListenerId> by_process;
        std::size_t on_admin = 0;
        std::deque<Waiting> line;
        bool is_due = false;
    };

    [[nodiscard]] Caller* find_caller(std::string_view principal, std::string_view on_behalf_of) const;
    [[nodiscard]] std::vector<std::shared_ptr<Caller>> callers_where(bool (*is_wanted)(const Caller&)) const;
    void enqueue(Caller& caller, Waiting waiting);
    [[nodiscard]] std::size_t send_first(Caller& caller, std::size_t most);
    [[nodiscard]] std::vector<ListenerId> next_of(const Caller& caller, const Waiting& waiting, std::size_t most) const;
    void drop(Caller& caller);

    Send send_;
    std::unordered_map<std::string, std::shared_ptr<Caller>> callers_;
    std::unordered_map<ListenerId, Caller*> callers_of_;
    std::deque<std::shared_ptr<Caller>> due_;
};

} // namespace credlease::broker
