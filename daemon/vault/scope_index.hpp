#pragma once

#include "vault/ends.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <memory>

namespace credlease::vault {

/// An entry with what the vault alone needs to know.
struct Stored : Entry {
    std::string folded{};              ///< name, service and notes, case-folded, each ended by U+0000: what is searched
    std::size_t name_hash = 0;         ///< of the folded name
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
    /// Out of the index, with its address; nullptr when it is not there.
    [[nodiscard]] std::unique_ptr<Stored> take(const vocabulary::CredentialId& id);

    [[nodiscard]] const auto& by_id() const { return by_id_; }

    crypto::WorkspaceKey key;
    std::uint64_t key_revision = 0; ///< of its record in Table::keys; with an empty key: it does not open

  private:
    struct NameHash {
        using is_transparent = void;
        std::size_t operator()(const FoldedName& name) const noexcept { return name.hash; }
        std::size_t operator()(const Stored* entry) const noexcept { return entry->name_hash; }
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
};

using Scopes = boost::unordered_flat_map<vocabulary::Scope, std::unique_ptr<ScopeIndex>, std::hash<vocabulary::Scope>>;

struct Change::State {
    vocabulary::Scope before{};     ///< where the entry is now
    std::unique_ptr<Stored> next{}; ///< as it will be; of an erase, as it was
    bool erases = false;
    crypto::WorkspaceKey new_key{}; ///< of the scope that it comes into, where that had none
};

struct Vault::State {
    secret::Arena& arena;
    const crypto::RootKey& root;
    Keys keys;
    Scopes scopes;
    Ends ends;

    [[nodiscard]] ScopeIndex* find(const vocabulary::Scope& scope) const;
    [[nodiscard]] ScopeIndex& index_of(const vocabulary::Scope& scope); ///< made where there is none
    [[nodiscard]] Stored* find(const vocabulary::Credential& credential) const;
    /// Shows every entry of those scopes, and looks at no other.
    template <class Show> void visit(std::span<const vocabulary::Scope> reached, const Show& show) const {
        for (const auto& scope : reached) {
            const ScopeIndex* index = find(scope);
            if (!index) continue;
            for (const auto& [id, entry] : index->by_id()) show(*entry);
        }
    }

    [[nodiscard]] result::Result<> accept_credential(const store::Record& record);
    [[nodiscard]] result::Result<> accept_version(const store::Record& record);
    [[nodiscard]] result::Result<> accept_key(const store::Record& record);

    /// `name_taken` when another credential of the scope has this name.
    [[nodiscard]] result::Result<> check_name(const vocabulary::Credential& wanted) const;
    /// The scope's key; a new one, with its record in `batch`, where it has none.
    [[nodiscard]] result::Result<const crypto::WorkspaceKey*> key_of(const vocabulary::Scope& scope,
                                                                     Change::State& change, store::Batch& batch) const;
    /// Seals `fields` for the change's credential and puts both of its records into `batch`.
    [[nodiscard]] result::Result<> stage(Change::State& change, const FieldSet& fields, store::Batch& batch) const;
    /// Next revision with what `alter` makes of it; puts the credential's own record into `batch` alone: what is sealed
    /// stays as it is, also where it is damaged.
    [[nodiscard]] Change stage_metadata(const Entry& entry, vocabulary::Time now, store::Batch& batch,
                                        const std::function<void(vocabulary::Credential&)>& alter) const;
};

} // namespace credlease::vault
