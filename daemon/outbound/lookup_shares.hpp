#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace credlease::outbound {

/// The threads that look names up, shared out so that no owner whose name services are silent takes those of the others
/// (guarantee 19): one owner has at most as many at work as it leaves free, the last quarter is for owners that have
/// none at work, and owners take turns. A name is looked up once for all who wait for it, and counts for the owner that
/// its thread was begun for. What nobody waits for any more does not begin.
class LookupShares {
  public:
    using Ticket = std::uint64_t; ///< who waits
    struct Next {
        std::string host{};
        std::string owner{};
    };

    explicit LookupShares(std::size_t threads) : all_(threads), free_(threads) {}
    LookupShares(const LookupShares&) = delete;
    LookupShares& operator=(const LookupShares&) = delete;

    [[nodiscard]] Ticket ask(std::string host, std::string owner);
    /// Nobody waits with this ticket any more; nothing when its name has been looked up.
    void give_up(Ticket ticket);

    /// What a thread may begin with now.
    [[nodiscard]] std::optional<Next> next() const;
    void begin(const Next& next);
    /// The name was looked up: its thread is free. Returns who waits for it.
    [[nodiscard]] std::vector<Ticket> end(const std::string& host);
    [[nodiscard]] std::size_t at_work() const { return all_ - free_; }

  private:
    struct Ask {
        std::string host{};
        std::string owner{};
    };
    struct Name {
        std::set<Ticket> asked{};
        std::optional<std::string> begun_for{}; ///< the owner; absent: it waits in the lines of all who asked
    };
    struct Owner {
        std::set<Ticket> line{}; ///< of names that have not begun, the first come first
        std::size_t at_work = 0;
        std::uint64_t turn = 0; ///< the least is next
    };
    using Owners = std::map<std::string, Owner>;

    [[nodiscard]] bool may_begin(const Owner& owner) const;
    void leave_line(const std::string& owner, Ticket ticket);
    void drop_if_idle(Owners::iterator owner);

    std::size_t all_;
    std::size_t free_;
    Ticket last_ticket_ = 0;
    std::uint64_t last_turn_ = 0;
    std::map<Ticket, Ask> asks_{};
    std::map<std::string, Name> names_{}; ///< that are waited for, or that a thread is at
    Owners owners_{};                     ///< of those that wait, or that a thread was begun for
};

} // namespace credlease::outbound
