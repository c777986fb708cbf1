#pragma once

#include "secret/arena.hpp"

#include <boost/json/memory_resource.hpp>

namespace credlease::secret {

/// A memory resource over the arena: JSON values read with it lie in locked memory and are wiped as they die.
/// Throws std::bad_alloc when the share is full or slots of `most` bytes are taken; the caller turns that into
/// `overloaded` or `payload_too_large`.
class ArenaResource final : public boost::json::memory_resource {
  public:
    ArenaResource(Arena& arena, Share share, std::size_t most) : arena_(arena), share_(share), most_(most) {}

    [[nodiscard]] std::size_t used() const { return used_; }

  private:
    void* do_allocate(std::size_t size, std::size_t alignment) override;
    void do_deallocate(void* address, std::size_t size, std::size_t alignment) override;
    bool do_is_equal(const boost::json::memory_resource& other) const noexcept override { return this == &other; }

    Arena& arena_;
    Share share_;
    std::size_t most_;
    std::size_t used_ = 0;
};

} // namespace credlease::secret
