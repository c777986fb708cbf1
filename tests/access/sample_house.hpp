#pragma once

#include "access/callers.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace credlease::access {

using namespace std::chrono_literals;
using settings::Role;
using vocabulary::Scope;

/// A time of these tests: 2026-11-22T10:00:00Z.
inline constexpr vocabulary::Time noon{std::chrono::milliseconds(1'795'341'600'000)};

inline vocabulary::WorkspaceId workspace(std::string_view id) { return vocabulary::WorkspaceId::read(id).value(); }
inline vocabulary::UserId user(std::string_view text) { return vocabulary::UserId::read(text).value(); }
inline vocabulary::EngineId engine(std::string_view id) { return vocabulary::EngineId::read(id).value(); }
inline vocabulary::ServiceId service(std::string_view id) { return vocabulary::ServiceId::read(id).value(); }
inline vocabulary::CredentialId credential(std::uint64_t number) {
    return vocabulary::CredentialId({.high = 7, .low = number});
}
inline vocabulary::GrantId grant_id(std::uint64_t number) { return vocabulary::GrantId({.high = 9, .low = number}); }

inline const vocabulary::UserId alice = user("user:flows/alice");
inline const vocabulary::UserId bob = user("user:flows/bob");

/// One arena for all tests of the room.
inline secret::Arena& arena() {
    static const auto made = secret::Arena::make({.size = std::size_t{256} * 1024});
    return **made;
}

inline secret::SecretBuffer token(std::string_view text) {
    return secret::SecretBuffer::copy(arena(), text, secret::Share::tokens).value();
}

inline mac::GrantMac grant_mac() {
    const auto key =
        secret::SecretBuffer::copy(arena(), "0123456789abcdef0123456789abcdef", secret::Share::keys).value();
    return mac::make_mac<mac::GrantPurpose>(arena(), key).value();
}

/// A peer that is known by its uid and unit alone.
inline attestation::Peer peer(std::uint32_t uid, std::string unit = "") {
    attestation::Peer made;
    made.pid = 1;
    made.uid = uid;
    made.unit = std::move(unit);
    return made;
}

inline settings::WorkerRule worker_rule(std::string_view name, std::uint32_t uid, std::string_view in = "acme") {
    settings::WorkerRule rule;
    rule.name = engine(name);
    rule.uid = uid;
    rule.workspace = workspace(in);
    return rule;
}

inline settings::EngineRule engine_rule(std::string_view name, std::uint32_t uid, Role max_role) {
    settings::EngineRule rule;
    rule.name = rule.directory = engine(name);
    rule.uid = uid;
    rule.workspaces = {workspace("acme")};
    rule.max_role = max_role;
    return rule;
}

inline vocabulary::Grant sample_grant(std::uint64_t number) {
    vocabulary::Grant grant;
    grant.id = grant_id(number);
    grant.minted_by = "engine:flows";
    grant.workspace = workspace("acme");
    grant.workflow = "nightly";
    grant.created_at = noon;
    grant.expires_at = noon + 1h;
    return grant;
}

/// A broker's rules, directory and grants, to be changed by each test.
struct House {
    settings::Settings settings;
    Directory directory;
    Grants grants{grant_mac()};

    House() { put("acme"); }
    void put(std::string_view id) {
        directory.apply({.kind = Directory::Change::Kind::put_workspace, .workspace = workspace(id)});
    }
    void put(std::string_view id, const vocabulary::UserId& member, Role role) {
        directory.apply(
            {.kind = Directory::Change::Kind::put_member, .workspace = workspace(id), .user = member, .role = role});
    }
    void remove(std::string_view id, const vocabulary::UserId& member) {
        directory.apply({.kind = Directory::Change::Kind::erase_member, .workspace = workspace(id), .user = member});
    }
    [[nodiscard]] std::shared_ptr<const settings::Settings> rules() const {
        return std::make_shared<const settings::Settings>(settings);
    }
    [[nodiscard]] Callers callers() const { return Callers(rules(), directory, grants); }
};

inline constexpr auto on_lease = [](std::string_view grant = {}) {
    return Callers::Claims{.on_lease_socket = true, .grant = grant};
};
inline constexpr auto on_admin = [](std::string_view actor = {}) { return Callers::Claims{.actor = actor}; };

/// The code of a refusal; nullopt: there was none.
template <class Result> std::optional<result::ErrorCode> code_of(const Result& result) {
    return result ? std::nullopt : std::optional(result.error().code);
}

} // namespace credlease::access
