#include "catalog/catalog.hpp"

#include <cstdint>
#include <string_view>

using namespace credlease;

/// An operator's catalog entry: a service, or an error that names the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)catalog::read_service({reinterpret_cast<const char*>(data), size}, "fuzzed.json").has_value();
    return 0;
}
