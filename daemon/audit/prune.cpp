#include "audit/checkpoint.hpp"
#include "audit/hex.hpp"
#include "audit/state.hpp"
#include "runtime/suspend.hpp"

#include <map>
#include <numeric>

namespace credlease::audit {
namespace {

using Key = std::pair<store::Table, std::string>;

/// What is to go, as the `bulk` worker found it.
struct Plan {
    std::vector<SegmentFile> segments;
    std::uint64_t last = 0;          ///< record
    mac::Digest chain{};             ///< of it
    std::map<Key, store::Live> left; ///< records of the store that these segments tell of
    bool is_sound = true;
};

std::uint64_t size_of(const SegmentFile& file) {
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file.path, ignored);
    return ignored ? 0 : size;
}

/// How many of the oldest are older than `before` in all their records, or beyond `max_size`; never the last.
std::size_t count_due(const std::vector<SegmentFile>& segments, const mac::ChainMac& mac, vocabulary::Time before,
                      std::uint64_t max_size) {
    std::uint64_t size = 0;
    for (const auto& file : segments) size += size_of(file);
    std::size_t due = 0;
    for (; due + 1 < segments.size(); ++due) {
        const auto next = SegmentReader::open(segments[due + 1], mac);
        const bool is_old = next && next->header().created < before;
        const bool is_beyond = next && max_size != 0 && size > max_size;
        if (!is_old && !is_beyond) break;
        size -= size_of(segments[due]);
    }
    return due;
}

/// What they tell of leases is told by the checkpoint behind them from then on: where that is not safe, fewer go.
Plan make_plan(const std::filesystem::path& directory, const mac::ChainMac& mac, vocabulary::Time before,
               std::uint64_t max_size) {
    Plan plan;
    auto segments = list_segments(directory);
    std::size_t due = count_due(segments, mac, before, max_size);
    while (due > 0 && !Checkpoint::is_safe(segments[due], mac)) --due;
    if (due == 0) return plan;
    const auto next = SegmentReader::open(segments[due], mac);
    if (!next) return plan;
    plan.last = next->header().first - 1;
    plan.chain = next->header().chain_before;
    segments.resize(due);
    plan.segments = std::move(segments);
    return plan;
}

/// The last that the segments say of each record of the store.
void read_steps(Plan& plan, const Keys& keys) {
    LogReader log(plan.segments, keys.chain);
    Frame frame;
    auto next = log.next(frame);
    for (; next == SegmentReader::Next::frame; next = log.next(frame)) {
        if (frame.kind == FrameKind::record) continue;
        const auto note = read_note(frame.kind, frame.payload, keys.head);
        if (!note) break;
        for (const auto& step : note->steps) {
            Key key{step.table, std::string(step.key)};
            if (!step.element) {
                plan.left.erase(key);
            } else {
                plan.left.insert_or_assign(std::move(key), store::Live{step.revision, *step.element});
            }
        }
    }
    plan.is_sound = next == SegmentReader::Next::end && log.expected() == plan.last + 1;
}

/// Those that are still live as the segments say: nobody else will tell of them once the segments are gone.
std::vector<store::Step> find_carried(const store::Store& store, const Plan& plan) {
    std::vector<store::Step> carried;
    for (const auto& [key, live] : plan.left) {
        const auto now = store.find(key.first, key.second);
        if (!now || now->revision != live.revision || now->element != live.element) continue;
        carried.push_back({.table = key.first, .key = key.second, .revision = live.revision, .element = live.element});
    }
    return carried;
}

bool remove(const std::filesystem::path& directory, const Plan& plan) {
    std::error_code ignored;
    for (const auto& file : plan.segments) {
        std::filesystem::remove(index_path(file.path), ignored);
        std::filesystem::remove(checkpoint_path(file.path), ignored);
        std::filesystem::remove(file.path, ignored);
    }
    return sync_directory(directory);
}

} // namespace

runtime::Task<result::Result<>> Journal::prune(vocabulary::Duration keep, std::uint64_t max_size,
                                               runtime::Worker& bulk) {
    const vocabulary::Time before = state_->clock.wall() - keep;
    const auto plan = std::make_shared<Plan>();
    co_await bulk.run([state = state_.get(), plan, before, max_size] {
        *plan = make_plan(state->options.directory, state->keys.chain, before, max_size);
        if (!plan->segments.empty()) read_steps(*plan, state->keys);
    });
    if (plan->segments.empty() || plan->last > state_->head.seq) co_return result::Result<>{};
    if (!plan->is_sound) {
        co_return result::refuse({.code = result::ErrorCode::damaged,
                                  .sentence = "What is to be pruned from the audit log does not verify: it is kept.",
                                  .next_step = "Run `credlease audit verify`.",
                                  .about = result::PublicText::of("up to record " + std::to_string(plan->last))});
    }
    const std::string detail = "records " + std::to_string(plan->segments.front().first) + " to " +
                               std::to_string(plan->last) + ", chain " + hex_of(plan->chain);
    vocabulary::AuditRecord record{.action = vocabulary::Action::log_pruned, .detail = detail};
    result::Result<std::uint64_t> recorded;
    co_await runtime::suspend(state_->loop, [&](runtime::Resume resume) {
        state_->carry(record, find_carried(state_->store, *plan), plan->last,
                      [&recorded, resume](result::Result<std::uint64_t> told) {
                          recorded = std::move(told);
                          resume();
                      });
    });
    if (!recorded) co_return result::refuse(std::move(recorded.error()));
    co_await bulk.run([state = state_.get(), plan] { return remove(state->options.directory, *plan); });
    co_return result::Result<>{};
}

} // namespace credlease::audit
