#include "client/holding.hpp"

#include "client/memory.hpp"
#include "client/refusal.hpp"
#include "wire/mapping.hpp"

#include <utility>

namespace credlease::client {
namespace {

/// Answers after which the lease will not come back.
bool ends_the_lease(const Error& error) { return error.code == "lease_ended" || error.code == "lease_not_found"; }

/// As the broker says it to who asks: a new lease, where there can be one.
const char* next_step_after(const std::string& reason) {
    if (reason == "credential_revoked")
        return "Ask its owner to restore it (credlease restore) or to give you another.";
    if (reason == "credential_deleted" || reason == "scope_changed") {
        return "Ask its owner for it anew, or for another credential.";
    }
    return reason == "grant_ended" ? "Ask the engine for a new grant." : "Ask for a new one.";
}

} // namespace

Result<void> Holding::take_issued(Reply reply) {
    if (auto taken = take(std::move(reply)); !taken) return taken;
    if (facts_.id.empty()) return unexpected("The broker's answer to a lease brings no secret.");
    issued_ = facts_;
    return {};
}

Result<void> Holding::take(Reply reply) {
    std::optional<LeaseFacts> facts;
    std::optional<LeaseTimes> times;
    Delivery named;
    const auto read = [&](const boost::json::value& answer) -> Result<void> {
        if (issued_.id.empty()) issued_.id = read_lease_id(answer);
        auto read_times = read_lease_times(answer);
        if (!read_times) return read_times.error();
        times = std::move(*read_times);
        named = {read_number(answer, {"credential", "version"}), read_number(answer, {"credential", "generation"})};
        if (!has_secret(answer)) return {};
        auto read_facts = read_lease_facts(answer);
        if (!read_facts) return read_facts.error();
        facts = std::move(*read_facts);
        return {};
    };
    const auto taken = reply.expose([&](std::string_view body) { return with_json(body, read); });
    if (!taken) return taken;
    const std::lock_guard alone(lock_);
    times_ = std::move(*times);
    is_secret_lost_ = !facts && Delivery(facts_.version, facts_.generation) < named;
    if (!facts) return {};
    facts_ = std::move(*facts);
    json_ = std::make_shared<const secret::SecretBuffer>(std::move(*reply.secret));
    return {};
}

Result<void> Holding::renew(Session& session, std::optional<std::chrono::milliseconds> ttl) {
    auto renewed = at_the_boundary([&] { return ask_renewal(session, ttl); });
    const auto tell = [&] {
        const std::lock_guard alone(lock_);
        last_error_.reset();
        if (!renewed) {
            last_error_ = renewed.error();
            is_over_ = is_over_ || ends_the_lease(renewed.error());
        }
        return on_renewed_;
    }();
    if (renewed && tell) (*tell)();
    return renewed;
}

void Holding::on_renewed(std::function<void()> tell) {
    auto shared = std::make_shared<const std::function<void()>>(std::move(tell));
    const std::lock_guard alone(lock_);
    on_renewed_ = std::move(shared);
}

/// The broker brings a secret once, unless it is asked to: where that answer did not arrive, the next one does not have
/// it, but names it.
Result<void> Holding::ask_renewal(Session& session, std::optional<std::chrono::milliseconds> ttl) {
    auto asked = exchange_renewal(session, ttl);
    return asked && is_secret_lost() ? exchange_renewal(session, ttl) : asked;
}

Result<void> Holding::exchange_renewal(Session& session, std::optional<std::chrono::milliseconds> ttl) {
    const std::string path = "/v1/leases/" + issued_.id + "/renew";
    const std::string key = make_idempotency_key();
    const std::string body = wire::write_message(
        wire::RenewLease{.ttl = ttl, .secret = is_secret_lost() ? std::optional(true) : std::nullopt});
    auto reply =
        session.exchange({.method = "POST", .path = path, .idempotency_key = key, .body = body, .secret_answer = true});
    if (!reply) return reply.error();
    return take(std::move(*reply));
}

bool Holding::note_ended(const std::string& reason) {
    const std::lock_guard alone(lock_);
    if (std::exchange(is_end_known_, true)) return false;
    if (!is_over_) {
        last_error_ = Error{.code = "lease_ended",
                            .sentence = reason == "credential_revoked" ? "credential revoked" : "The lease has ended.",
                            .next_step = next_step_after(reason),
                            .reason = reason};
    }
    is_over_ = true;
    return true;
}

Result<void> Holding::release(Session& session, std::optional<std::chrono::milliseconds> timeout) {
    {
        const std::lock_guard alone(lock_);
        is_end_known_ = true; // it may be told before its answer is here
    }
    const std::string path = "/v1/leases/" + issued_.id;
    const Message message{.method = "DELETE", .path = path};
    const auto reply = timeout ? session.exchange(message, *timeout) : session.exchange(message);
    const bool is_gone = reply.ok() || ends_the_lease(reply.error());
    const std::lock_guard alone(lock_);
    if (is_gone) is_over_ = true;
    if (!is_gone) return reply.error();
    return {};
}

LeaseFacts Holding::facts() const {
    const std::lock_guard alone(lock_);
    return facts_;
}

LeaseTimes Holding::times() const {
    const std::lock_guard alone(lock_);
    return times_;
}

Delivery Holding::delivery() const {
    const std::lock_guard alone(lock_);
    return {facts_.version, facts_.generation};
}

bool Holding::is_secret_lost() const {
    const std::lock_guard alone(lock_);
    return is_secret_lost_;
}

std::optional<Error> Holding::last_error() const {
    const std::lock_guard alone(lock_);
    return last_error_;
}

bool Holding::is_over() const {
    const std::lock_guard alone(lock_);
    return is_over_ || issued_.id.empty();
}

void Holding::expose_json(const std::function<void(std::string_view)>& use) const {
    // A copy of the pointer: a renewal may bring another answer while `use` still looks at this one.
    const auto json = [&] {
        const std::lock_guard alone(lock_);
        return json_;
    }();
    json->expose([&](std::span<const std::byte> bytes) { use(secret::as_text(bytes)); });
}

void Holding::expose_members(const std::function<void(const boost::json::value&)>& use) const {
    expose_json([&](std::string_view text) {
        // The text was read once, when it came: it can be read again unless memory runs out, and then nothing is shown.
        [[maybe_unused]] const auto shown = with_json(text, [&](const boost::json::value& value) -> Result<void> {
            use(value);
            return {};
        });
    });
}

} // namespace credlease::client
