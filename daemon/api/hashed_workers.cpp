#include "api/hashed_workers.hpp"

#include "runtime/suspend.hpp"

#include <exception>

namespace credlease::api {

/// A request that outlives its buffer.
struct HashedWorkers::Kept {
    Request request;
    Parts parts;
    std::string path, query, actor, idempotency_key, if_match;
    secret::SecretBuffer body;
    Responder responder;
    const Handle* handle;

    Kept(const Request& from, Parts from_parts, secret::SecretBuffer taken, Responder reply_to, const Handle& then)
        : request(from), parts(std::move(from_parts)), path(from.path), query(from.query), actor(from.actor),
          idempotency_key(from.idempotency_key), if_match(from.if_match), body(std::move(taken)),
          responder(std::move(reply_to)), handle(&then) {
        request.last_event_id = {};
        request.intake = nullptr;
        request.connection = nullptr;
        request.kept = nullptr;
    }
    /// Shows it, whole, to its handler.
    void show() {
        request.path = path;
        request.query = query;
        request.actor = actor;
        request.idempotency_key = idempotency_key;
        request.if_match = if_match;
        body.expose([&](std::span<const std::byte> bytes) {
            request.body = secret::as_text(bytes);
            (*handle)(request, parts, std::move(responder));
        });
    }
};

HashedWorkers::HashedWorkers(broker::Broker& broker) : broker_(broker) {}
HashedWorkers::~HashedWorkers() = default;

bool HashedWorkers::must_wait(const Request& request) const {
    if (request.door != Door::lease || !request.grant.empty()) return false;
    auto* house = broker_.house();
    return house != nullptr && house->callers->needs_hash(*request.peer);
}

void HashedWorkers::call(const Request& request, const Parts& parts, Responder responder, const Handle& handle) {
    if (!must_wait(request)) return handle(request, parts, std::move(responder));
    const auto uid = request.peer->uid;
    if (const auto found = waiting_.find(uid); found != waiting_.end()) drop_gone(found->second);
    auto body = request.take_body();
    if (!body) {
        responder.refuse(body.error());
        return;
    }
    const auto [queue, is_first] = waiting_.try_emplace(uid);
    queue->second.emplace_back(request, parts, std::move(*body), std::move(responder), handle);
    auto& house = *broker_.house();
    if (is_first) house.tasks.start(serve(house, uid));
}

runtime::Task<> HashedWorkers::serve(broker::Unsealed& house, std::uint32_t uid) {
    auto& queue = waiting_.at(uid);
    while (!queue.empty()) {
        Kept first = std::move(queue.front());
        queue.pop_front();
        if (must_wait(first.request)) co_await hash(house, first, queue);
        if (first.responder.is_connected()) answer(first);
        // The next one may have been told apart by now: others get their turn of the loop in between.
        co_await runtime::suspend(house.parts.loop, [](const runtime::Resume& resume) { resume(); });
    }
    waiting_.erase(uid);
}

runtime::Task<> HashedWorkers::hash(broker::Unsealed& house, const Kept& first, Queue& others) const {
    attestation::ExecutableHashes::Making making(first.request.peer);
    bool goes_on = true;
    while (goes_on) {
        auto read_part = [&making] { return making.read_part(); };
        goes_on = co_await house.parts.bulk.run(std::move(read_part));
        drop_gone(others);
        goes_on = goes_on && first.responder.is_connected() && broker_.house() != nullptr;
    }
    if (const auto made = making.made()) house.hashes.keep(*made);
}

/// As `Traffic::call_handler` does it for requests that need not wait.
void HashedWorkers::answer(Kept& kept) const {
    try {
        kept.show();
    } catch (const std::exception& thrown) { // the responder has answered `internal` on its way out
        broker_.parts().tell_problem({.code = result::ErrorCode::internal,
                                      .sentence = "A request broke off inside the broker.",
                                      .next_step = "Look at its log, under the request's id.",
                                      .about = result::PublicText::of(thrown.what())});
    }
}

void HashedWorkers::drop_gone(Queue& queue) {
    std::erase_if(queue, [](const Kept& kept) { return !kept.responder.is_connected(); });
}

} // namespace credlease::api
