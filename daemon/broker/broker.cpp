#include "broker/broker.hpp"

#include "broker/authorizations.hpp"
#include "broker/clock_warnings.hpp"
#include "broker/events.hpp"
#include "broker/expiry.hpp"
#include "broker/first_start.hpp"
#include "broker/grants.hpp"
#include "broker/refresher.hpp"
#include "broker/wall_watch.hpp"
#include "crypto/key_file.hpp"

#include <tuple>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::PublicText;
using result::refuse;

constexpr std::chrono::seconds rescued_may_take{2}; ///< of a start or unseal

result::Failure wrong_key(const settings::Settings& settings) {
    return refuse(
        {.code = ErrorCode::configuration,
         .sentence = "The root key is not the one that this store was made with. Nothing was written.",
         .next_step = "Put the right key file in its place, or name the data folder that is this key's.",
         .about = PublicText::of(settings.seal.key_file.native() + " for the store " + settings.places.data.native())});
}

result::Failure method_differs(const settings::Settings& settings, settings::SealMethod made_with) {
    return refuse(
        {.code = ErrorCode::configuration,
         .sentence = "The config names another seal method than the store was made with. Nothing was written.",
         .next_step = "Set [seal] method to the store's own.",
         .about = PublicText::of(seal_file_in(settings.places.data).native() + ": " +
                                 std::string(settings::name_of(made_with)))});
}

/// The key file's root key, before anything is opened for writing; nullopt where the first one is still to be made.
result::Result<std::optional<crypto::RootKey>>
find_root_key(const settings::Settings& settings, const std::optional<SealFile>& seal, secret::Arena& arena) {
    const auto& place = settings.seal;
    std::error_code failed;
    if (!seal && place.may_make_key && !std::filesystem::exists(place.key_file, failed)) return std::nullopt;
    auto root = crypto::read_key_file(place.key_file, arena);
    if (!root) return refuse(std::move(root.error()));
    if (seal && !crypto::is_the_key_of(*root, seal->check)) return wrong_key(settings);
    return std::optional(std::move(*root));
}

} // namespace

std::string_view name_of(Phase phase) {
    switch (phase) {
    case Phase::starting:
        return "starting";
    case Phase::ready:
        return "ready";
    case Phase::sealed:
        return "sealed";
    case Phase::sealing:
        return "sealing";
    }
    return "";
}

Broker::Broker(Parts parts, Rules rules, std::unique_ptr<store::Store> store)
    : parts_(parts), rules_(std::move(rules)), store_(std::move(store)),
      rescue_(rules_.settings->places.data / "rescue"), sealed_log_(rules_.settings->places.data / "sealed.log"),
      sealed_callers_(rules_.settings, no_directory_, no_grants_), gate_(parts_.loop) {}

Broker::~Broker() = default;

result::Result<std::unique_ptr<Broker>> Broker::start(Parts parts, Rules rules) {
    const auto& settings = *rules.settings;
    const auto data = settings.places.data;
    auto seal = read_seal_file(data);
    if (!seal) return refuse(std::move(seal.error()));
    const auto method = settings.seal.method;
    if (*seal && (*seal)->method != method) return method_differs(settings, (*seal)->method);
    if (auto may = *seal ? result::Result<>() : check_first_start(settings); !may)
        return refuse(std::move(may.error()));
    std::optional<crypto::RootKey> root;
    if (method == settings::SealMethod::key_file) {
        auto found = find_root_key(settings, *seal, parts.arena);
        if (!found) return refuse(std::move(found.error()));
        root = std::move(*found);
    }
    auto store = store::Store::open(data);
    if (!store) return refuse(std::move(store.error()));
    if (!*seal && !(*store)->is_empty()) return no_seal_file(data);
    std::unique_ptr<Broker> broker(new Broker(parts, std::move(rules), std::move(*store)));
    broker->seal_ = std::move(*seal);
    if (auto made = broker->rescue_.open(); !made) parts.tell_problem(made.error()); // it is tried again when needed
    if (method == settings::SealMethod::passphrase) {
        broker->sealed_log_.note_start();
        broker->phase_ = Phase::sealed;
        return broker;
    }
    if (auto started = broker->start_with_key_file(std::move(root)); !started)
        return refuse(std::move(started.error()));
    return broker;
}

result::Result<> Broker::start_with_key_file(std::optional<crypto::RootKey> root) {
    if (!root) {
        const auto& key_file = rules_.settings->seal.key_file;
        if (auto made = crypto::make_key_file(key_file, parts_.arena); !made) return made;
        auto read = crypto::read_key_file(key_file, parts_.arena);
        if (!read) return refuse(std::move(read.error()));
        root = std::move(*read);
    }
    if (auto opened = open_house(std::move(*root), {}); !opened) return opened;
    // It was stopped while it was sealed: this start unseals it.
    if (sealed_log_.read() != audit::SealedLog::Counts{}) {
        vocabulary::AuditRecord record;
        record.principal = vocabulary::by_itself;
        note_unsealed(record);
    }
    return {};
}

result::Result<> Broker::set_seal(const crypto::RootKey& root, SealFile seal) {
    const auto& settings = *rules_.settings;
    if (auto may = check_first_start(settings); !may) return may;
    if (auto made = crypto::make_folder_of(settings.audit.head_file); !made) return made;
    seal.method = settings.seal.method;
    seal.check = crypto::check_value(root);
    seal_ = seal; // whatever fails from here on is taken back
    if (auto written = write_seal_file(settings.places.data, seal); !written) return written;
    return make_store_keys(root, *store_, parts_.arena);
}

/// A start that was cut off behind its seal file is gone on with.
result::Result<> Broker::go_on_with_first_start(const crypto::RootKey& root) {
    const bool has_begun_only = store_->is_empty() && !holds_log(rules_.settings->places.data);
    if (!has_begun_only || has_store_keys(*store_)) return {};
    return make_store_keys(root, *store_, parts_.arena);
}

result::Result<> Broker::open_house(crypto::RootKey root, const SealFile& seal) {
    const bool is_first = !seal_;
    auto opened = is_first ? set_seal(root, seal) : go_on_with_first_start(root);
    if (opened) opened = enter_house(std::move(root));
    if (!opened && is_first && std::exchange(seal_, std::nullopt)) take_back_first_start(*rules_.settings);
    return opened;
}

result::Result<> Broker::enter_house(crypto::RootKey root) {
    auto house = open_with(std::move(root), parts_, rules_, *store_, rescue_);
    if (!house) return refuse(std::move(house.error()));
    house_ = std::move(*house);
    return {};
}

runtime::Task<> Broker::begin() {
    if (!house_) co_return;
    co_await house_->refresher->settle_all(parts_.clock.boot() + rescued_may_take);
    phase_ = Phase::ready;
}

result::Result<access::CallerRef> Broker::find_caller(const attestation::Peer& peer, access::Callers::Claims claims) {
    if (house_) return house_->callers->find(peer, claims, house_->time.now());
    if (!claims.grant.empty()) {
        return refuse({.code = ErrorCode::sealed,
                       .sentence = "The broker is sealed: it cannot tell whose grant this is.",
                       .next_step = "An operator unseals it (credlease unseal)."});
    }
    return sealed_callers_.find(peer, claims, parts_.clock.wall());
}

std::string_view Broker::root_key_word() const {
    if (rules_.settings->seal.method == settings::SealMethod::key_file) return "file";
    return seal_ ? "passphrase" : "unset";
}

void Broker::reload(Rules rules) {
    auto settings = std::make_shared<settings::Settings>(*rules.settings);
    // What the store was opened with holds until a restart: by another method or place it could not be unsealed again.
    settings->seal = rules_.settings->seal;
    settings->audit.head_file = rules_.settings->audit.head_file;
    rules.settings = std::move(settings);
    rules_ = std::move(rules);
    refused_reload_ = {};
    std::ignore = sealed_callers_.reload(rules_.settings);
    if (!house_) return;
    house_->rules = rules_;
    house_->book.set_per_principal(rules_.settings->leases.per_principal);
    for (const auto& principal : house_->callers->reload(rules_.settings)) {
        end_leases(*house_, {.principal = principal}, vocabulary::EndReason::scope_changed);
        for (const auto* grant : house_->grants->minted_by(principal)) {
            house_->tasks.start(end_grant(*house_, grant->id, vocabulary::Action::grant_ended));
        }
    }
    house_->events->look_again();
}

/// Changes under way end by themselves; those that wait for their turn are refused; nothing new begins.
runtime::Task<> Broker::quiet_house() {
    phase_ = Phase::sealing;
    house_->is_closing = true;
    for (const auto call : {house_->expiry_call, house_->prune_call}) {
        if (call != 0) parts_.clock.cancel(call);
    }
    house_->events->quiet();
    house_->refresher->quiet();
    house_->authorizations->quiet();
    house_->clock_warnings->quiet();
    house_->wall_watch->quiet();
    co_await house_->tasks.drain();
    house_->authorizations->end_all("The broker was sealed or stopped.");
    house_->refusals->flush();
}

/// After its last record.
runtime::Task<> Broker::close_house() {
    house_->holders.reset();
    parts_.outbound.close_kept();
    co_await house_->journal->close();
    co_await house_->tasks.drain(); // closing may have begun a segment, which has its checkpoint made
    parts_.anchor(house_->journal->head_text());
    house_.reset();
    store_->unload();
}

runtime::Task<> Broker::stop() {
    auto pass = co_await gate_.enter({"seal"});
    if (!house_) {
        sealed_log_.note_stop();
        co_return;
    }
    co_await quiet_house();
    vocabulary::AuditRecord stopped;
    stopped.action = vocabulary::Action::broker_stopped;
    stopped.principal = vocabulary::by_itself;
    auto written = co_await house_->journal->append_durably(stopped);
    (void)written; // a log that takes nothing more cannot keep the daemon from stopping
    co_await close_house();
}

} // namespace credlease::broker
