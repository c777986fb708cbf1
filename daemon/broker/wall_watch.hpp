#pragma once

#include "broker/unsealed.hpp"

namespace credlease::broker {

/// Notices that the wall clock was set: the one owner of how far it is ahead of the boot clock. What providers told in
/// this life of the broker goes along (TokenState::told_at), so that no token lives longer or shorter than it does;
/// what was stored before is what the wall clock says, and is planned anew. Loop thread only.
class WallWatch {
  public:
    explicit WallWatch(Unsealed& house);
    WallWatch(const WallWatch&) = delete;
    WallWatch& operator=(const WallWatch&) = delete;

    /// The same until the clock is set.
    [[nodiscard]] vocabulary::Duration offset();
    /// Nothing is noticed any more.
    void quiet();

  private:
    [[nodiscard]] vocabulary::Duration measure() const;
    [[nodiscard]] runtime::Task<> follow();
    [[nodiscard]] runtime::Task<> walk_all(std::function<void(const vault::Entry&)> look);

    Unsealed& house_;
    vocabulary::Duration offset_;
    bool is_following_ = false;
    bool must_follow_again_ = false;
};

} // namespace credlease::broker
