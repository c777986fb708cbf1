#include "api/first_answers.hpp"

#include "crypto/crypto.hpp"
#include "wire/limits.hpp"

#include <algorithm>
#include <new>

namespace credlease::api {
namespace {

mac::DigestMac make_digests(secret::Arena& arena) {
    const auto key = crypto::make_key<crypto::RecordKeyKind>(arena);
    auto made = key ? mac::make_mac<mac::DigestPurpose>(arena, key->buffer())
                    : result::Result<mac::DigestMac>(std::unexpected(key.error()));
    if (!made) throw std::bad_alloc();
    return std::move(*made);
}

} // namespace

FirstAnswers::FirstAnswers(secret::Arena& arena) : digests_(make_digests(arena)) {}

mac::Digest FirstAnswers::digest_of(const Request& request) const {
    return digests_.of({mac::bytes_of(name_of(request.method)), mac::bytes_of(request.path),
                        mac::bytes_of(request.query), mac::bytes_of(request.body)});
}

result::Result<std::optional<Reply>> FirstAnswers::find(const broker::Asker& asker, const mac::Digest& digest,
                                                        runtime::BootTime now) {
    auto& known = known_[asker.caller->principal];
    while (!known.empty() && known.front().at + wire::limits::idempotency_kept <= now) known.pop_front();
    const auto found = std::ranges::find(known, asker.idempotency_key, &Known::key);
    if (asker.idempotency_key.empty() || found == known.end()) return std::optional<Reply>();
    if (found->digest == digest) return std::optional(Reply{.body = found->body});
    return result::refuse({.code = result::ErrorCode::idempotency_mismatch,
                           .sentence = "This Idempotency-Key was sent before with another request.",
                           .next_step = "Use a new key for a new request."});
}

void FirstAnswers::keep(const broker::Asker& asker, const mac::Digest& digest, const Reply& reply,
                        runtime::BootTime now) {
    if (asker.idempotency_key.empty()) return;
    auto& known = known_[asker.caller->principal];
    if (known.size() >= most) known.pop_front();
    known.push_back({.key = asker.idempotency_key, .digest = digest, .body = reply.body, .at = now});
}

} // namespace credlease::api
