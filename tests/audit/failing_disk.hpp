#pragma once

#include <cstdint>
#include <string>

namespace credlease::audit::test {

/// What a call on a file goes through in this program (the library's functions are replaced, RocksDB's calls too).
/// `write`: pwrite(2), as log and head are written; `append`: write(2), as the store is.
enum class Call : std::uint8_t { write, append, sync };

/// While it lives, calls of one kind on files whose path contains `part` fail with `error`, `times` times (0: always).
class FailingDisk {
  public:
    FailingDisk(Call call, std::string part, int error, int times = 0);
    FailingDisk(const FailingDisk&) = delete;
    FailingDisk& operator=(const FailingDisk&) = delete;
    ~FailingDisk();

  private:
    Call call_;
};

/// While it lives (or until `let_go`), calls of one kind on files whose path contains `part` do not return.
/// Where a FailingDisk for these calls takes its place, what hung fails as that says.
class HangingDisk {
  public:
    HangingDisk(Call call, std::string part);
    HangingDisk(const HangingDisk&) = delete;
    HangingDisk& operator=(const HangingDisk&) = delete;
    ~HangingDisk() { let_go(); }

    void let_go();
    [[nodiscard]] bool is_reached() const; ///< a call hangs

  private:
    Call call_;
};

/// Ends this process, as if killed, when calls of one kind on such files have been made `after` times.
void die_at(Call call, std::string part, int after);

/// Syncs of such files so far in this process.
[[nodiscard]] std::uint64_t syncs_of(const std::string& part);

} // namespace credlease::audit::test
