#include "scarce_memory.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<bool> is_scarce{false};
thread_local bool is_spared = false;

} // namespace

credlease::test::ScarceMemory::ScarceMemory() { is_scarce = true; }
credlease::test::ScarceMemory::~ScarceMemory() { is_scarce = false; }
void credlease::test::spare_this_thread() { is_spared = true; }

#if __has_feature(thread_sanitizer)

bool credlease::test::can_refuse_memory() { return false; }

#else

bool credlease::test::can_refuse_memory() { return true; }

void* operator new(std::size_t size) {
    void* const memory = is_scarce && !is_spared ? nullptr : std::malloc(size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

#endif
