#include "support/allocations.hpp"

#include <cstdlib>
#include <malloc.h>
#include <new>

namespace {

thread_local std::uint64_t made = 0;
thread_local std::int64_t in_use = 0;

} // namespace

std::uint64_t credlease::test::allocations() { return made; }
std::int64_t credlease::test::bytes_in_use() { return in_use; }

// ThreadSanitizer brings its own, which can't be replaced: nothing is counted there.
#if !__has_feature(thread_sanitizer)

namespace {

void give_back(void* memory) {
    in_use -= static_cast<std::int64_t>(malloc_usable_size(memory));
    std::free(memory);
}

} // namespace

void* operator new(std::size_t size) {
    ++made;
    void* const memory = std::malloc(size);
    if (memory == nullptr) throw std::bad_alloc();
    in_use += static_cast<std::int64_t>(malloc_usable_size(memory));
    return memory;
}

/// A sanitizer's own would not match the `delete` below.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return operator new(size);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }

#endif
