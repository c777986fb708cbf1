#pragma once

#include "api/api.hpp"
#include "api/listener.hpp"
#include "broker/broker.hpp"
#include "console/console.hpp"
#include "logs/log.hpp"
#include "outbound/outbound.hpp"
#include "runtime/clock.hpp"
#include "runtime/loop.hpp"
#include "runtime/task_group.hpp"
#include "runtime/worker.hpp"
#include "secret/arena.hpp"
#include "settings/settings.hpp"
#include "supervisor/supervisor.hpp"

#include <memory>

namespace credlease {

/// The two listening sockets, before anyone accepts on them.
struct Doors {
    attestation::Descriptor lease;
    attestation::Descriptor admin;
    bool passed = false; ///< by the service manager, which keeps their files
};

/// One of everything, in the order in which it is made; destroyed in reverse.
class Running {
  public:
    Running(settings::Flags flags, std::shared_ptr<const settings::Settings> settings,
            std::unique_ptr<secret::Arena> arena, logs::Log& log);
    ~Running();

    /// Opens the store, unseals where a key file allows it, serves; returns the exit status once told to stop.
    [[nodiscard]] int run(Doors doors);

  private:
    [[nodiscard]] result::Result<> open();
    void tell_warnings(const catalog::Catalog& catalog);
    [[nodiscard]] runtime::Task<> begin(Doors doors);
    void serve(Doors doors);
    void watch_signals();
    void reload();
    void stop();
    void go_without_the_disk_after(std::chrono::milliseconds time);
    [[nodiscard]] runtime::Task<> stop_all();
    void keep_watchdog();
    void drop_anchor(); ///< the audit head into the log, for an outside witness
    void say_head(const std::string& head);
    void say_ending(const broker::EndingClock& ending);
    void say_failing(const vocabulary::Credential& credential);
    void say_seal(broker::SealEvent event, const attestation::Peer& by);
    void end_of_turn();
    void note_refused(std::uint32_t uid, std::string_view code);
    void remove_sockets();

    settings::Flags flags_;
    std::shared_ptr<const settings::Settings> settings_;
    std::unique_ptr<secret::Arena> arena_;
    logs::Log& log_;
    supervisor::Supervisor supervisor_;
    runtime::Loop loop_;
    std::unique_ptr<runtime::Clock> clock_;
    runtime::Worker log_worker_, commit_worker_, bulk_worker_;
    runtime::TaskGroup tasks_;
    std::unique_ptr<outbound::Client> outbound_; ///< its thread ends before the loop and the arena
    std::unique_ptr<broker::Broker> broker_;
    std::unique_ptr<console::Console> console_;
    std::unique_ptr<api::Api> api_;
    std::unique_ptr<api::Routes> routes_;
    std::unique_ptr<api::Listener> listener_;
    struct Signals;
    std::unique_ptr<Signals> signals_;
    std::uint64_t anchored_ = 0; ///< last sequence number that the log was told
    std::uint64_t anchor_call_ = 0;
    std::uint64_t refused_call_ = 0, refused_since_ = 0;
    bool own_sockets_ = false; ///< their files go when the broker stops
    bool stopping_ = false;
    int status_ = 0;
};

} // namespace credlease
