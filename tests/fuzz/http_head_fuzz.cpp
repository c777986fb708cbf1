#include "api/request.hpp"

#include <cstdint>
#include <string_view>

using namespace credlease;

/// The request reader: a head, or a refusal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto end = http::find_head(bytes);
    if (!end || !*end) return 0;
    if (**end > size) __builtin_trap();
    const auto head = http::read_head(bytes.substr(0, **end));
    if (head)
        (void)api::Query::read(head->query, {{.name = "limit"}, {.name = "service", .repeatable = true}}).has_value();
    return 0;
}
