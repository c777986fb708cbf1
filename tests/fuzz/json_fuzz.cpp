#include "secret/arena.hpp"
#include "wire/json_reader.hpp"
#include "wire/mapping.hpp"

#include <cstdint>
#include <string_view>

using namespace credlease;

/// The JSON reader and the mapping of every kind of member: any bytes are a value or a refusal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto arena = secret::Arena::make({}).value();
    auto memory =
        boost::json::make_shared_resource<secret::ArenaResource>(*arena, secret::Share::work, std::size_t{512} << 10);
    const auto value = wire::read_json({reinterpret_cast<const char*>(data), size}, std::move(memory));
    if (!value) return 0;
    (void)wire::read_message<wire::CreateCredential>(*value).has_value();
    (void)wire::read_message<wire::EditCredential>(*value).has_value();
    (void)wire::read_message<wire::MintGrant>(*value).has_value();
    return 0;
}
