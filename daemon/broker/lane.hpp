#pragma once

#include "broker/client_mark.hpp"
#include "broker/interned.hpp"
#include "oauth/pace.hpp"
#include "vocabulary/scope.hpp"
#include "vocabulary/ulid.hpp"

#include <boost/intrusive/set.hpp>

#include <list>
#include <memory>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace credlease::broker {

/// The credentials of one OAuth client at one provider. Each credential may have a client of its own: so at rest it is
/// small, and what only counts for a while lies in its queue.
struct Lane {
    using Marked = std::pair<const ClientMark, Lane>;
    using Hook = boost::intrusive::set_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>,
                                                 boost::intrusive::optimize_size<true>>;
    template <class Each, class Order>
    using Ordered =
        boost::intrusive::multiset<Each, boost::intrusive::compare<Order>, boost::intrusive::constant_time_size<false>>;
    struct Sooner {
        bool operator()(const auto& left, const auto& right) const { return left.at < right.at; }
    };
    struct MoreUrgent {
        bool operator()(const auto& left, const auto& right) const {
            return std::pair(left.is_late, left.at) < std::pair(right.is_late, right.at);
        }
    };

    enum class Stage : std::uint8_t { resting, planned, asked, begun };
    /// A credential. Ten thousand of them: its members are in the order that leaves no gaps.
    struct Member : Hook {
        const vocabulary::CredentialId* id = nullptr; ///< its key
        Interned<vocabulary::Scope>::Held scope;
        Marked* client = nullptr;
        vocabulary::Time at{};
        runtime::BootTime rests_until{};
        float per_second = 0;
        std::uint32_t seed = 0;
        std::uint32_t room = 0;
        std::uint16_t failures = 0;
        Stage stage = Stage::resting;
        bool is_late = false;
    };
    /// There only while something of it is due, waited for or under way, or counts still: what its pace remembers.
    struct Queue : Hook {
        explicit Queue(Marked& client) : client(client), pace(client.second.common->budget) {}
        [[nodiscard]] bool is_empty() const { return asked.empty() && due.empty(); }

        Marked& client;
        oauth::Pace pace;
        std::list<Member*> asked;
        Ordered<Member, MoreUrgent> due; ///< what its pace did not let begin yet
        runtime::BootTime at{};          ///< its place: when it is looked at again
    };
    using Queues = Ordered<Queue, Sooner>;
    /// What lanes of one owner at one host mostly have in common.
    struct Common {
        std::string owner{}; ///< ClientKey
        std::string host{};
        catalog::Budget budget{}; ///< the narrowest that an entry knows

        [[nodiscard]] auto parts() const { return std::tie(owner, host, budget.requests, budget.per, budget.at_once); }
        auto operator<=>(const Common& other) const { return parts() <=> other.parts(); }
        bool operator==(const Common& other) const { return parts() == other.parts(); }
    };

    [[nodiscard]] runtime::BootTime next() const {
        return queue ? queue->pace.next() : oauth::Pace(common->budget).next();
    }

    Interned<Common>::Held common;
    std::unique_ptr<Queue> queue;
    double per_second = 0; ///< of all of them together
    std::uint32_t members = 0;
};

using Lanes = std::unordered_map<ClientMark, Lane, ClientMark::Hash>;

} // namespace credlease::broker
