#pragma once

#include "audit/journal.hpp"
#include "mac/mac.hpp"
#include "runtime/clock.hpp"
#include "runtime/task_group.hpp"
#include "secret/arena.hpp"
#include "support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace credlease::audit::test {

using vocabulary::Action;
using vocabulary::AuditRecord;

inline constexpr std::string_view sample_key = "0123456789abcdef0123456789abcdef";

/// Everything that a journal needs, over one data folder: real files, real threads; only time is moved by hand.
/// Opening, closing and opening again is what a start of the daemon does.
class SampleJournal {
  public:
    explicit SampleJournal(std::filesystem::path data, Options options = {});
    ~SampleJournal() { close(); }
    SampleJournal(const SampleJournal&) = delete;
    SampleJournal& operator=(const SampleJournal&) = delete;

    /// Opens store and journal. The error of whichever refused.
    [[nodiscard]] std::optional<result::Error> try_open();
    void open();
    void close();

    /// Runs the loop until `done()`.
    template <class Done> void run_until(Done done) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!done()) {
            BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < end, "nothing more happens");
            loop.context().restart();
            loop.context().run_one_for(std::chrono::milliseconds(5));
        }
    }
    /// Runs a task to its end.
    template <class T> T wait(runtime::Task<T> task) {
        std::optional<T> outcome;
        runtime::TaskGroup group(loop);
        group.start(keep(std::move(task), outcome));
        run_until([&] { return outcome.has_value() && group.size() == 0; });
        return std::move(*outcome);
    }

    /// A change: puts `value` under `key` with the next revision.
    [[nodiscard]] runtime::Task<result::Result<std::uint64_t>> put(std::string key, std::string value);
    [[nodiscard]] runtime::Task<result::Result<std::uint64_t>> erase(std::string key);
    result::Result<std::uint64_t> put_now(std::string key, std::string value) { return wait(put(key, value)); }
    /// A lease's record; its fate goes into `told` under its number.
    [[nodiscard]] result::Result<std::uint64_t> issue(std::string_view run);
    /// Appends and waits until its fate is known.
    bool issue_now(std::string_view run);
    /// Moves time until the head has reached the last record.
    void let_head_follow();

    [[nodiscard]] std::vector<std::string> damaged() const;
    [[nodiscard]] std::filesystem::path log_file(std::size_t index = 0) const; ///< oldest first
    [[nodiscard]] std::filesystem::path last_log_file() const;

    std::filesystem::path data;
    std::string_view audit_key = sample_key; ///< the root key's part
    std::unique_ptr<secret::Arena> arena;
    runtime::Loop loop;
    runtime::HandClock clock;
    std::unique_ptr<runtime::Worker> log, commit, bulk;
    Options options;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<Journal> journal;
    Replay replayed;
    std::vector<std::string> seen;            ///< what the replay showed: "ACTION RUN" or "ACTION DETAIL"
    std::map<std::string, std::string> shown; ///< credentials of the store
    std::map<std::uint64_t, bool> told;       ///< by ticket

  private:
    template <class T> static runtime::Task<> keep(runtime::Task<T> task, std::optional<T>& outcome) {
        outcome.emplace(co_await std::move(task));
    }
    template <class Purpose> mac::Mac<Purpose> make_mac();

    std::uint64_t tickets_ = 0;
};

/// "lease.issued RUN", "log.change_not_made 12"
[[nodiscard]] std::string text_of(const AuditRecord& record);

/// Adds one to the byte at `offset` of a file (from its end, where it is negative).
void flip(const std::filesystem::path& file, std::int64_t offset);

/// The whole log, newest first, through a query.
[[nodiscard]] std::vector<std::string> read_all(const SampleJournal& sample);

} // namespace credlease::audit::test
