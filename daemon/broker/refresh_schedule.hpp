#pragma once

#include "broker/exchange_shares.hpp"
#include "broker/lane.hpp"

#include <optional>

namespace credlease::broker {

/// Which credential's tokens are asked for next, and when: what is due, within the pace of each OAuth client at its
/// provider and its owner's share of the room. Who is waited for goes first, then what lives still, by its time. Pure:
/// driven by the times it is given.
class RefreshSchedule {
  public:
    using Id = vocabulary::CredentialId;

    /// Whose pace a credential keeps.
    struct Client {
        ClientKey key{};
        catalog::Budget budget{};
        std::optional<catalog::Budget> grant_budget{}; ///< of this credential besides
        std::size_t room = 0;                          ///< that its request takes (ExchangeShares)
    };
    struct When {
        vocabulary::Time at{};
        vocabulary::Duration period{}; ///< between its refreshes; 0: it is no part of a crowd
        bool is_late = false;          ///< its token has ended: nothing is lost by waiting
    };
    struct Turn {
        Id id;
        vocabulary::Scope scope;
    };

    explicit RefreshSchedule(ExchangeShares& shares) : shares_(shares) {}
    RefreshSchedule(const RefreshSchedule&) = delete;
    RefreshSchedule& operator=(const RefreshSchedule&) = delete;

    /// How long it takes to get over so many tokens that ended while the broker did not run. Whoever needs one does not
    /// wait for that.
    [[nodiscard]] static vocabulary::Duration catching_up(std::size_t late);

    /// Tells credentials apart (oauth::refresh_at).
    [[nodiscard]] std::uint64_t seed_of(const vocabulary::Scope& scope, const Id& id);
    void plan(const vocabulary::Scope& scope, const Id& id, const Client& client, const When& when);
    /// At a start: of what is late each has its place in the `room` ahead, or in half of its period.
    void plan_anew(const vocabulary::Scope& scope, const Id& id, const Client& client, When when, vocabulary::Time wall,
                   vocabulary::Duration room);
    /// A refresh of it began so long ago, before this was there.
    void note(const Id& id, runtime::BootTime begun);
    /// But for its request under way, or one that waits for its turn.
    void forget(const Id& id);

    /// Somebody waits for it. The time: its provider's budget lets it begin then, and it was not put into the queue.
    /// Else it begins as soon as it may, perhaps now: `take` says it.
    [[nodiscard]] std::optional<runtime::BootTime> ask(const vocabulary::Scope& scope, const Id& id,
                                                       const Client& client, runtime::BootTime now,
                                                       runtime::BootTime deadline);
    /// One that begins now. It is in no plan then until `plan`. Who has no room in its share is looked at again soon.
    [[nodiscard]] std::optional<Turn> take(vocabulary::Time wall, runtime::BootTime now);
    /// The answer to its request has been read, or none came: what that took of its room is for others.
    void has_read(const Id& id);
    /// Its request has ended; returns how many have failed since the last that did not. `hold`: its provider wants no
    /// request of this client sooner.
    std::uint32_t end(const Id& id, bool is_ok, runtime::BootTime now, vocabulary::Duration hold = {});
    /// It made no request for want of room: that is no failure, but it does not begin again at once.
    void put_off(const Id& id);
    [[nodiscard]] std::uint32_t failures_of(const Id& id) const;
    /// So long a lease does not ask anew: one failure is forgiven, further ones in a row are 5 s, doubled up to a
    /// minute.
    [[nodiscard]] runtime::BootTime rests_until(const Id& id) const;
    /// When its client may ask again; `never`: when a request has ended.
    [[nodiscard]] runtime::BootTime next_of(const Id& id) const;

    /// When to `take` again, from now; nullopt: after a change.
    [[nodiscard]] std::optional<vocabulary::Duration> wait(vocabulary::Time wall, runtime::BootTime now) const;

  private:
    using Member = Lane::Member;
    using Queue = Lane::Queue;
    using Stage = Lane::Stage;

    Member& member(const vocabulary::Scope& scope, const Id& id);
    void join(Member& member, const Client& client);
    void leave(Member& member);
    void narrow(Lane& lane, const catalog::Budget& budget);
    static void set_rate(Member& member, float per_second);
    [[nodiscard]] static Queue& queue_of(Member& member);
    void fall_due(Member& member, runtime::BootTime now);
    void place(Queue& queue);
    static void place(Queue& queue, Lane::Queues& queues, runtime::BootTime at);
    [[nodiscard]] Member* next_in(Queue& queue, vocabulary::Time wall, runtime::BootTime now);
    void begin(Member& member, runtime::BootTime now);
    void rest(Member& member);
    void look_for_room_of(const std::string& owner);
    void let_go(runtime::BootTime now);
    [[nodiscard]] static ExchangeShares::Claim claim_of(const Member& member, std::size_t bytes);
    void give_back(Member& member, std::uint32_t bytes);

    ExchangeShares& shares_;
    ClientMarks marks_;
    Interned<vocabulary::Scope> scopes_;
    Interned<Lane::Common> commons_;
    std::unordered_map<Id, Member> members_;
    Lanes lanes_;
    std::unordered_map<Id, oauth::Pace> grants_; ///< of those that have a budget of their own
    Lane::Ordered<Member, Lane::Sooner> planned_;
    Lane::Queues waking_;   ///< by when something of theirs may begin
    Lane::Queues roomless_; ///< that found no room, by when they are looked at again
    Lane::Queues idle_;     ///< of which nothing waits, by when they have nothing more to remember
    std::uint32_t seeds_ = 0;
};

} // namespace credlease::broker
