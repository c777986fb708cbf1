#include "outbound/outbound.hpp"

#include "outbound/exchange.hpp"
#include "outbound/openssl_memory.hpp"
#include "outbound/request_text.hpp"
#include "runtime/behind_leases.hpp"
#include "runtime/signals_blocked.hpp"
#include "runtime/task_group.hpp"

#include <optional>
#include <pthread.h>
#include <set>
#include <thread>
#include <utility>

namespace credlease::outbound {
namespace {

using Slot = std::shared_ptr<std::optional<Outcome>>;

Outcome unsent(result::Error error) { return std::unexpected(Failed{.error = std::move(error), .was_sent = false}); }

result::Result<std::shared_ptr<const Terms>> make_terms(Options options) {
    auto tls = make_tls_context(options.ca_file);
    if (!tls) return result::refuse(std::move(tls.error()));
    return std::make_shared<const Terms>(Terms{.options = std::move(options), .tls = std::move(*tls)});
}

} // namespace

struct Client::State {
    State(runtime::Loop& owner, secret::Arena& memory, std::shared_ptr<const Terms> first_terms);
    ~State();
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    [[nodiscard]] result::Result<std::shared_ptr<Exchange>> make_exchange(const Request& request);
    void start(std::shared_ptr<Exchange> exchange, Slot slot, runtime::Resume resume);

    // On the thread.
    [[nodiscard]] runtime::Task<> carry_out(std::shared_ptr<Exchange> exchange, Slot slot, runtime::Resume resume);
    void give_up();
    void stop_all();
    void stop_if_last();

    runtime::Loop& loop;
    secret::Arena& arena;
    std::shared_ptr<const Terms> terms;
    std::shared_ptr<std::size_t> under_way = std::make_shared<std::size_t>(0); ///< the loop's; may outlive this

    runtime::Loop outside; ///< of the thread
    std::unique_ptr<runtime::Clock> clock = runtime::make_system_clock(outside);
    NameLookups lookups{outside};
    KeptConnections kept{*clock, terms};
    const Parts parts{.loop = outside, .clock = *clock, .lookups = lookups, .kept = kept};
    runtime::TaskGroup tasks{outside};
    std::set<std::shared_ptr<Exchange>> exchanges{};
    bool stopping = false;
    std::thread thread{};
};

Client::State::State(runtime::Loop& owner, secret::Arena& memory, std::shared_ptr<const Terms> first_terms)
    : loop(owner), arena(memory), terms(std::move(first_terms)) {
    const runtime::SignalsBlocked blocked;
    // noexcept: what throws ends the daemon here, where the stack still shows why.
    thread = std::thread([this]() noexcept {
        runtime::go_behind_leases(); // hands are shaken with the world
        outside.run();
    });
    pthread_setname_np(thread.native_handle(), "outbound");
}

Client::State::~State() {
    outside.post([this] { stop_all(); });
    thread.join();
}

void Client::State::give_up() {
    kept.close_all();
    for (const auto& exchange : exchanges) exchange->stop();
}

void Client::State::stop_all() {
    stopping = true;
    give_up();
    stop_if_last();
}

void Client::State::stop_if_last() {
    // In a later turn: the task that ended last has yet to leave its group.
    if (stopping && exchanges.empty()) outside.post([this] { outside.stop(); });
}

result::Result<std::shared_ptr<Exchange>> Client::State::make_exchange(const Request& request) {
    auto url = read_url(request.url);
    if (!url) return result::refuse(std::move(url.error()));
    auto text = write_request(arena, request, *url);
    if (!text) return result::refuse(std::move(text.error()));
    auto answer = AnswerReader::make(arena);
    if (!answer) return result::refuse(std::move(answer.error()));
    return std::make_shared<Exchange>(parts, terms, std::move(*url), std::move(*text), std::move(*answer),
                                      request.may_be_repeated, request.on_behalf_of);
}

void Client::State::start(std::shared_ptr<Exchange> exchange, Slot slot, runtime::Resume resume) {
    ++*under_way;
    outside.post([this, exchange = std::move(exchange), slot = std::move(slot), resume = std::move(resume)]() mutable {
        tasks.start(carry_out(std::move(exchange), std::move(slot), std::move(resume)));
    });
}

runtime::Task<> Client::State::carry_out(std::shared_ptr<Exchange> exchange, Slot slot, runtime::Resume resume) {
    exchanges.insert(exchange);
    Outcome outcome = co_await exchange->run();
    exchanges.erase(exchange);
    exchange.reset();
    slot->emplace(std::move(outcome));
    // Moved, not copied: whoever drops the last copy of an unused Resume destroys the task, which is the loop's.
    loop.post([resume = std::move(resume), count = under_way]() mutable {
        --*count;
        std::exchange(resume, nullptr)();
    });
    stop_if_last();
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;

result::Result<std::unique_ptr<Client>> Client::make(runtime::Loop& loop, secret::Arena& arena, Options options) {
    if (!wipe_what_openssl_frees()) {
        return result::refuse({.code = result::ErrorCode::internal,
                               .sentence = "OpenSSL was used before it was told to wipe what it frees.",
                               .next_step = "Report this as a defect of the broker."});
    }
    auto terms = make_terms(std::move(options));
    if (!terms) return result::refuse(std::move(terms.error()));
    return std::unique_ptr<Client>(new Client(std::make_unique<State>(loop, arena, std::move(*terms))));
}

runtime::Task<Outcome> Client::send(Request request) {
    auto exchange = state_->make_exchange(request);
    request = {}; // its secrets are in the exchange
    if (!exchange) co_return unsent(std::move(exchange.error()));
    auto slot = std::make_shared<std::optional<Outcome>>();
    co_await runtime::suspend(state_->loop, [this, &exchange, &slot](runtime::Resume resume) {
        state_->start(std::move(*exchange), slot, std::move(resume));
    });
    // The client may be gone by now.
    co_return std::move(**slot);
}

bool Client::has_room() const { return AnswerReader::has_room_in(state_->arena); }

std::size_t Client::room() const { return AnswerReader::room_in(state_->arena); }

void Client::give_up() {
    state_->outside.post([state = state_.get()] { state->give_up(); });
}

void Client::close_kept() {
    state_->outside.post([state = state_.get()] { state->kept.close_all(); });
}

result::Result<> Client::set(Options options) {
    auto terms = make_terms(std::move(options));
    if (!terms) return result::refuse(std::move(terms.error()));
    state_->terms = *terms;
    state_->outside.post([state = state_.get(), terms = std::move(*terms)] { state->kept.begin_anew(terms); });
    return {};
}

std::size_t Client::under_way() const { return *state_->under_way; }

} // namespace credlease::outbound
