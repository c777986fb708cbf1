#pragma once

#include "support/daemon/broker_client.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace credlease::tests {

/// What clients were answered, and so what a broker must still say after it died. A change without an answer may have
/// been made or not, but not in half.
class Answers {
  public:
    /// Before a change is asked for: the thing may become this.
    void may_become(const std::string& id, const std::string& state);
    /// It was answered: this is what the thing is.
    void is(const std::string& id, const std::string& state);
    /// A lease was delivered; `durably`: its record is on the disk (a grant with max_leases).
    void delivered(const std::string& lease, bool durably);

    /// Looks at all things of one kind: each is what it must or may be, and stays what it is found as.
    void look(const std::map<std::string, std::string>& found, const std::string& kind);
    struct Leases {
        std::set<std::string> in_memory, on_disk;
    };
    /// Those that were delivered since the last call.
    [[nodiscard]] Leases take_leases();
    [[nodiscard]] std::size_t changes() const { return changes_; }

  private:
    std::mutex mutex_;
    std::map<std::string, std::set<std::string>> may_be_;
    Leases leases_;
    std::size_t changes_ = 0;
};

/// A broker and those who use it until it dies: credentials are made, edited and deleted, grants minted and withdrawn,
/// leases taken, all of it sealed and unsealed meanwhile.
class CrashLife {
  public:
    explicit CrashLife(Daemon& daemon) : daemon_(daemon) {}

    /// The first start, and what all of them lease.
    void begin();
    /// Uses it for so long; `die` is called in the middle of it, and kills it.
    template <class Die> void use(std::chrono::milliseconds time, Die die) {
        start_using();
        std::this_thread::sleep_for(time);
        die();
        stop_using();
    }
    /// Starts it again: nothing that was answered is lost, nothing is there in half. A power loss may cost the last
    /// leases, and then the log says so.
    void look_again(bool was_power_lost);

    [[nodiscard]] std::size_t changes() const { return answers_.changes(); }
    [[nodiscard]] std::size_t leases() const { return leases_; }
    [[nodiscard]] std::size_t leases_lost() const { return leases_lost_; }

  private:
    void start_using();
    void stop_using();
    void change(int writer);
    void mint_and_withdraw();
    void lease(bool durably);
    void seal_and_unseal();
    void look_at_leases(Client& client, bool was_power_lost);

    Daemon& daemon_;
    Answers answers_;
    std::string counted_grant_; ///< a grant with max_leases
    std::vector<std::thread> users_;
    std::atomic<bool> stop_ = false;
    std::set<std::string> seen_leases_; ///< of the last round
    int round_ = 0;
    std::size_t leases_ = 0, leases_lost_ = 0;
};

} // namespace credlease::tests
