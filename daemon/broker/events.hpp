#pragma once

#include "broker/event_history.hpp"
#include "broker/listeners.hpp"
#include "broker/past_events.hpp"
#include "broker/watched_leases.hpp"
#include "runtime/task.hpp"

#include <memory>
#include <set>
#include <string_view>
#include <unordered_map>

namespace credlease::broker {

struct Unsealed;

/// Tells holders of leases, and on admin.sock whoever sees a credential, what happens: interface.md "Events". What is
/// told is in the log first, so that no id is given twice. While nobody has listened for a while it does nothing.
class Events : public std::enable_shared_from_this<Events> {
  public:
    explicit Events(Unsealed& house);
    ~Events();
    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;

    // ---- what happens; to be called once the record is staged, of a change once it is durable
    void lease_begun(const leases::Lease& lease); ///< issued or renewed
    void lease_ended(const leases::Lease& lease, vocabulary::EndReason reason);
    /// `credential.rotated` to whoever holds it, `credential.updated` to whoever sees it.
    void credential_rotated(const vocabulary::Credential& credential);
    /// Its new tokens are durable: whoever holds it fetches them by renew.
    void credential_refreshed(const vocabulary::Credential& credential);
    void credential_created(const vocabulary::Credential& credential);
    void credential_updated(const vocabulary::Credential& credential);
    void credential_deleted(const vocabulary::Credential& credential);
    void credential_status_changed(const vocabulary::Credential& credential);
    /// A clock of its grant runs out, and only a person can do something about it.
    void credential_ending(const vocabulary::Credential& credential, const oauth::RunningClock& clock);
    /// To whoever ran under it, who is no caller any more, and to whoever minted it.
    void grant_ended(const vocabulary::Grant& grant);
    void sealing();

    // ---- who listens
    [[nodiscard]] ListenerId next_listener() { return ++last_listener_; }
    /// From now on, or from behind `last_event_id`: what is missing is told first.
    void listen(ListenerId id, const Asker& asker, bool on_admin, std::string_view last_event_id,
                std::unique_ptr<EventSink> sink);
    void leave(ListenerId id);
    void drained(ListenerId id); ///< it has read what it was sent
    /// After a reload: those whose principal is no more leave, once they were told what that ended.
    void look_again();
    /// The clock calls no more.
    void quiet();

  private:
    enum class Past : std::uint8_t { unread, reading, read };

    [[nodiscard]] bool is_heard();
    [[nodiscard]] EventId now_id() const;
    [[nodiscard]] EventRef make(Event event);
    [[nodiscard]] static Event about(EventKind kind, const vocabulary::Credential& credential);
    void tell_holders(const EventRef& event);
    void tell_viewers(const EventRef& event);
    void watch_leases_of(const Listener& listener);
    void tell_expiring();
    void schedule_expiring();

    // ---- event_delivery.cpp
    void wake();
    [[nodiscard]] bool has_work() const;
    [[nodiscard]] runtime::Task<> deliver();
    [[nodiscard]] bool send(Listener& listener, const EventRef& event);
    void catch_up_ready(const EventId& until);
    void catch_up(Listener& listener, const EventId& until);
    void greet(Listener& listener, const EventId& until);
    [[nodiscard]] bool concerns(const Listener& listener, const Event& event) const;
    [[nodiscard]] bool may_see(const Listener& listener, const Event& event) const;
    [[nodiscard]] bool is_still_caller(Listener& listener) const;
    void drop_strangers();
    [[nodiscard]] runtime::Task<> read_past();
    struct Place {
        vocabulary::Scope scope;
        vocabulary::ServiceId service;
    };
    using Placed = std::unordered_map<vocabulary::CredentialId, Place>;
    [[nodiscard]] runtime::Task<Placed> find_credentials(const std::deque<Event>& past) const;
    void complete(std::deque<Event>& past, const Placed& credentials) const;

    Unsealed& house_;
    Listeners listeners_;
    WatchedLeases watched_;
    EventHistory history_;
    Past past_ = Past::unread;
    bool is_active_ = false;      ///< somebody listens, or did lately: the history is kept
    EventId begun_at_{};          ///< … from here on; before it is what was read from the log
    vocabulary::Time heard_at_{}; ///< when somebody listened last
    EventId latest_{};
    std::set<ListenerId> behind_; ///< they are told from the history
    std::set<ListenerId> ready_;  ///< … and can be told more of it
    bool is_delivering_ = false;
    bool must_look_again_ = false;
    std::uint64_t expiring_call_ = 0;
    vocabulary::Time expiring_at_{};
    ListenerId last_listener_ = 0;
};

} // namespace credlease::broker
