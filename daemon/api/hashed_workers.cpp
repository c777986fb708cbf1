#include "api/api.hpp"

namespace credlease::api {
namespace {

/// A request that outlives its buffer.
struct Kept {
    Request request;
    Parts parts;
    std::string path, query, actor, idempotency_key, if_match;
    secret::SecretBuffer body;

    Kept(const Request& from, Parts from_parts, secret::SecretBuffer taken)
        : request(from), parts(std::move(from_parts)), path(from.path), query(from.query), actor(from.actor),
          idempotency_key(from.idempotency_key), if_match(from.if_match), body(std::move(taken)) {
        request.last_event_id = {};
        request.intake = nullptr;
        request.connection = nullptr;
        request.kept = nullptr;
    }
    /// Shows it, whole, to `use`.
    template <class Use> void show(Use use) {
        request.path = path;
        request.query = query;
        request.actor = actor;
        request.idempotency_key = idempotency_key;
        request.if_match = if_match;
        body.expose([&](std::span<const std::byte> bytes) {
            request.body = secret::as_text(bytes);
            use(request);
        });
    }
};

} // namespace

bool Api::must_hash_first(const Request& request) {
    if (request.door != Door::lease || !request.grant.empty()) return false;
    auto* house = broker_.house();
    return house != nullptr && house->callers->needs_hash(*request.peer);
}

void Api::answer_hashed(const Request& request, const Parts& parts, const Handler& handler, Responder responder) {
    auto body = request.take_body();
    if (!body) {
        responder.refuse(body.error());
        return;
    }
    auto run = [](Api& api, broker::Unsealed& house, Kept kept, const Handler& then,
                  Responder reply_to) -> runtime::Task<> {
        // One file of a uid at a time: who starts ever new programs waits for itself.
        std::vector<std::string> keys{"hash:" + std::to_string(kept.request.peer->uid)};
        auto pass = co_await house.gate.enter(std::move(keys));
        if (house.callers->needs_hash(*kept.request.peer)) {
            auto job = [peer = kept.request.peer] { return attestation::ExecutableHashes::make(*peer); };
            if (const auto hashed = co_await house.parts.bulk.run(std::move(job))) house.hashes.keep(*hashed);
        }
        kept.show([&](const Request& whole) { api.answer_now(whole, kept.parts, then, std::move(reply_to)); });
    };
    auto& house = *broker_.house();
    house.tasks.start(run(*this, house, Kept(request, parts, std::move(*body)), handler, std::move(responder)));
}

} // namespace credlease::api
