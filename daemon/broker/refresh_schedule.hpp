#pragma once

#include "broker/exchange_shares.hpp"
#include "oauth/pace.hpp"
#include "vocabulary/scope.hpp"
#include "vocabulary/ulid.hpp"

#include <boost/intrusive/set.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace credlease::broker {

/// Which credential's tokens are asked for next, and when: what is due, within the pace of each OAuth client at its
/// provider and its owner's share of the room. Who is waited for goes first, then what lives still, by its time. Pure:
/// driven by the times it is given.
class RefreshSchedule {
  public:
    using Id = vocabulary::CredentialId;

    /// An OAuth client at a provider. Whose it is counts: who names a client of others slows down only itself.
    struct ClientKey {
        std::string owner{}; ///< a scope, or the organization for one service
        std::string host{};
        std::string client_id{};
        auto operator<=>(const ClientKey&) const = default;
    };
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
        std::shared_ptr<const vocabulary::Scope> scope;
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
    struct Lane;
    enum class Stage : std::uint8_t { resting, planned, asked, begun };
    using Hook = boost::intrusive::set_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>,
                                                 boost::intrusive::optimize_size<true>>;
    struct Member : Hook {
        const Id* id = nullptr;                         ///< its key
        std::shared_ptr<const vocabulary::Scope> scope; ///< credentials of one scope share it
        Lane* lane = nullptr;
        vocabulary::Time at{};
        runtime::BootTime rests_until{};
        float per_second = 0;
        std::uint32_t seed = 0;
        std::uint32_t failures = 0;
        std::uint32_t room = 0;
        Stage stage = Stage::resting;
        bool is_late = false;
    };
    struct Sooner {
        bool operator()(const Member& left, const Member& right) const { return left.at < right.at; }
    };
    struct MoreUrgent {
        bool operator()(const Member& left, const Member& right) const {
            return std::pair(left.is_late, left.at) < std::pair(right.is_late, right.at);
        }
    };
    template <class Order>
    using Members = boost::intrusive::multiset<Member, boost::intrusive::compare<Order>,
                                               boost::intrusive::constant_time_size<false>>;
    /// The credentials of one OAuth client at one provider.
    struct Lane {
        explicit Lane(const catalog::Budget& budget) : pace(budget) {}
        const ClientKey* key = nullptr; ///< in `lanes_`
        oauth::Pace pace;
        std::list<Member*> asked;
        Members<MoreUrgent> due; ///< what its pace did not let begin yet
        double per_second = 0;   ///< of all of them together
        std::size_t members = 0;
        runtime::BootTime wake = oauth::Pace::never; ///< its place in `wakes_`
    };

    Member& member(const vocabulary::Scope& scope, const Id& id);
    void join(Member& member, const Client& client);
    void leave(Member& member);
    void set_rate(Member& member, float per_second);
    void wake(Lane& lane, runtime::BootTime at);
    [[nodiscard]] runtime::BootTime wake_of(const Lane& lane) const;
    [[nodiscard]] Member* next_in(Lane& lane, vocabulary::Time wall, runtime::BootTime now);
    void begin(Member& member, runtime::BootTime now);
    void rest(Member& member);
    [[nodiscard]] static ExchangeShares::Claim claim_of(const Member& member);

    ExchangeShares& shares_;
    std::unordered_map<Id, Member> members_;
    std::map<ClientKey, Lane> lanes_;
    std::unordered_map<Id, oauth::Pace> grants_; ///< of those that have a budget of their own
    Members<Sooner> planned_;
    std::set<std::pair<runtime::BootTime, Lane*>> wakes_;
    std::shared_ptr<const vocabulary::Scope> last_scope_;
    std::uint32_t seeds_ = 0;
};

} // namespace credlease::broker
