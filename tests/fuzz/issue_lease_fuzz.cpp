#include "secret/arena.hpp"
#include "wire/json_reader.hpp"
#include "wire/mapping.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace credlease;

/// The lease request's reader in place: what it takes, the strict JSON reader takes too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto arena = secret::Arena::make({}).value();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    wire::IssueLeaseView asked;
    if (!wire::read_issue_lease(text, asked)) return 0;
    auto memory =
        boost::json::make_shared_resource<secret::ArenaResource>(*arena, secret::Share::work, std::size_t{512} << 10);
    if (!wire::read_json(text, std::move(memory))) std::abort();
    return 0;
}
