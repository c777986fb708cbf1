#include "outbound/answer_reader.hpp"
#include "outbound/http_date.hpp"
#include "outbound/url.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace credlease;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

/// As an exchange does, the bytes coming in pieces of `size`.
void read_answer(secret::Arena& arena, std::string_view bytes, std::size_t size) {
    auto reader = outbound::AnswerReader::make(arena).value();
    const auto give = [&](std::span<std::byte> room) {
        const auto count = std::min({room.size(), bytes.size(), size});
        std::ranges::copy(secret::as_bytes(bytes.substr(0, count)), room.begin());
        bytes.remove_prefix(count);
        return outbound::Step{.kind = outbound::Step::Kind::done, .count = count};
    };
    bool is_whole = false;
    while (!is_whole && !bytes.empty()) {
        if (!reader.has_room()) {
            const auto grown = reader.grow();
            if (!grown) return;
            require(*grown);
        }
        (void)reader.fill(give);
        const auto read = reader.go_on();
        if (!read) return;
        is_whole = *read == outbound::AnswerReader::Progress::whole;
    }
    if (!is_whole && !reader.ends_here()) return;
    const auto answer = reader.take();
    require(answer.status >= 200 && answer.status < 1000 && answer.body.size() <= wire::limits::provider_answer);
    require(answer.retry_after.count() >= 0 && answer.retry_after <= std::chrono::hours(24 * 365));
}

} // namespace

/// What a provider sends, behind a byte that says in which pieces; and the same as a URL and as a date.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto arena = secret::Arena::make({}).value();
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    read_answer(*arena, text, std::size_t{data[0]} * data[0] + 1);
    require(arena->used(secret::Share::tokens) == 0);
    if (const auto url = outbound::read_url(text)) {
        require(!url->host.empty() && url->target.starts_with('/') && !url->target.contains('\r'));
        require(!url->authority.contains('@'));
    }
    (void)outbound::read_http_date(text);
    return 0;
}
