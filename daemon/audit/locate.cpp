#include "audit/opening.hpp"

#include <map>

namespace credlease::audit {
namespace {

using Key = std::pair<store::Table, std::string>;

/// What the log says that the store holds: nullopt where a record was erased.
class Expectation {
  public:
    explicit Expectation(const mac::HeadMac& mac) : mac_(mac) {}

    /// A change that was not made leaves its number to the next one: so when a number comes, those before it are made
    /// and those from it on are not.
    bool take_in(FrameKind kind, Bytes payload) {
        const auto note = read_note(kind, payload, mac_);
        if (!note) return false;
        if (kind == FrameKind::carried) {
            for (const auto& step : note->steps) records_.try_emplace(key_of(step), live_of(step));
            return true;
        }
        settle(note->number - 1);
        pending_.clear();
        auto& steps = pending_[note->number];
        for (const auto& step : note->steps) steps.emplace_back(key_of(step), live_of(step));
        return true;
    }

    /// The changes up to `number` are made.
    void settle(std::uint64_t number) {
        for (auto at = pending_.begin(); at != pending_.end() && at->first <= number; at = pending_.erase(at)) {
            for (auto& [key, live] : at->second) records_.insert_or_assign(std::move(key), live);
        }
    }

    [[nodiscard]] const std::map<Key, std::optional<store::Live>>& records() const { return records_; }

  private:
    static Key key_of(const StepView& step) { return {step.table, std::string(step.key)}; }
    static std::optional<store::Live> live_of(const StepView& step) {
        if (!step.element) return std::nullopt;
        return store::Live{.revision = step.revision, .element = *step.element};
    }

    const mac::HeadMac& mac_;
    std::map<Key, std::optional<store::Live>> records_;
    std::map<std::uint64_t, std::vector<std::pair<Key, std::optional<store::Live>>>> pending_;
};

bool read_expectation(Expectation& expected, const Journal::State& state, std::uint64_t number,
                      const std::vector<std::string>& beyond) {
    LogReader log(list_segments(state.options.directory), state.keys.chain);
    Frame frame;
    while (log.next(frame) == SegmentReader::Next::frame) {
        if (frame.kind != FrameKind::record && !expected.take_in(frame.kind, frame.payload)) return false;
    }
    for (const auto& payload : beyond) {
        if (!expected.take_in(FrameKind::change, mac::bytes_of(payload))) return false;
    }
    expected.settle(number);
    return true;
}

struct Difference {
    Key key;
    std::optional<store::Live> is;
    std::optional<store::Live> should_be;
};

bool same(const std::optional<store::Live>& left, const std::optional<store::Live>& right) {
    if (!left || !right) return !left && !right;
    return left->revision == right->revision && left->element == right->element;
}

std::vector<Difference> compare(const store::Store& store, const Expectation& expected) {
    std::vector<Difference> found;
    for (const auto& [key, live] : expected.records()) {
        const auto is = store.find(key.first, key.second);
        if (!same(is, live)) found.push_back({key, is, live});
    }
    // What the log has never heard of was put there by somebody else.
    for (const auto table : store::set_tables) {
        static_cast<void>(store.scan(table, "", [&](const store::Record& record) {
            Key key{table, std::string(record.key)};
            if (!expected.records().contains(key)) found.push_back({key, store.find(table, record.key), std::nullopt});
            return true;
        }));
    }
    return found;
}

} // namespace

bool locate_damage(Journal::State& state, std::uint64_t number, const mac::Digest& expected,
                   const std::vector<std::string>& beyond) {
    Expectation log_says(state.keys.head);
    if (!read_expectation(log_says, state, number, beyond)) return false;
    const auto differences = compare(state.store, log_says);
    mac::SetHash set = state.store.set_hash();
    for (const auto& difference : differences) {
        if (difference.is) set.toggle(difference.is->element);
        if (difference.should_be) set.toggle(difference.should_be->element);
    }
    const bool is_explained = state_of(state.keys.head, number, set) == expected;
    for (const auto& difference : differences) {
        state.store.set_aside(difference.key.first, difference.key.second, difference.should_be);
    }
    return is_explained;
}

} // namespace credlease::audit
