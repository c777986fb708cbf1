#pragma once

#include "broker/unsealed.hpp"
#include "oauth/requests.hpp"

#include <array>
#include <memory>
#include <string_view>

namespace credlease::broker {

/// By whom a provider is asked, where, for what and with which secrets: what it answers is for that alone.
struct AskedWith {
    oauth::Discovered found{};
    oauth::Terms terms{};
    vocabulary::GrantTerms grant{};
    vocabulary::PublicFields destinations{}; ///< that a person chose, or the organization with its client
    /// The fingerprint of those that a person gave; nullopt: it does not matter, nothing is sent any more.
    std::optional<std::array<std::uint8_t, 8>> secrets{};

    bool operator==(const AskedWith&) const = default;
};

/// What one exchange with a credential's provider is made from: the entry's rules, the choices of its grant, its fields
/// and tokens. The secrets lie in the arena for as long as this lives (guarantee 3).
class TokenClient {
  public:
    /// By the terms that the grant was made with, where it is connected: a catalog that changes later sends no refresh
    /// token elsewhere. A credential that names no OAuth client asks by the organization's, at the places that this is
    /// for. `found`: what its issuer's metadata say. `damaged`, `service_not_found`; `invalid_request` for
    /// what was stored without OAuth, or without what the request needs.
    [[nodiscard]] static result::Result<TokenClient> open(const Unsealed& house, const vault::Entry& entry,
                                                          const oauth::Discovered& found = {});
    /// For a grant that is still to be made, whatever the credential has now.
    [[nodiscard]] static result::Result<TokenClient> open_anew(const Unsealed& house, const vault::Entry& entry,
                                                               const oauth::Discovered& found);
    /// For the next step of a grant that was asked for. `version_conflict`: the credential would ask with something
    /// else by now; no secret of it goes where it was asked then, and no answer from there is for it.
    [[nodiscard]] static result::Result<TokenClient> open_again(const Unsealed& house, const vault::Entry& entry,
                                                                const AskedWith& asked);

    [[nodiscard]] const catalog::AuthType& auth() const { return *auth_; }
    [[nodiscard]] const catalog::OAuth& rules() const { return *auth_->oauth; }
    /// The field that a URL of the entry is made from and that is not set; empty: it takes none, or all are.
    [[nodiscard]] std::string missing_field(const catalog::Template& url) const {
        return oauth::missing_field(*auth_, url, values_);
    }
    [[nodiscard]] const oauth::Terms& terms() const { return terms_; }
    [[nodiscard]] oauth::Client client(secret::Arena& arena) const {
        return {.rules = rules(), .terms = terms_, .values = values_, .arena = arena};
    }
    [[nodiscard]] bool is_organizations() const { return organizations_ != nullptr; }
    /// Whose OAuth client it is (owner_of).
    [[nodiscard]] const std::string& owner() const { return owner_; }
    // nullptr: the slot has none.
    [[nodiscard]] const secret::SecretBuffer* access_token(std::string_view slot) const;
    [[nodiscard]] const secret::SecretBuffer* refresh_token(std::string_view slot) const;
    /// The OAuth client has been changed since: what was refused may be right now.
    [[nodiscard]] bool is_outdated(const Unsealed& house, const vault::Entry& entry) const;
    /// What a grant that is made now keeps.
    [[nodiscard]] vocabulary::GrantTerms grant_terms() const;
    [[nodiscard]] AskedWith asked_with() const;

  private:
    TokenClient(std::shared_ptr<const catalog::Catalog> catalog, const catalog::AuthType& auth, vault::OpenGrant grant)
        : catalog_(std::move(catalog)), auth_(&auth), grant_(std::move(grant)) {}
    /// What the organization's client puts in place of the credential's own.
    [[nodiscard]] result::Result<> take_organizations(const Unsealed& house, const vault::Entry& entry,
                                                      const vocabulary::GrantTerms* kept);
    [[nodiscard]] static result::Result<TokenClient> open_for(const Unsealed& house, const vault::Entry& entry,
                                                              const vocabulary::GrantTerms* kept,
                                                              const oauth::Discovered& found);
    void take_fields(const vocabulary::PublicFields& fields);
    [[nodiscard]] result::Result<> take_secrets(secret::Arena& arena);
    void take_secret(std::size_t field, secret::SecretBuffer value);
    /// The organization's secret goes where its client says now, and nowhere else, whatever the grant kept.
    [[nodiscard]] result::Result<> check_place(const vocabulary::GrantTerms& kept) const;
    [[nodiscard]] result::Result<> make_terms(const vocabulary::GrantTerms* kept, const oauth::Discovered& found);
    /// How the client authenticates at its place is a person's to say, of the client that is named now.
    [[nodiscard]] bool has_word_on_client_auth(const vocabulary::GrantTerms& kept) const;

    std::shared_ptr<const catalog::Catalog> catalog_; ///< a reload does not take the rules away meanwhile
    const catalog::AuthType* auth_;
    std::string owner_{};
    vault::OpenGrant grant_;
    std::shared_ptr<const vault::OAuthClient> organizations_; ///< nullptr: the credential's own
    std::vector<secret::SecretBuffer> fields_;                ///< that `values_` views
    oauth::Values values_;
    vocabulary::PublicFields destinations_;
    std::array<std::uint8_t, 8> fingerprint_{};
    bool names_another_client_ = false; ///< than the grant's: from its next consent on
    oauth::Discovered found_;
    oauth::Terms terms_;
};

/// Whether a new grant of it would be asked for by the organization's client: it names none of its own.
[[nodiscard]] bool takes_organizations_client(const catalog::AuthType& auth, const vault::Entry& entry);

/// Whether its next token request makes a grant of its own, by what its fields say now: it has no tokens, or they are
/// had without a person and its fields name another client than they were made by.
[[nodiscard]] bool asks_anew(const Unsealed& house, const vault::Entry& entry);

/// Whose OAuth client a credential uses: of its own scope, or the organization's for its service. In one text, by which
/// pace and room are shared out.
[[nodiscard]] std::string owner_of(const vocabulary::Credential& credential, bool is_organizations);

/// Whether tokens are had without a person: by the client's own credentials, or by a signed assertion.
[[nodiscard]] bool is_automatic(catalog::Flow flow);

} // namespace credlease::broker
