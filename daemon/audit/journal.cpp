#include "audit/journal.hpp"

#include "audit/state.hpp"
#include "runtime/suspend.hpp"

namespace credlease::audit {

using result::Result;
using vocabulary::AuditRecord;

Journal::State::State(const Options& given, Keys given_keys, store::Store& given_store, runtime::Loop& given_loop,
                      runtime::Clock& given_clock, runtime::Worker& log_worker, runtime::Worker& commit_worker)
    : options(given), keys(std::move(given_keys)), store(given_store), loop(given_loop), clock(given_clock),
      log(log_worker), commit(commit_worker), writer(options, keys.chain) {
    constexpr std::size_t usual_turn = std::size_t{64} << 10; // bytes
    for (auto& turn : turns_) {
        turn.bytes.reserve(usual_turn);
        turn.entries.reserve(usual_turn / 256);
        free_.push_back(&turn);
    }
    staging_ = take_free();
}

Journal::State::~State() {
    for (const auto call : {watch_, next_sync_, retry_}) {
        if (call != 0) clock.cancel(call);
    }
}

void Journal::State::begin_at(const Reach& reach, const Head& now, std::uint64_t first_copy) {
    written = headable = durable = reach;
    head = now;
    next_seq = reach.seq + 1;
    changes = reach.changes;
    oldest_copy = first_copy;
    readable.store(reach.seq, std::memory_order_release);
    dirty_.push_back({.segment = writer.segment(), .end = writer.at().offset});
}

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {}
Journal::~Journal() = default;

Result<std::uint64_t> Journal::append(AuditRecord record, Waiter waiter) {
    const auto fate = state_->options.durable_leases ? Fate::durable : Fate::told;
    return state_->append(record, {.waiter = waiter, .fate = fate}, nullptr);
}

Result<std::uint64_t> Journal::append_synced(AuditRecord record, Waiter waiter) {
    return state_->append(record, {.waiter = waiter, .fate = Fate::durable}, nullptr);
}

void Journal::note(AuditRecord record) { state_->note(record); }

void Journal::flush() { state_->flush(); }

runtime::Task<Result<std::uint64_t>> Journal::commit(AuditRecord record, store::Batch batch, Sync sync) {
    Result<std::uint64_t> outcome;
    const bool may_wait = record.principal == vocabulary::by_itself; // nobody asked for it: it comes in crowds
    // Staged inside: a task that was cancelled before it got here changes nothing.
    co_await runtime::suspend(state_->loop, [&](runtime::Resume resume) {
        Tell tell = [this, &outcome, resume, may_wait](Result<std::uint64_t> told) {
            outcome = std::move(told);
            may_wait ? state_->loop.line_up(resume) : resume();
        };
        state_->change(record, std::move(batch), sync, std::move(tell));
    });
    co_return outcome;
}

runtime::Task<Result<std::uint64_t>> Journal::append_durably(AuditRecord record) {
    Result<std::uint64_t> outcome;
    co_await runtime::suspend(state_->loop, [&](runtime::Resume resume) {
        const Tell tell = [&outcome, resume](Result<std::uint64_t> told) {
            outcome = std::move(told);
            resume();
        };
        const auto staged = state_->append(record, {.fate = Fate::durable}, tell);
        if (!staged) tell(staged);
    });
    co_return outcome;
}

runtime::Task<> Journal::catch_up() {
    co_await runtime::suspend(state_->loop,
                              [this](runtime::Resume resume) { state_->when_written(std::move(resume)); });
}

runtime::Task<> Journal::close() {
    co_await runtime::suspend(state_->loop, [this](const runtime::Resume& resume) {
        state_->when_settled([this, resume] { state_->loop.line_up(resume); }); // behind whoever's change has settled
    });
}

std::uint64_t Journal::last_staged() const { return state_->next_seq - 1; }

bool Journal::is_healthy() const { return state_->is_healthy(); }

} // namespace credlease::audit
