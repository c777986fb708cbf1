#pragma once

#include "catalog/catalog.hpp"
#include "crypto/crypto.hpp"
#include "mac/mac.hpp"
#include "store/store.hpp"
#include "vault/clients.hpp"
#include "vault/field_set.hpp"
#include "vault/tokens.hpp"
#include "vocabulary/credential.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::vault {

/// A credential as the index holds it: metadata in the clear, the secret fields sealed.
struct Entry {
    vocabulary::Credential credential{};
    std::vector<std::byte> sealed{};           ///< the current version's secret fields; empty: their record is damaged
    std::array<std::uint8_t, 8> fingerprint{}; ///< keyed, of the secret fields' plaintext
    std::optional<vocabulary::Time> last_used_at{};
    std::shared_ptr<const HeldTokens> tokens{}; ///< of OAuth; nullptr: not connected, or their record is damaged
};
/// Of what a lease of it hands out: the access tokens, where it has any, else the secret fields.
[[nodiscard]] const std::array<std::uint8_t, 8>& leased_fingerprint(const Entry& entry);

/// As a person is shown it: a credential past its `expires_at` is expired, whatever its last test said.
[[nodiscard]] vocabulary::CredentialStatus effective_status(const vocabulary::Credential& credential,
                                                            vocabulary::Time now);

/// A change that was put into a batch and waits to be applied to the index once the batch is durable. Until then
/// nobody stages another change to the same credential, or, where names move, to a scope that it touches.
class Change {
  public:
    Change();
    Change(Change&&) noexcept;
    Change& operator=(Change&&) noexcept;
    ~Change();
    /// As it will be (for an answer); of an erase, as it was.
    [[nodiscard]] const vocabulary::Credential& after() const;
    [[nodiscard]] const std::array<std::uint8_t, 8>& fingerprint() const; ///< of the secret fields as they will be
    [[nodiscard]] const HeldTokens* tokens() const;                       ///< as they will be; nullptr: none

  private:
    friend class Vault;
    struct State;
    explicit Change(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

struct NewCredential {
    vocabulary::CredentialId id;
    vocabulary::CredentialName name;
    vocabulary::Scope scope;
    const catalog::Service* service = nullptr;
    const catalog::AuthType* auth = nullptr;
    GivenFields fields;
    std::string notes;
    std::string owner;
    std::string created_by;
    vocabulary::Time now{};
    std::optional<vocabulary::Time> expires_at;
    std::optional<vocabulary::Duration> rotate_every;
};

/// Absent members stay as they are.
struct Edit {
    std::optional<vocabulary::CredentialName> name;
    std::optional<std::string> notes;
    std::optional<vocabulary::Scope> scope;
    std::optional<std::optional<vocabulary::Time>> expires_at;
    std::optional<std::optional<vocabulary::Duration>> rotate_every;
    std::optional<GivenFields> fields;
    std::optional<std::optional<vocabulary::Time>> client_secret_ends_at; ///< of one that is connected
    vocabulary::Time now{};
};

/// What a list asks for.
struct Filter {
    std::string text{}; ///< within name, service and notes, case-folded
    std::vector<std::string> services{};
    std::optional<vocabulary::Scope> scope{};
    std::string auth{};
    std::optional<vocabulary::CredentialStatus> status{};      ///< the effective one
    vocabulary::Time now{};                                    ///< where `status` is asked for
    std::function<bool(const vocabulary::Credential&)> keep{}; ///< a further condition (what the caller may)
};
enum class Sort : std::uint8_t { name, created_at, updated_at, last_used_at };
/// Behind which entry a page begins.
struct Position {
    std::string sort_key;
    vocabulary::CredentialId id;
};

/// A walk over all entries of some scopes, in slices between which they may change. Each that is there from its begin
/// to its end is shown; one that moves meanwhile perhaps twice.
struct Walk {
    std::vector<vocabulary::Scope> scopes{};
    std::size_t scope = 0;              ///< index in `scopes`
    std::size_t left = std::size_t(-1); ///< of the scope's entries
};

/// One page of a list that is being made: in ascending order of `sort`, then id; from behind `after`.
class Listing {
  public:
    Listing(std::vector<vocabulary::Scope> scopes, Filter filter, Sort sort, std::optional<Position> after,
            std::size_t limit);
    Listing(Listing&&) noexcept;
    Listing& operator=(Listing&&) noexcept;
    ~Listing();

  private:
    friend class Vault;
    struct State;
    std::unique_ptr<State> state_;
};

/// Credentials and their keys. Everything is reached through scopes: an id outside them is never looked at (guarantee
/// 12). Staging does not change the index; `apply` does, after the batch is durable. Loop thread only.
class Vault {
  public:
    struct Keys {
        mac::FingerprintMac fingerprint;
    };
    /// `root` outlives the vault.
    Vault(secret::Arena& arena, const crypto::RootKey& root, Keys keys);
    ~Vault(); ///< wipes the workspace keys
    Vault(const Vault&) = delete;
    Vault& operator=(const Vault&) = delete;

    /// While the store is read: takes records of Table::credentials, versions, keys, tokens, intents and clients, in
    /// this order. A version, or tokens, whose credential is not there (its record was refused as damaged) are passed
    /// over.
    [[nodiscard]] result::Result<> accept(const store::Record& record);
    /// A record that was taken turned out to be damaged (dropped, replayed, added): it is no longer used. A credential
    /// or client is gone from the index; a version, tokens or key no longer open, and are not overwritten.
    void forget(store::Table table, std::string_view key);

    // ---- looking; `scopes` are the caller's, in the order in which they are searched. No allocation.
    [[nodiscard]] const Entry* find(std::span<const vocabulary::Scope> scopes,
                                    const vocabulary::CredentialId& id) const;
    /// Every entry of that name (case-folded) in those scopes.
    [[nodiscard]] std::vector<const Entry*> find_named(std::span<const vocabulary::Scope> scopes,
                                                       const vocabulary::CredentialName& name) const;
    /// Shows some entries of the walk's scopes, in no order, some 30 microseconds' worth. False: that was all.
    [[nodiscard]] bool walk_on(Walk& walk, const std::function<void(const Entry&)>& show) const;
    /// Looks at some entries for the list, as walk_on does. False: it has looked at all.
    [[nodiscard]] bool list_on(Listing& listing) const;
    /// What was found, and where the next page begins.
    struct Place {
        vocabulary::Scope scope;
        vocabulary::CredentialId id;
    };
    struct Page {
        std::vector<Place> places;
        std::optional<Position> next; ///< nullopt: nothing is behind it
    };
    [[nodiscard]] static Page page_of(const Listing& listing);
    [[nodiscard]] std::vector<vocabulary::Scope> all_scopes() const; ///< every scope that has a credential or a key
    [[nodiscard]] std::size_t size() const;

    // ---- ending
    /// The earliest `expires_at` that `take_ended` has not given yet.
    [[nodiscard]] std::optional<vocabulary::Time> next_end() const;
    /// A credential that has expired by `now`: each once, unless it is given another `expires_at`. nullptr: no more.
    [[nodiscard]] const Entry* take_ended(vocabulary::Time now);

    // ---- opening
    /// Decrypts what a lease may hold into the arena: the secret fields but those that are never leased, the access
    /// tokens as fields. `damaged` when they do not authenticate, or tokens are missing; `credential_pending`.
    [[nodiscard]] result::Result<FieldSet> open(const Entry& entry, const catalog::AuthType& auth) const;
    /// For token requests and revocations: every secret field and, where it is connected, every token, in the share
    /// `tokens`. `damaged` as with `open`.
    [[nodiscard]] result::Result<OpenGrant> open_grant(const Entry& entry) const;

    // ---- changing: puts records into `batch`
    /// `name_taken` (case-folded, within the scope); `invalid_request` when a required field is missing. Makes the
    /// scope's key when it has none.
    [[nodiscard]] result::Result<Change> stage_create(NewCredential created, store::Batch& batch);
    /// In place, same version, next revision, sealed anew, its tokens too. `secret_required` when a destination field
    /// changes and a secret field is not given anew; otherwise only secret fields that no lease holds are changed,
    /// others are `invalid_request` (rotate changes them). Tokens never go to a new destination: they are dropped, and
    /// the credential is pending, a revoked one once it is restored.
    [[nodiscard]] result::Result<Change> stage_edit(const Entry& entry, const catalog::AuthType& auth, Edit edit,
                                                    store::Batch& batch);
    [[nodiscard]] Change stage_erase(const Entry& entry, store::Batch& batch);
    /// Of one that is not revoked yet: `why` is its status_reason. Next revision; what it was before is kept with it.
    /// Its secret is not touched: one that is damaged is revoked, too.
    [[nodiscard]] Change stage_revoke(const Entry& entry, const std::string& why, vocabulary::Time now,
                                      store::Batch& batch);
    /// Of a revoked one: next revision, with the status and reason that it had, or that it was given since.
    [[nodiscard]] Change stage_restore(const Entry& entry, vocabulary::Time now, store::Batch& batch);
    /// Its tokens are dead: it is `expired`, a revoked one once it is restored.
    [[nodiscard]] Change stage_dead_grant(const Entry& entry, const std::string& why, vocabulary::Time now,
                                          store::Batch& batch);

    // ---- OAuth. Where a request's outcome comes back, `of` is what it was made with: when the credential has other
    // tokens by then, it is `version_conflict` and nothing changes.
    /// The first tokens or a re-authorization: next version (the one before goes), generation 0, next revision, active.
    /// Secret fields stay; what the service is asked for besides is not known any more. A revoked credential stays
    /// revoked, and is active once it is restored.
    [[nodiscard]] result::Result<Change> stage_connect(const Entry& entry, const catalog::AuthType& auth,
                                                       const NewConnection& made, store::Batch& batch);
    /// A refresh's answer: next generation, same version and revision; it is active again, and the intent is over.
    [[nodiscard]] result::Result<Change> stage_tokens(const Entry& entry, const catalog::AuthType& auth,
                                                      const Generation& of, const NewTokens& made, store::Batch& batch);
    /// What the service says besides, which was asked for with the tokens that are there: same generation. Nothing goes
    /// into the batch where no field changes.
    [[nodiscard]] result::Result<Change> stage_answer_fields(const Entry& entry, const catalog::AuthType& auth,
                                                             const vocabulary::PublicFields& given,
                                                             store::Batch& batch);
    /// What became known without new tokens. A credential that waits for its first ones gets the reason alone; of one
    /// whose tokens are damaged nothing changes but an intent's end.
    [[nodiscard]] result::Result<Change> stage_state(const Entry& entry, const Generation& of, StateChange made,
                                                     store::Batch& batch);
    /// A token set that was staged and that the store refused, as it is kept beside the store: ciphertext, and what it
    /// is bound to.
    [[nodiscard]] static std::string write_rescued(const Change& change);
    /// The credential as that change would have left it. `damaged`: it is not whole or does not authenticate.
    [[nodiscard]] result::Result<Entry> read_rescued(std::string_view bytes) const;
    /// Stages it anew, as the connection or the refresh that it was, on what the credential is now. `version_conflict`:
    /// it does not follow the tokens that the credential has, or was got for another destination.
    [[nodiscard]] result::Result<Change> stage_rescued(const Entry& entry, const catalog::AuthType& auth,
                                                       const Entry& rescued, store::Batch& batch);
    /// To be durable before the slot's refresh token is spent. One that is there is replaced.
    [[nodiscard]] Change stage_intent(const Entry& entry, std::string slot, vocabulary::Time now, store::Batch& batch);
    /// The token was not spent after all. Without an intent nothing goes into the batch.
    [[nodiscard]] Change stage_clear_intent(const Entry& entry, store::Batch& batch);
    [[nodiscard]] const Intent* find_intent(const vocabulary::CredentialId& id) const;
    /// Requests that were under way when the broker ended: their refresh tokens are in doubt.
    struct InDoubt {
        const Entry* entry = nullptr;
        Intent intent{};
    };
    [[nodiscard]] std::vector<InDoubt> find_intents() const;

    // ---- the organization's OAuth clients. Nobody stages two changes at the same time.
    /// nullptr: the service has none, or its record is damaged.
    [[nodiscard]] std::shared_ptr<const OAuthClient> find_client(std::string_view service) const;
    /// In the order of their services.
    [[nodiscard]] std::vector<std::shared_ptr<const OAuthClient>> list_clients() const;
    /// Its secret, in the share `tokens`; empty: a public client. `damaged` names the service.
    [[nodiscard]] result::Result<secret::SecretBuffer> open_client(const OAuthClient& client) const;
    /// The service's first, or one in the place of what is there: nothing of that stays. Makes the organization's key
    /// when it has none.
    [[nodiscard]] result::Result<ClientChange> stage_client(NewOAuthClient made, store::Batch& batch);
    [[nodiscard]] ClientChange stage_erase_client(const OAuthClient& client, store::Batch& batch);

    // ---- the wall clock, where it is set while the broker runs
    /// It is now that far ahead of the boot clock. What was told by another offset in this life of the broker moves,
    /// and when an intent was begun, in memory alone: by `move_times` what the index holds, when it is applied what is
    /// staged.
    void set_offset(vocabulary::Duration offset);
    void move_times(const Entry& entry);

    /// An entry that stays keeps its address.
    void apply(Change change);
    void apply(ClientChange change);

    /// On the lease path: when it was last used (memory only; the journal brings it back).
    void note_use(const vocabulary::CredentialId& id, const vocabulary::Scope& scope, vocabulary::Time when);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace credlease::vault
