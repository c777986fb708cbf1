#pragma once

#include "vault/ends.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

namespace credlease::vault {

/// An entry with what the vault alone needs to know.
struct Stored : Entry {
    std::string folded{};              ///< name, service and notes, case-folded, each ended by U+0000: what is searched
    std::size_t place = 0;             ///< in its index's line
    std::uint64_t record_revision = 0; ///< of its record in Table::credentials
    std::uint64_t sealed_revision = 0; ///< of its current version's record; 0: there is none
};

/// Once it is in an index.
[[nodiscard]] std::string_view folded_name(const Stored& entry);

/// A name as it is looked up: folded once.
struct FoldedName {
    explicit FoldedName(const vocabulary::CredentialName& name);
    std::string text;
    std::size_t hash;
};

/// The credentials of one scope by id and by folded name, and the scope's key. What is not in it is not seen by a look
/// at it, and costs it nothing.
class ScopeIndex {
  public:
    [[nodiscard]] Stored* find(const vocabulary::CredentialId& id) const;
    [[nodiscard]] const Stored* find_named(const FoldedName& name) const;
    void insert(std::unique_ptr<Stored> entry);
    /// The same, where an entry that was taken just now stood in the line.
    void insert(std::unique_ptr<Stored> entry, std::size_t place);
    /// Out of the index, with its address; nullptr when it is not there.
    [[nodiscard]] std::unique_ptr<Stored> take(const vocabulary::CredentialId& id);

    [[nodiscard]] std::size_t size() const { return line_.size(); }
    /// All entries, in no order. Whoever goes through it from its end to its begin, in several turns, misses none that
    /// stayed: one that comes stands at the end, and the last takes the place of one that goes.
    [[nodiscard]] const std::vector<Stored*>& line() const { return line_; }

    crypto::WorkspaceKey key;
    std::uint64_t key_revision = 0; ///< of its record in Table::keys; with an empty key: it does not open

  private:
    struct NameHash {
        using is_transparent = void;
        std::size_t operator()(const FoldedName& name) const noexcept { return name.hash; }
        std::size_t operator()(const Stored* entry) const noexcept {
            return std::hash<std::string_view>{}(folded_name(*entry));
        }
    };
    struct SameName {
        using is_transparent = void;
        bool operator()(const FoldedName& name, const Stored* entry) const;
        bool operator()(const Stored* entry, const FoldedName& name) const { return (*this)(name, entry); }
        bool operator()(const Stored* left, const Stored* right) const;
    };

    boost::unordered_flat_map<vocabulary::CredentialId, std::unique_ptr<Stored>, std::hash<vocabulary::CredentialId>>
        by_id_;
    boost::unordered_flat_set<const Stored*, NameHash, SameName> by_name_;
    std::vector<Stored*> line_;
};

using Scopes = boost::unordered_flat_map<vocabulary::Scope, std::unique_ptr<ScopeIndex>, std::hash<vocabulary::Scope>>;

struct HeldIntent {
    Intent intent{};
    std::uint64_t record_revision = 0;
};

struct Change::State {
    vocabulary::Scope before{};     ///< where the entry is now
    std::unique_ptr<Stored> next{}; ///< as it will be; of an erase, as it was
    bool erases = false;
    bool in_place = false;          ///< scope, names, notes and end stay: the index has nothing to learn
    crypto::WorkspaceKey new_key{}; ///< of the scope that it comes into, where that had none
    std::optional<std::optional<HeldIntent>> intent{}; ///< as it will be, where it changes
};

struct Vault::State {
    secret::Arena& arena;
    const crypto::RootKey& root;
    Keys keys;
    Scopes scopes;
    Ends ends;
    boost::unordered_flat_map<vocabulary::CredentialId, HeldIntent, std::hash<vocabulary::CredentialId>>
        intents; ///< few: there is one while a token request is under way
    std::map<std::string, std::shared_ptr<const OAuthClient>, std::less<>> clients; ///< by service
    std::optional<vocabulary::Duration> offset{}; ///< of the wall clock; nullopt: nobody watches it

    [[nodiscard]] ScopeIndex* find(const vocabulary::Scope& scope) const;
    [[nodiscard]] ScopeIndex& index_of(const vocabulary::Scope& scope); ///< made where there is none
    [[nodiscard]] Stored* find(const vocabulary::Credential& credential) const;
    template <class Show> bool walk_on(Walk& walk, const Show& show) const;

    [[nodiscard]] result::Result<> accept_credential(const store::Record& record);
    [[nodiscard]] result::Result<> accept_version(const store::Record& record);
    [[nodiscard]] result::Result<> accept_key(const store::Record& record);
    [[nodiscard]] result::Result<> accept_tokens(const store::Record& record);
    [[nodiscard]] result::Result<> accept_intent(const store::Record& record);
    [[nodiscard]] result::Result<> accept_client(const store::Record& record);

    /// The key that opens the credential's secrets; `damaged` names the credential.
    [[nodiscard]] result::Result<const crypto::WorkspaceKey*>
    opening_key(const vocabulary::Credential& credential) const;
    /// The secret fields as a person gave them, and the token set: `credential_pending` or `damaged` where there is
    /// none.
    [[nodiscard]] result::Result<FieldSet> open_given(const Entry& entry, secret::Share share) const;
    [[nodiscard]] result::Result<secret::SecretBuffer> open_token_set(const Entry& entry, secret::Share share) const;

    /// `name_taken` when another credential of the scope has this name.
    [[nodiscard]] result::Result<> check_name(const vocabulary::Credential& wanted) const;
    /// The scope's key; where it has none `made`, a new one, with its record in `batch`.
    [[nodiscard]] result::Result<const crypto::WorkspaceKey*>
    key_of(const vocabulary::Scope& scope, crypto::WorkspaceKey& made, store::Batch& batch) const;
    /// Once its record is durable. An empty one: the scope had one.
    void take_key(const vocabulary::Scope& scope, crypto::WorkspaceKey made);
    /// A change of an entry that stays: as it is now.
    [[nodiscard]] std::unique_ptr<Change::State> begin(const Entry& entry) const;
    /// Seals `fields` for the change's credential and puts both of its records into `batch`.
    [[nodiscard]] result::Result<> stage(Change::State& change, const FieldSet& fields, store::Batch& batch) const;
    /// Next revision with what `alter` makes of it; puts the credential's own record into `batch` alone: what is sealed
    /// stays as it is, also where it is damaged.
    [[nodiscard]] Change stage_metadata(const Entry& entry, vocabulary::Time now, store::Batch& batch,
                                        const std::function<void(vocabulary::Credential&)>& alter) const;
    /// The credential's own record alone: what is sealed is not bound to what has changed.
    static void stage_credential(Change::State& change, store::Batch& batch);
    /// Seals the token set for the change's credential and puts its record into `batch`.
    [[nodiscard]] result::Result<> stage_token_set(Change::State& change, vocabulary::OAuthState state,
                                                   const secret::SecretBuffer& tokens, store::Batch& batch) const;
    /// What a credential's next token set is made of.
    struct NextTokens {
        vocabulary::OAuthState state;
        secret::SecretBuffer tokens; ///< token_set.hpp
        const vocabulary::PublicFields& answer_fields;
    };
    /// As Vault::stage_connect and Vault::stage_tokens say.
    [[nodiscard]] result::Result<Change> stage_next_version(const Entry& entry, const catalog::AuthType& auth,
                                                            NextTokens next, store::Batch& batch) const;
    [[nodiscard]] result::Result<Change> stage_next_generation(const Entry& entry, const catalog::AuthType& auth,
                                                               NextTokens next, store::Batch& batch) const;
    /// Puts into `batch` that the records of its tokens, and of an intent to spend one, go.
    void erase_tokens(Change::State& change, store::Batch& batch) const;
    void end_intent(Change::State& change, store::Batch& batch) const;
    void move_times(Stored& stored) const;
    void move_time(Intent& intent) const;
};

/// A slice ends with what comes first: so many looks, or so much text to search.
template <class Show> bool Vault::State::walk_on(Walk& walk, const Show& show) const {
    constexpr std::size_t looks_most = 64;
    constexpr std::size_t bytes_most = std::size_t{16} << 10;
    std::size_t looks = 0;
    std::size_t bytes = 0;
    for (; walk.scope < walk.scopes.size(); ++walk.scope, walk.left = std::size_t(-1)) {
        const ScopeIndex* index = find(walk.scopes[walk.scope]);
        walk.left = std::min(walk.left, index ? index->size() : 0);
        for (; walk.left > 0; ++looks) {
            if (looks >= looks_most || bytes >= bytes_most) return true;
            const Stored& entry = *index->line()[--walk.left];
            bytes += entry.folded.size();
            show(entry);
        }
        ++looks; // a scope without entries costs its look too
    }
    return false;
}

} // namespace credlease::vault
