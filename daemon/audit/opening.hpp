#pragma once

#include "audit/state.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace credlease::audit {

/// A change above the head: not known to be on the disk whole.
struct RecentChange {
    std::uint64_t seq = 0;
    std::uint64_t number = 0;
    std::string payload;
    bool is_disowned = false; ///< the log says that it was not made
    bool is_matched = false;  ///< the store has it
};

/// Why a start is refused: `about` says where the damage lies.
[[nodiscard]] result::Error damaged(result::StaticText sentence, std::string_view about);

/// The start of the journal: reads head, log and the store's copies, decides, and only then writes.
class Opening {
  public:
    using Visit = std::function<void(const vocabulary::AuditRecord&)>;
    Opening(Journal::State& state, const Visit& visit, Replay& replayed)
        : state_(state), visit_(visit), replayed_(replayed) {}

    [[nodiscard]] result::Result<> run();

  private:
    // ---- opening.cpp
    [[nodiscard]] result::Result<> read_head();
    [[nodiscard]] result::Result<> check_begin(bool is_told) const;
    [[nodiscard]] result::Result<> check_segments();
    [[nodiscard]] bool replay_checkpoint();
    [[nodiscard]] result::Result<> read_log();
    [[nodiscard]] result::Result<> take_in(const Frame& frame, const mac::Digest& chain);
    [[nodiscard]] result::Result<> end_of_log(SegmentReader::Next last, const LogReader& log);

    // ---- reconcile.cpp
    [[nodiscard]] result::Result<> reconcile();
    [[nodiscard]] result::Result<> read_copies();
    [[nodiscard]] Head head_by_log() const;
    [[nodiscard]] result::Result<> match_copies();
    [[nodiscard]] result::Result<> check_store();
    [[nodiscard]] result::Error missing_change(std::uint64_t number) const;

    // ---- settling.cpp
    [[nodiscard]] result::Result<> settle();
    [[nodiscard]] bool cut_tail();
    [[nodiscard]] bool append_missing();
    [[nodiscard]] bool sync();
    [[nodiscard]] result::Result<> open_head();
    [[nodiscard]] result::Result<> write_head(const Reach& reach);
    void show(std::uint64_t seq, std::span<std::byte> frame);

    Journal::State& state_;
    const Visit& visit_;
    Replay& replayed_;

    std::optional<Head> head_; ///< nullopt: an empty log, or the operator gave the head up
    std::uint64_t synced_ = 0; ///< the last record that the head's file vouches for
    std::vector<SegmentFile> segments_;
    std::size_t first_to_read_ = 0; ///< index
    std::size_t last_segment_ = 0;  ///< index of the one in which the log ends
    Mark end_{.seq = 1, .offset = 0, .chain = {}};
    vocabulary::Action last_action_ = vocabulary::Action::broker_stopped;
    vocabulary::Time last_time_{};
    std::vector<RecentChange> recent_;
    struct Copy {
        std::uint64_t number = 0;
        std::string payload; ///< empty: it is damaged
    };
    std::vector<Copy> copies_;
    std::uint64_t changes_ = 0;        ///< that are made, in log and store
    mac::Digest expected_{};           ///< state of the store after them
    std::vector<std::string> missing_; ///< changes that the store has and the log lacks: payloads
};

/// Finds, from the log alone, which records of the store are not as they were left by change `number`, and sets them
/// aside. False when that does not explain the state that the store is in.
/// `beyond`: payloads of changes that the log does not hold yet.
[[nodiscard]] bool locate_damage(Journal::State& state, std::uint64_t number, const mac::Digest& expected,
                                 const std::vector<std::string>& beyond);

} // namespace credlease::audit
