#include "support/allocations.hpp"

#include <cstdlib>
#include <new>

namespace {

thread_local std::uint64_t made = 0;

} // namespace

std::uint64_t credlease::test::allocations() { return made; }

void* operator new(std::size_t size) {
    ++made;
    void* const memory = std::malloc(size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
