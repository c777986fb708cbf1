#include "broker/broker.hpp"
#include "broker/events.hpp"
#include "broker/expiry.hpp"
#include "crypto/key_file.hpp"
#include "wire/limits.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::refuse;

result::Failure wrong_passphrase() {
    return refuse({.code = ErrorCode::unseal_refused,
                   .sentence = "This is not the passphrase of the store.",
                   .next_step = "Try again; each wrong one makes the next wait longer."});
}

result::Failure wrong_key_file(const std::filesystem::path& file) {
    return refuse({.code = ErrorCode::unseal_refused,
                   .sentence = "The root key file does not hold the key of this store.",
                   .next_step = "Put the right one in its place, then unseal again.",
                   .about = result::PublicText::of(file.native())});
}

} // namespace

runtime::Task<result::Result<>> Broker::seal(Asker asker, bool now) {
    std::vector<std::string> keys{"seal"};
    auto pass = co_await gate_.enter(std::move(keys));
    if (!house_) co_return result::Result<>();
    house_->events->sealing();
    if (now) {
        house_->gives_up = true;
        parts_.outbound.give_up();
    }
    co_await quiet_house();
    end_leases(*house_, {}, vocabulary::EndReason::sealed);
    auto record = record_of(asker, vocabulary::Action::broker_sealed);
    auto written = co_await house_->journal->append_durably(record);
    co_await close_house();
    phase_ = Phase::sealed;
    parts_.tell_seal(SealEvent::sealed, *asker.peer);
    if (!written) co_return refuse(std::move(written.error()));
    co_return result::Result<>();
}

result::Result<> Broker::check_delay(std::uint32_t uid) const {
    const auto at = delays_.find(uid);
    if (at == delays_.end() || at->second.until <= parts_.clock.boot()) return {};
    const auto left = std::chrono::ceil<std::chrono::seconds>(at->second.until - parts_.clock.boot());
    return refuse({.code = ErrorCode::rate_limited,
                   .sentence = "Too many wrong passphrases.",
                   .next_step = "Wait, then try again.",
                   .retry_after_seconds = static_cast<std::uint32_t>(left.count())});
}

void Broker::note_refused_unseal(const attestation::Peer& peer, const result::Error& error) {
    parts_.tell_seal(SealEvent::refused, peer);
    if (error.code != ErrorCode::unseal_refused) {
        parts_.tell_problem(error); // the broker's own, and no guess at the key
        return;
    }
    sealed_log_.note_refused_unseal();
    auto& delay = delays_[peer.uid];
    delay.failures = std::min<std::uint32_t>(delay.failures + 1, 6);
    const auto wait = std::min<std::chrono::milliseconds>(std::chrono::milliseconds(500) * (1 << delay.failures),
                                                          wire::limits::unseal_delay_most);
    delay.until = parts_.clock.boot() + wait;
}

runtime::Task<result::Result<crypto::RootKey>> Broker::root_key_from(secret::SecretBuffer passphrase,
                                                                     crypto::PassphraseParameters parameters) {
    auto derive = [&] { return crypto::derive_root_key(passphrase, parameters, parts_.arena); };
    auto root = co_await parts_.bulk.run(std::move(derive));
    if (!root) co_return refuse(std::move(root.error()));
    if (seal_ && !crypto::is_the_key_of(*root, seal_->check)) co_return wrong_passphrase();
    co_return std::move(*root);
}

void Broker::note_unsealed(vocabulary::AuditRecord record) {
    const auto counts = sealed_log_.read();
    const auto detail = "while sealed: " + std::to_string(counts.starts) + " starts, " + std::to_string(counts.stops) +
                        " stops, " + std::to_string(counts.refused_unseals) + " refused unseals";
    record.action = vocabulary::Action::broker_unsealed;
    record.detail = detail;
    house_->journal->note(record);
    house_->journal->flush();
    sealed_log_.clear();
}

runtime::Task<result::Result<>> Broker::unseal(Asker asker, secret::SecretBuffer passphrase) {
    const auto uid = asker.peer->uid;
    if (auto may = check_delay(uid); !may) co_return may;
    std::vector<std::string> keys{"seal"};
    auto pass = co_await gate_.enter(std::move(keys));
    if (house_) co_return result::Result<>();             // unsealing the unsealed succeeds
    if (auto may = check_delay(uid); !may) co_return may; // others may have tried meanwhile
    SealFile seal = seal_.value_or(SealFile());
    result::Result<crypto::RootKey> root;
    if (rules_.settings->seal.method == settings::SealMethod::key_file) {
        const auto& key_file = rules_.settings->seal.key_file;
        root = crypto::read_key_file(key_file, parts_.arena);
        if (root && !crypto::is_the_key_of(*root, seal_->check)) root = wrong_key_file(key_file);
    } else if (passphrase.empty()) {
        co_return refuse(result::invalid("passphrase", "The store is sealed with a passphrase: give it."));
    } else {
        if (!seal_) seal.passphrase = crypto::make_passphrase_parameters();
        root = co_await root_key_from(std::move(passphrase), seal.passphrase);
    }
    if (!root) {
        note_refused_unseal(*asker.peer, root.error());
        co_return refuse(std::move(root.error()));
    }
    delays_.erase(uid);
    if (auto opened = open_house(std::move(*root), seal); !opened) {
        note_refused_unseal(*asker.peer, opened.error());
        co_return refuse(std::move(opened.error()));
    }
    co_await begin();
    note_unsealed(record_of(asker, vocabulary::Action::broker_unsealed));
    parts_.tell_seal(SealEvent::unsealed, *asker.peer);
    co_return result::Result<>();
}

} // namespace credlease::broker
