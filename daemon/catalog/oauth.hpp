#pragma once

#include "catalog/template.hpp"
#include "vocabulary/oauth_state.hpp"
#include "vocabulary/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::catalog {

/// What using a refresh token does at the provider (`refresh_class`): it decides when a refresh is made, and what is
/// done after a crash in the middle of one.
enum class RefreshClass : std::uint8_t {
    fixed,              ///< "static": the same token for ever
    rotating,           ///< a new one each time, the old one stays valid
    single_use,         ///< the old one is dead once it was used
    single_use_grace,   ///< … after a grace
    kills_access_token, ///< using it also kills the live access token
    none,               ///< there is no refresh token
};
using vocabulary::ClientAuth;
enum class BodyFormat : std::uint8_t { form, json };
enum class Flow : std::uint8_t { authorization_code, device, client_credentials, jwt_bearer, refresh_token };

/// What the entry says, or which public field of the credential says it (the generic `oauth2`).
template <class Value> struct Chosen {
    Value value{};
    std::optional<std::size_t> field{}; ///< of type string, its choices the words of Value
};

struct Parameter {
    std::string name;
    Template value;
};

/// Where a member lies in a JSON answer (RFC 6901); empty: nowhere. What is found there is a text, or a number or flag
/// read as one.
using Pointer = std::string;

/// Of one entry.
inline constexpr std::size_t slots_most = 4;

/// One access token of an answer, with its refresh token and clocks: Slack's bot and user are two slots of one grant.
struct TokenSlot {
    std::string name;             ///< "bot"; the first slot is the main one
    std::size_t access_token = 0; ///< the field of the auth type that holds it
    std::optional<std::size_t> token_type{};
    Pointer access_token_at, token_type_at, refresh_token_at, expires_in_at, expires_at_at, scope_at,
        refresh_expires_in_at; ///< seconds; `expires_at` is RFC 3339 or seconds since 1970
    Pointer nested_in{};       ///< the pointers' beginning that the answer to the slot's own refresh leaves out
};
/// Where a slot's member lies in the answer to the slot's own refresh: Slack's user token comes in `authed_user` first,
/// and at the root once it is refreshed.
[[nodiscard]] Pointer place_in_refresh(const TokenSlot& slot, const Pointer& at);

/// A public field that the answer, or the redirect's query, fills: `instance_url`, `realmId`.
struct AnswerField {
    std::size_t field = 0;
    Pointer at;                    ///< in the token answer, or in that of `url`
    std::string parameter;         ///< in the redirect's query
    std::optional<Template> url{}; ///< asked by GET with a grant's access token, until the field is known
};

struct Clocks {
    std::optional<vocabulary::Duration> access;           ///< where the answer does not say; nullopt: it does not end
    std::optional<vocabulary::Duration> refresh_idle;     ///< since its last use
    std::optional<vocabulary::Duration> refresh_absolute; ///< since consent
    std::optional<vocabulary::Duration> client_secret;    ///< since it was made
    vocabulary::Duration grace{};                         ///< of single_use_grace: how long the old token works still
    vocabulary::Duration margin{};                        ///< refreshed so long before the access token's end
    /// How long an access token works after a refresh; nullopt: to its end (but see kills_access_token).
    std::optional<vocabulary::Duration> access_after_refresh{};
};

enum class Meaning : std::uint8_t {
    definitive,   ///< the grant is dead: only a person can mend it
    client,       ///< the OAuth client is wrong (its secret has expired): the grant is not dead
    transient,    ///< later
    rate_limited, ///< later, and no sooner
    too_early,    ///< the live access token must end first
};
/// Status 0: any. An error "*" is any, or none; it is compared with the text at the `at` of Errors.
struct ErrorRule {
    unsigned status = 0;
    std::string error;
    std::string sub_error{}; ///< compared with `sub_at`; empty: any
    Meaning meaning = Meaning::transient;
};
/// What a refusal means: the first rule that fits says it, and where none does it is transient. Behind the entry's own
/// come those of RFC 6749 §5.2 and status 429.
struct Errors {
    Pointer at = "/error", sub_at{}, text_at = "/error_description";
    Pointer ok_at{}; ///< a boolean that is false in a refusal, which then may come with status 200
    std::vector<ErrorRule> rules{};
};

/// Token requests to a provider.
struct Budget {
    std::uint32_t requests = 0; ///< 0: no limit
    vocabulary::Duration per{};
    std::uint32_t at_once = 4;
};

struct Revocation {
    Template url;
    bool is_delete = false;           ///< a DELETE, not a POST
    bool is_bearer = false;           ///< the token goes into the Authorization header, alone: no client is named
    std::optional<ClientAuth> auth{}; ///< nullopt: as in token requests
    BodyFormat body = BodyFormat::form;
    std::string token_parameter = "token";
    bool by_access_token = false; ///< it takes the access token, not the refresh token
};

/// A token that is signed by RS256 (RFC 7523), beside its `iat` and `exp`.
struct Jwt {
    std::vector<Parameter> headers{};       ///< beside `alg` and `typ`: `kid`
    std::string scope_claim{};              ///< the claim that holds the scopes; empty: none
    vocabulary::Duration lifetime{300'000}; ///< from `iat` to `exp`
    vocabulary::Duration backdated{};       ///< `iat` lies so long before now
    bool is_bearer = false;                 ///< it goes into the Authorization header, not into `assertion`
    bool has_id = false;                    ///< a random `jti`: it is good once
};

/// All there is to say of one provider's OAuth 2.0.
struct OAuth {
    Chosen<Flow> flow{};
    std::vector<Flow> flows; ///< that the provider offers
    std::optional<Template> authorize_url{}, token_url{}, refresh_url{}, device_url{};
    std::optional<Template> issuer{}; ///< discovery (RFC 8414, OpenID) fills what is not given; also checked (RFC 9207)
    std::optional<Revocation> revocation{};
    bool has_chosen_host = false; ///< a field decides the whole host of one of these URLs: an organization's client
                                  ///< goes there only if the organization chose it
    Chosen<ClientAuth> client_auth{};
    bool secret_is_user = false; ///< of basic: the secret is the user, and the password is empty
    Chosen<RefreshClass> refresh_class{};
    BodyFormat body = BodyFormat::form;
    bool pkce = true; ///< S256; off only where the provider rejects it
    std::string pkce_reason{};
    std::string grant_type{}; ///< of client_credentials, where it has a name of its own
    std::string scope_separator = " ";
    std::string scope_parameter = "scope";
    std::optional<std::size_t> client_id{}, client_secret{}, scopes{}; ///< fields of the auth type
    std::optional<std::size_t> private_key{};                          ///< of jwt_bearer: RS256, PEM
    std::vector<std::string> default_scopes{};
    std::vector<Parameter> authorize_parameters{}, token_parameters{}, refresh_parameters{};
    std::vector<Parameter> jwt_claims{}; ///< of jwt_bearer, beside iat and exp
    Jwt jwt{};
    std::vector<Parameter> headers{}; ///< of token requests: `Accept`, `Notion-Version`
    std::vector<TokenSlot> slots{};
    std::vector<AnswerField> answer_fields{};
    Pointer account_at{}; ///< whose grant it is, in the token answer
    Clocks clocks{};
    Errors errors{};
    Budget budget{};                      ///< of one OAuth client
    std::optional<Budget> grant_budget{}; ///< of one grant besides
    std::uint32_t grants_per_account = 0; ///< more of one client end the oldest unseen; 0: it is not said
};

// The words of the catalog's files, and of the fields of Chosen.
[[nodiscard]] std::string_view name_of(RefreshClass value);
[[nodiscard]] std::string_view name_of(ClientAuth value);
[[nodiscard]] std::string_view name_of(Flow value);
[[nodiscard]] std::string_view name_of(Meaning value);
[[nodiscard]] std::string_view name_of(BodyFormat value);
/// The value of that word; Value is one of the enumerations above.
template <class Value> [[nodiscard]] std::optional<Value> find_value(std::string_view name);

} // namespace credlease::catalog
