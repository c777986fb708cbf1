#include "outbound/openssl_memory.hpp"

#include "secret/wipe.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <malloc.h>

namespace credlease::outbound {
namespace {

void* take(std::size_t size, const char* /*file*/, int /*line*/) { return std::malloc(size); }

void give_back(void* memory, const char* /*file*/, int /*line*/) {
    if (memory == nullptr) return;
    secret::wipe({static_cast<std::byte*>(memory), ::malloc_usable_size(memory)});
    std::free(memory);
}

/// realloc(3) would leave the old block behind as it was.
void* take_other(void* memory, std::size_t size, const char* file, int line) {
    if (memory == nullptr) return take(size, file, line);
    if (size == 0) {
        give_back(memory, file, line);
        return nullptr;
    }
    void* const other = take(size, file, line);
    if (other == nullptr) return nullptr;
    std::memcpy(other, memory, std::min(size, ::malloc_usable_size(memory)));
    give_back(memory, file, line);
    return other;
}

} // namespace

bool wipe_what_openssl_frees() {
    static const bool done = CRYPTO_set_mem_functions(take, take_other, give_back) == 1;
    return done;
}

} // namespace credlease::outbound
