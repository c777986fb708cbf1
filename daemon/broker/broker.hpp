#pragma once

#include "audit/sealed_log.hpp"
#include "broker/asker.hpp"
#include "broker/parts.hpp"
#include "broker/seal_file.hpp"
#include "broker/unsealed.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

namespace credlease::broker {

enum class Phase : std::uint8_t { starting, ready, sealed, sealing };
[[nodiscard]] std::string_view name_of(Phase phase);

/// Owns the store and, while unsealed, everything that keys are needed for. Seals, unseals, reloads and stops.
class Broker {
  public:
    /// Opens the store. To be followed by `begin`. With a key file it unseals at once, making the key and the store's
    /// first keys where nothing is stored yet; with a passphrase it starts sealed. A wrong, missing or badly kept key
    /// refuses and writes nothing.
    [[nodiscard]] static result::Result<std::unique_ptr<Broker>> start(Parts parts, Rules rules);
    /// What lies in DATA/rescue goes into the store before anybody is served; a store that still refuses it, or hangs,
    /// is not waited for long.
    [[nodiscard]] runtime::Task<> begin();
    ~Broker();
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    [[nodiscard]] Phase phase() const { return phase_; }
    /// nullptr unless ready.
    [[nodiscard]] Unsealed* house() { return phase_ == Phase::ready ? house_.get() : nullptr; }
    [[nodiscard]] const Rules& rules() const { return rules_; }
    [[nodiscard]] const Parts& parts() const { return parts_; }
    [[nodiscard]] store::Store& store() { return *store_; }
    /// Token sets that providers gave and that are on no disk yet.
    [[nodiscard]] std::size_t unkept_tokens() const { return house_ ? house_->unkept_tokens : 0; }
    /// Who a peer is; while sealed by the config alone (no directory, no grants).
    [[nodiscard]] result::Result<access::CallerRef> find_caller(const attestation::Peer& peer,
                                                                access::Callers::Claims claims);
    /// `status`'s "root_key": "file", "passphrase" or "unset".
    [[nodiscard]] std::string_view root_key_word() const;

    /// `unseal_refused` (and a growing delay per uid, at most 30 s); the first passphrase of an empty store sets it.
    [[nodiscard]] runtime::Task<result::Result<>> unseal(Asker asker, secret::SecretBuffer passphrase);
    /// Refuses new work, waits for token requests under way (`now`: they end at once, in doubt), ends all leases,
    /// syncs, wipes the keys. Sealing the sealed succeeds.
    [[nodiscard]] runtime::Task<result::Result<>> seal(Asker asker, bool now);
    /// New settings and catalog. Rules that are no more end their leases and grants.
    void reload(Rules rules);
    /// A reload that was refused, and why ("FILE:LINE: …"): `status` tells it until one succeeds.
    void note_refused_reload(result::PublicText why) { refused_reload_ = std::move(why); }
    [[nodiscard]] const result::PublicText& refused_reload() const { return refused_reload_; }
    /// Everything staged is on the disk, the head names it; leases live on.
    [[nodiscard]] runtime::Task<> stop();

  private:
    Broker(Parts parts, Rules rules, std::unique_ptr<store::Store> store);
    [[nodiscard]] result::Result<> start_with_key_file(std::optional<crypto::RootKey> root);
    [[nodiscard]] result::Result<> set_seal(const crypto::RootKey& root, SealFile seal);
    [[nodiscard]] result::Result<> go_on_with_first_start(const crypto::RootKey& root);
    [[nodiscard]] runtime::Task<result::Result<crypto::RootKey>> root_key_from(secret::SecretBuffer passphrase,
                                                                               crypto::PassphraseParameters parameters);
    /// The first time it makes the store this key's own, as `seal` says; when that fails, the store is as unset as
    /// before.
    [[nodiscard]] result::Result<> open_house(crypto::RootKey root, const SealFile& seal);
    [[nodiscard]] result::Result<> enter_house(crypto::RootKey root);
    void note_unsealed(vocabulary::AuditRecord record);
    [[nodiscard]] result::Result<> check_delay(std::uint32_t uid) const;
    void note_refused_unseal(const attestation::Peer& peer, const result::Error& error);
    [[nodiscard]] runtime::Task<> quiet_house();
    [[nodiscard]] runtime::Task<> close_house();

    Parts parts_;
    Rules rules_;
    result::PublicText refused_reload_; ///< empty: the last one was taken
    std::unique_ptr<store::Store> store_;
    store::Rescue rescue_;
    std::optional<SealFile> seal_;
    audit::SealedLog sealed_log_;
    Phase phase_ = Phase::starting;
    std::unique_ptr<Unsealed> house_;
    access::Directory no_directory_;
    access::Grants no_grants_{mac::GrantMac()};
    access::Callers sealed_callers_;
    runtime::Gate gate_; ///< one derivation, seal or unseal at a time

    struct Delay {
        std::uint32_t failures = 0;
        runtime::BootTime until{};
    };
    std::map<std::uint32_t, Delay> delays_; ///< by uid
};

} // namespace credlease::broker
