#pragma once

namespace credlease::test {

/// ThreadSanitizer brings its own operator new, which cannot be replaced: nothing is refused there.
[[nodiscard]] bool can_refuse_memory();
/// While this lives, operator new has nothing left for any thread but those that `spare_this_thread` was called on.
class ScarceMemory {
  public:
    ScarceMemory();
    ~ScarceMemory();
    ScarceMemory(const ScarceMemory&) = delete;
    ScarceMemory& operator=(const ScarceMemory&) = delete;
};
void spare_this_thread();

} // namespace credlease::test
