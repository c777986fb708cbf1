#pragma once

#include "result/result.hpp"
#include "vocabulary/grant.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace credlease::settings {

enum class SealMethod : std::uint8_t { key_file, passphrase };
[[nodiscard]] std::string_view name_of(SealMethod method);
enum class ArenaChoice : std::uint8_t { automatic, memfd_secret, mlock };
enum class Durability : std::uint8_t { kernel, disk };
enum class Role : std::uint8_t { member, editor, admin };
[[nodiscard]] std::string_view name_of(Role role);
[[nodiscard]] std::optional<Role> find_role(std::string_view name);

struct EngineRule {
    vocabulary::EngineId name;
    std::uint32_t uid = 0;
    std::string unit; ///< glob; empty: any
    bool all_workspaces = false;
    std::vector<vocabulary::WorkspaceId> workspaces;
    Role max_role = Role::member;
    vocabulary::EngineId directory; ///< whose users it names; default: its own name
};

struct WorkerRule {
    vocabulary::EngineId name;
    std::uint32_t uid = 0;
    std::string unit; ///< glob; empty: any
    std::string exe;  ///< empty: any
    std::optional<std::array<std::uint8_t, 32>> exe_sha256;
    vocabulary::WorkspaceId workspace;
    std::optional<vocabulary::UserId> user;
    vocabulary::Reach reach;
    std::vector<std::string> fields; ///< empty: all
    std::optional<vocabulary::Duration> max_ttl;
};

/// Everything the daemon was told, checked. Immutable: SIGHUP makes a new one.
struct Settings {
    bool system = false; ///< the system broker, not a user's

    struct Places {
        std::filesystem::path config_file; ///< where it was looked for; it need not exist
        std::filesystem::path data;
        std::filesystem::path runtime;
    } places;
    struct Sockets {
        std::uint32_t lease_mode = 0660, admin_mode = 0600;
        std::optional<std::uint32_t> lease_group, admin_group; ///< gids
        bool own_uid_only = false;                             ///< runtime dir is DATA/run: nobody else can reach it
    } sockets;
    struct Seal {
        SealMethod method = SealMethod::key_file;
        std::filesystem::path key_file;
        bool may_make_key = false; ///< a user's broker, or a `key_file` named in the config
    } seal;
    struct Memory {
        ArenaChoice arena = ArenaChoice::automatic;
        std::uint64_t size = std::uint64_t{4} << 20;
    } memory;
    struct Access {
        std::vector<std::uint32_t> operators; ///< uids
        std::map<std::uint32_t, vocabulary::UserId> users;
    } access;
    std::vector<EngineRule> engines;
    std::vector<WorkerRule> workers; ///< in file order; a user's broker without any has `self`
    struct Leases {
        vocabulary::Duration default_ttl = std::chrono::minutes(15);
        vocabulary::Duration max_ttl = std::chrono::hours(1);
        vocabulary::Duration max_total = std::chrono::hours(24);
        std::uint32_t per_principal = 4096;
    } leases;
    struct Audit {
        Durability durability = Durability::kernel;
        std::filesystem::path head_file;
        vocabulary::Duration keep = std::chrono::hours(24 * 400);
        std::uint64_t max_size = 0; ///< bytes; 0: no limit
    } audit;
    struct Limits {
        std::uint32_t connections_per_uid = 1024;
        std::uint32_t requests_per_second = 0;
        std::uint32_t listeners_per_uid = 1024;
    } limits;
    struct Catalog {
        std::filesystem::path dir;
    } catalog;
    struct Log {
        std::string level = "info";
        bool json = false;
    } log;
    struct Rotation {
        std::optional<vocabulary::Duration> every = std::chrono::hours(24 * 90); ///< nullopt: "never"
        std::uint32_t keep_versions = 10;
    } rotation;

    /// HTTP and OAuth calls to the world.
    struct Outbound {
        vocabulary::Duration timeout = std::chrono::seconds(20);
        std::filesystem::path ca_file; ///< beside the system's; empty: none
        bool allow_private = false;
        std::vector<std::string> allowed_hosts; ///< exceptions from `allow_private = false`
        std::string callback = "127.0.0.1:7466";
        std::string public_url; ///< empty: none
        std::vector<std::string> redirect_uris;
    } outbound;

    /// Rules that are weaker than they look, for `--check-config` and the start's log.
    std::vector<std::string> warnings;
};

/// Where the audit head of the system's broker lies by default: its unit makes the folder.
inline constexpr const char* system_head_file = "/var/lib/credlease-head/audit.head";

/// Where browsers find the daemon's own pages: on loopback, or behind the operator's proxy.
[[nodiscard]] std::string pages_url(const Settings::Outbound& outbound);
/// Where providers send browsers back to: what is registered there with an OAuth client.
[[nodiscard]] std::string redirect_uri(const Settings::Outbound& outbound);

/// What the command line said.
struct Flags {
    bool system = false;
    bool check_config = false;
    bool version = false;
    bool help = false;
    std::optional<std::filesystem::path> config{}, data_dir{}, runtime_dir{};
};

/// Usage errors are `configuration` with the flag in `about`.
[[nodiscard]] result::Result<Flags> read_flags(int count, const char* const* arguments);
[[nodiscard]] std::string usage();

/// The settings by interface: flags, the config file if there is one, XDG variables of the environment. An unknown key,
/// a wrong type, an unknown user or a contradiction is `configuration`, `about` naming "FILE:LINE: key".
[[nodiscard]] result::Result<Settings> read_settings(const Flags& flags);

} // namespace credlease::settings
