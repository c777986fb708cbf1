#include "running.hpp"

#include "check_config.hpp"

#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <unistd.h>

namespace credlease {
namespace {

using namespace std::chrono_literals;

constexpr auto anchor_every = 60s;
constexpr auto replies_may_take = 1000ms; ///< of a stop
constexpr auto stop_may_take = 1900ms;    ///< then the disk hangs and the process goes without it
constexpr auto look_again_after = 500ms;  ///< … unless a provider's answer is waited for, or its tokens for the store

outbound::Options outbound_options(const settings::Settings::Outbound& settings) {
    return {.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(settings.timeout),
            .ca_file = settings.ca_file,
            .allow_private = settings.allow_private,
            .allowed_hosts = settings.allowed_hosts};
}

/// Of the thread that syncs: leases wait for it where they are to be on the disk before they are answered.
runtime::Worker::Place commit_place(const settings::Settings::Audit& settings) {
    using Place = runtime::Worker::Place;
    return settings.durability == settings::Durability::disk ? Place::among_leases : Place::behind_leases;
}

} // namespace

struct Running::Signals {
    explicit Signals(boost::asio::io_context& context) : set(context, SIGTERM, SIGINT, SIGHUP) {}
    boost::asio::signal_set set;
};

Running::Running(settings::Flags flags, std::shared_ptr<const settings::Settings> settings,
                 std::unique_ptr<secret::Arena> arena, logs::Log& log)
    : flags_(std::move(flags)), settings_(std::move(settings)), arena_(std::move(arena)), log_(log),
      supervisor_(supervisor::Supervisor::from_environment()), clock_(runtime::make_system_clock(loop_)),
      log_worker_(loop_, "log"), commit_worker_(loop_, "commit", commit_place(settings_->audit)),
      bulk_worker_(loop_, "bulk", runtime::Worker::Place::behind_leases), tasks_(loop_) {}

Running::~Running() = default;

int Running::run(Doors doors) {
    if (auto opened = open(); !opened) {
        log_.refuse(opened.error());
        return 1;
    }
    tasks_.start(begin(std::move(doors)));
    loop_.run();
    return status_;
}

runtime::Task<> Running::begin(Doors doors) {
    co_await broker_->begin();
    serve(std::move(doors));
    watch_signals();
    supervisor_.ready();
    keep_watchdog();
    log_.info(broker_->phase() == broker::Phase::ready
                  ? result::StaticText("Ready.")
                  : result::StaticText("Ready, and sealed: unseal with credlease unseal."),
              {{"lease_socket", result::PublicText::of((settings_->places.runtime / "lease.sock").native())}});
}

result::Result<> Running::open() {
    auto catalog = catalog::Catalog::load(settings_->catalog.dir);
    if (!catalog) return std::unexpected(std::move(catalog.error()));
    tell_warnings(**catalog);
    auto outbound = outbound::Client::make(loop_, *arena_, outbound_options(settings_->outbound));
    if (!outbound) return std::unexpected(std::move(outbound.error()));
    outbound_ = std::move(*outbound);
    auto broker = broker::Broker::start(
        {.loop = loop_,
         .clock = *clock_,
         .arena = *arena_,
         .log = log_worker_,
         .commit = commit_worker_,
         .bulk = bulk_worker_,
         .outbound = *outbound_,
         .anchor = [this](const std::string& head) { say_head(head); },
         .tell_problem = [this](const result::Error& error) { log_.refuse(error); },
         .tell_rescued =
             [this](const vocabulary::CredentialId& credential) {
                 log_.warn("The store refused a credential's new tokens: they lie in DATA/rescue until it takes them.",
                           {{"credential", result::PublicText::of(credential.text())}});
             },
         .tell_failing = [this](const vocabulary::Credential& credential) { say_failing(credential); },
         .tell_seal = [this](broker::SealEvent event, const attestation::Peer& by) { say_seal(event, by); },
         .tell_ending = [this](const broker::EndingClock& ending) { say_ending(ending); },
         .await_browsers = [this](bool are_awaited) { return console_->await_browsers(are_awaited); }},
        {.settings = settings_, .catalog = std::move(*catalog), .loaded_at = clock_->wall()});
    if (!broker) return std::unexpected(std::move(broker.error()));
    broker_ = std::move(*broker);
    console_ = std::make_unique<console::Console>(*broker_);
    for (const auto& damaged : broker_->store().damaged()) {
        log_.say(logs::Level::error,
                 "A stored record failed its authentication. It is refused and left as it is; the others serve on.",
                 {{"table", result::PublicText::of(store::name_of(damaged.table))},
                  {"record", result::PublicText::of(damaged.key)}});
    }
    return {};
}

void Running::tell_warnings(const catalog::Catalog& catalog) {
    for (const auto& warning : find_warnings(*settings_, catalog))
        log_.warn("Config:", {{"warning", result::PublicText::of(warning)}});
}

void Running::serve(Doors doors) {
    api_ = std::make_unique<api::Api>(*broker_);
    routes_ = std::make_unique<api::Routes>(api_->routes());
    listener_ = std::make_unique<api::Listener>(
        loop_, *clock_, *arena_, *routes_,
        api::Listener::Options{
            .connections_per_uid = settings_->limits.connections_per_uid,
            .listeners_per_uid = settings_->limits.listeners_per_uid,
            .end_of_turn = [this] { end_of_turn(); },
            .is_sealed = [this] { return broker_->house() == nullptr; },
            .refused = [this](const attestation::Peer& peer, std::string_view code) { note_refused(peer.uid, code); },
            .broken =
                [this](std::string_view what) {
                    log_.say(logs::Level::error, "A request broke off inside the broker.",
                             {{"what", result::PublicText::of(what)}});
                }});
    own_sockets_ = !doors.passed;
    listener_->add(api::Door::lease, std::move(doors.lease));
    listener_->add(api::Door::admin, std::move(doors.admin));
}

/// Who connects in vain again and again must not fill the log: one line a second, and how many there were.
void Running::note_refused(std::uint32_t uid, std::string_view code) {
    if (refused_call_ != 0) {
        ++refused_since_;
        return;
    }
    log_.warn("A connection was refused.", {{"code", result::PublicText::of(code)}, {"uid", std::uint64_t{uid}}});
    refused_call_ = clock_->call_at(clock_->boot() + 1s, [this] {
        refused_call_ = 0;
        const auto more = std::exchange(refused_since_, 0);
        if (more != 0) log_.warn("More connections were refused within a second.", {{"count", more}});
    });
}

void Running::end_of_turn() {
    auto* house = broker_->house();
    if (house == nullptr) return;
    house->journal->flush();
    if (anchor_call_ == 0 && house->journal->last_staged() != anchored_) {
        anchor_call_ = clock_->call_at(clock_->boot() + anchor_every, [this] {
            anchor_call_ = 0;
            drop_anchor();
        });
    }
}

void Running::drop_anchor() {
    auto* house = broker_->house();
    if (house == nullptr || house->journal->last_staged() == anchored_) return;
    anchored_ = house->journal->last_staged();
    say_head(house->journal->head_text());
}

void Running::say_head(const std::string& head) { log_.info("audit head", {{"head", result::PublicText::of(head)}}); }

void Running::say_ending(const broker::EndingClock& ending) {
    const bool is_clients = ending.credential.empty();
    const logs::Field what{"credential", result::PublicText::of(is_clients ? "-" : ending.credential)};
    constexpr result::StaticText of_client = "The secret of the organization's OAuth client ends before long.";
    constexpr result::StaticText of_grant = "A clock of a credential's grant ends before long.";
    log_.warn(is_clients ? of_client : of_grant,
              {{"service", result::PublicText::of(ending.service)},
               what,
               {"clock", result::PublicText::of(ending.clock)},
               {"ends_at", result::PublicText::of(vocabulary::text_of(ending.ends_at))}});
}

void Running::say_failing(const vocabulary::Credential& credential) {
    log_.warn("A credential got no new token.",
              {{"service", result::PublicText::of(credential.service.text())},
               {"credential", result::PublicText::of(credential.id.text())},
               {"status", result::PublicText::of(vocabulary::name_of(credential.status))},
               {"why", result::PublicText::of(credential.status_reason)}});
}

void Running::say_seal(broker::SealEvent event, const attestation::Peer& by) {
    const bool is_refused = event == broker::SealEvent::refused;
    const auto sentence = is_refused ? result::StaticText("An unseal was refused.")
                          : event == broker::SealEvent::sealed
                              ? result::StaticText("Sealed: the leases are ended, the keys are wiped.")
                              : result::StaticText("Unsealed.");
    log_.say(is_refused ? logs::Level::warning : logs::Level::info, sentence,
             {{"uid", std::uint64_t{by.uid}}, {"pid", static_cast<std::uint64_t>(by.pid)}});
}

void Running::watch_signals() {
    if (!signals_) signals_ = std::make_unique<Signals>(loop_.context());
    signals_->set.async_wait([this](const boost::system::error_code& failed, int signal) {
        if (failed) return;
        signal == SIGHUP ? reload() : stop();
        if (!stopping_) watch_signals();
    });
}

void Running::reload() {
    supervisor_.reloading();
    auto read = settings::read_settings(flags_);
    auto catalog = read ? catalog::Catalog::load(read->catalog.dir)
                        : result::Result<std::shared_ptr<const catalog::Catalog>>(std::unexpected(read.error()));
    if (catalog) {
        if (auto set = outbound_->set(outbound_options(read->outbound)); !set)
            catalog = std::unexpected(std::move(set.error()));
    }
    if (!catalog) {
        log_.refuse(catalog.error());
        log_.warn("The config is wrong: the old one stays in force.");
        const auto& error = catalog.error();
        std::string why = error.about.text() + ": " + std::string(error.sentence.view());
        if (!error.next_step.view().empty()) why.append(" ").append(error.next_step.view());
        broker_->note_refused_reload(result::PublicText::of(why));
        supervisor_.ready();
        return;
    }
    settings_ = std::make_shared<const settings::Settings>(std::move(*read));
    tell_warnings(**catalog);
    broker_->reload({.settings = settings_, .catalog = std::move(*catalog), .loaded_at = clock_->wall()});
    listener_->set_connections_per_uid(settings_->limits.connections_per_uid);
    listener_->set_listeners_per_uid(settings_->limits.listeners_per_uid);
    log_.set(settings_->log.level, settings_->log.json ? logs::Log::Format::json : logs::Log::Format::text);
    log_.info("Reloaded. Places, sockets, seal method and memory change with a restart only.");
    supervisor_.ready();
}

void Running::stop() {
    if (stopping_) return;
    stopping_ = true;
    supervisor_.stopping();
    log_.info("Stopping: requests under way are answered first.");
    go_without_the_disk_after(stop_may_take);
    listener_->stop(clock_->boot() + replies_may_take, [this] { tasks_.start(stop_all()); });
}

/// Tokens that a provider gave and that are on no disk are not left behind (guarantee 7).
void Running::go_without_the_disk_after(std::chrono::milliseconds time) {
    clock_->call_at(clock_->boot() + time, [this] {
        if (outbound_->under_way() > 0 || broker_->unkept_tokens() > 0) {
            return go_without_the_disk_after(look_again_after);
        }
        log_.say(logs::Level::error, "The disk did not take the last records in time: going without.");
        ::_exit(1);
    });
}

runtime::Task<> Running::stop_all() {
    remove_sockets();
    co_await api_->drain();
    co_await broker_->stop();
    co_await console_->close();
    log_.info("Stopped.");
    loop_.stop();
}

void Running::remove_sockets() {
    if (!own_sockets_) return;
    std::error_code ignored; // what is left is a stale socket, which the next start takes over
    for (const auto* name : {"lease.sock", "admin.sock"})
        std::filesystem::remove(settings_->places.runtime / name, ignored);
}

void Running::keep_watchdog() {
    const auto interval = supervisor_.watchdog_interval();
    if (!interval) return;
    supervisor_.alive();
    clock_->call_at(clock_->boot() + std::chrono::duration_cast<std::chrono::milliseconds>(*interval),
                    [this] { keep_watchdog(); });
}

} // namespace credlease
