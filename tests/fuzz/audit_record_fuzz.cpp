#include "audit/encoding.hpp"
#include "audit/record_json.hpp"

#include <cstdint>
#include <span>
#include <string>

using namespace credlease;

/// The journal's record reader: bytes that are no record are refused, and what it takes can be shown.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    audit::Decoded decoded;
    if (!audit::read_record(std::as_bytes(std::span(data, size)), 1, decoded)) return 0;
    std::string text;
    wire::JsonWriter writer(text);
    audit::write_json(writer, decoded.record);
    return 0;
}
