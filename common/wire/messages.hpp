#pragma once

#include "vocabulary/grant.hpp"
#include "vocabulary/lease.hpp"

#include <boost/describe.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The requests of interface.md §3, one described struct each; wire/mapping.hpp reads and writes them all.
// An optional member may be absent; `json::value` members keep what they hold where it was read (the arena).

namespace credlease::wire {

struct ScopeMessage {
    std::string kind;
    std::optional<std::string> workspace;
    std::optional<std::string> user;
};
BOOST_DESCRIBE_STRUCT(ScopeMessage, (), (kind, workspace, user))

struct PurposeMessage {
    std::optional<std::string> workflow;
    std::optional<std::string> run;
    std::optional<std::string> node;
};
BOOST_DESCRIBE_STRUCT(PurposeMessage, (), (workflow, run, node))

/// POST /v1/leases, as a client writes it. The daemon reads it in place: see IssueLeaseView.
struct IssueLease {
    std::string credential;
    std::optional<std::string> workspace;
    std::optional<vocabulary::Duration> ttl;
    std::optional<std::vector<std::string>> fields;
    std::optional<PurposeMessage> purpose;
    std::optional<std::string> bind;
    std::optional<vocabulary::Duration> min_valid;
};
BOOST_DESCRIBE_STRUCT(IssueLease, (), (credential, workspace, ttl, fields, purpose, bind, min_valid))

/// POST /v1/leases/{id}/renew
struct RenewLease {
    std::optional<vocabulary::Duration> ttl;
    std::optional<bool> secret;
};
BOOST_DESCRIBE_STRUCT(RenewLease, (), (ttl, secret))

/// POST /v1/credentials
struct CreateCredential {
    std::string service;
    std::optional<std::string> auth;
    std::string name;
    std::optional<ScopeMessage> scope;
    boost::json::value fields; ///< an object
    std::optional<std::string> notes;
    std::optional<vocabulary::Time> expires_at;
    std::optional<vocabulary::Duration> rotate_every;
};
BOOST_DESCRIBE_STRUCT(CreateCredential, (), (service, auth, name, scope, fields, notes, expires_at, rotate_every))

/// PATCH /v1/credentials/{id}. `null` clears: hence a value, not a typed optional, where null has a meaning.
struct EditCredential {
    std::optional<std::string> name;
    std::optional<std::string> notes;
    std::optional<ScopeMessage> scope;
    std::optional<boost::json::value> expires_at;
    std::optional<boost::json::value> rotate_every;
    std::optional<boost::json::value> fields;
    std::optional<boost::json::value> client_secret_ends_at;
};
BOOST_DESCRIBE_STRUCT(EditCredential, (), (name, notes, scope, expires_at, rotate_every, fields, client_secret_ends_at))

/// POST /v1/credentials/{id}/revoke
struct RevokeCredential {
    std::optional<bool> upstream; ///< at its service, too
};
BOOST_DESCRIBE_STRUCT(RevokeCredential, (), (upstream))

/// POST /v1/credentials/{id}/restore: an empty object.
struct RestoreCredential {
    bool operator==(const RestoreCredential&) const = default;
};
BOOST_DESCRIBE_STRUCT(RestoreCredential, (), ())

/// POST /v1/credentials/{id}/refresh: an empty object.
struct RefreshCredential {
    bool operator==(const RefreshCredential&) const = default;
};
BOOST_DESCRIBE_STRUCT(RefreshCredential, (), ())

/// POST /v1/oauth/authorizations: of a credential that is there, or of a new one.
struct BeginAuthorization {
    std::optional<std::string> credential; ///< id or name
    std::optional<std::string> service, auth, name;
    std::optional<ScopeMessage> scope;
    std::optional<boost::json::value> fields;
    std::optional<std::string> notes;
    std::optional<std::string> flow; ///< "device"
    std::optional<std::string> redirect_uri;
    std::optional<boost::json::value> refresh_token; ///< a text: one that a person has already
};
BOOST_DESCRIBE_STRUCT(BeginAuthorization, (),
                      (credential, service, auth, name, scope, fields, notes, flow, redirect_uri, refresh_token))

/// POST /v1/oauth/authorizations/{id}/complete
struct CompleteAuthorization {
    boost::json::value redirect_url; ///< a text: it holds the code
};
BOOST_DESCRIBE_STRUCT(CompleteAuthorization, (), (redirect_url))

/// POST /v1/grants
struct MintGrant {
    std::string workspace;
    std::optional<std::string> user;
    std::string workflow;
    std::optional<std::string> run;
    std::optional<std::vector<std::string>> credentials;
    std::optional<std::vector<std::string>> services;
    std::optional<bool> all;
    std::optional<std::vector<std::string>> fields;
    vocabulary::Duration ttl{};
    std::optional<vocabulary::Duration> max_ttl;
    std::optional<std::uint32_t> max_leases;
    std::optional<boost::json::value> uid; ///< absent: the minter's; null: a bearer grant; else a number
};
BOOST_DESCRIBE_STRUCT(MintGrant, (),
                      (workspace, user, workflow, run, credentials, services, all, fields, ttl, max_ttl, max_leases,
                       uid))

/// POST /v1/seal
struct Seal {
    std::optional<bool> now;
};
BOOST_DESCRIBE_STRUCT(Seal, (), (now))

/// POST /v1/unseal. The passphrase stays a value in the arena.
struct Unseal {
    std::optional<boost::json::value> passphrase; ///< absent or null: the key file is read anew
};
BOOST_DESCRIBE_STRUCT(Unseal, (), (passphrase))

/// PUT /v1/workspaces/{id}/members/{user}
struct PutMember {
    std::string role;
};
BOOST_DESCRIBE_STRUCT(PutMember, (), (role))

/// PUT /v1/workspaces/{id}: an empty object.
struct PutWorkspace {
    bool operator==(const PutWorkspace&) const = default;
};
BOOST_DESCRIBE_STRUCT(PutWorkspace, (), ())

/// PUT /v1/oauth/clients/{service}. The secret stays a value in the arena.
struct PutOAuthClient {
    std::optional<std::string> auth; ///< absent: the service's first that takes a client
    std::string client_id;
    std::optional<boost::json::value> client_secret; ///< absent or null: a public client
    std::optional<boost::json::value> fields;        ///< where the secret may go
    std::optional<vocabulary::Time> client_secret_ends_at;
};
BOOST_DESCRIBE_STRUCT(PutOAuthClient, (), (auth, client_id, client_secret, fields, client_secret_ends_at))

/// PATCH /v1/oauth/clients/{service}
struct EditOAuthClient {
    boost::json::value client_secret_ends_at; ///< null: nobody knows
};
BOOST_DESCRIBE_STRUCT(EditOAuthClient, (), (client_secret_ends_at))

/// A lease request read in place: its texts lie in the request's own bytes (or, where a text had an escape, in
/// `unescaped`).
struct IssueLeaseView {
    static constexpr std::size_t fields_most = 32;
    std::string_view credential{};
    std::string_view workspace{};
    std::string_view workflow{};
    std::string_view run{};
    std::string_view node{};
    std::optional<vocabulary::Duration> ttl{};
    std::optional<vocabulary::Duration> min_valid{};
    std::optional<vocabulary::Binding> bind{};
    std::array<std::string_view, fields_most> field_names{};
    std::size_t field_count = 0;
    bool fields_given = false;
    std::array<char, 1024> unescaped{};
};

/// Reads a lease request without a heap allocation: strict as read_json, unknown members refused, each text at most 128
/// bytes (`credential`: what the longest name needs). The view is written to `out`.
[[nodiscard]] result::Result<> read_issue_lease(std::string_view body, IssueLeaseView& out);

} // namespace credlease::wire
