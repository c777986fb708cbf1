#include "settings/sections.hpp"

#include "settings/accounts.hpp"
#include "settings/net_values.hpp"

#include <algorithm>
#include <bit>

namespace credlease::settings {
namespace {

using result::Result;

constexpr Choices<SealMethod, 2> methods = {
    {{"key-file", SealMethod::key_file}, {"passphrase", SealMethod::passphrase}}};

void read_sockets(Section section, Settings::Sockets& sockets) {
    section.take("lease_mode", sockets.lease_mode, read_mode);
    section.take("lease_group", sockets.lease_group, read_gid);
    section.take("admin_group", sockets.admin_group, read_gid);
    if (!section.take("admin_mode", sockets.admin_mode, read_mode) && sockets.admin_group) sockets.admin_mode = 0660;
}

Result<SealMethod> read_seal_method(const Node& node) {
    const auto* text = std::get_if<std::string>(&node.value);
    if (text != nullptr && *text == "systemd-credential") {
        return wrong("Sealing by a systemd credential is not in this version.", "Use \"key-file\" or \"passphrase\".");
    }
    return one_of(methods, "Use \"key-file\" or \"passphrase\".")(node);
}

void read_seal(Section section, Settings::Seal& seal) {
    section.take("method", seal.method, read_seal_method);
    if (section.take("key_file", seal.key_file, read_path)) seal.may_make_key = true;
}

Result<std::uint64_t> read_arena_size(const Node& node) {
    constexpr std::uint64_t least = std::uint64_t{256} << 10;
    constexpr std::uint64_t most = std::uint64_t{1} << 30;
    auto size = read_size(node);
    if (size && (!std::has_single_bit(*size) || *size < least || *size > most)) {
        return wrong("The arena's size is a power of two from 256KiB to 1GiB.", "Write it like \"4MiB\".");
    }
    return size;
}

void read_memory(Section section, Settings::Memory& memory) {
    constexpr Choices<ArenaChoice, 3> arenas = {
        {{"auto", ArenaChoice::automatic}, {"memfd_secret", ArenaChoice::memfd_secret}, {"mlock", ArenaChoice::mlock}}};
    section.take("arena", memory.arena, one_of(arenas, "Use \"auto\", \"memfd_secret\" or \"mlock\"."));
    section.take("size", memory.size, read_arena_size);
}

/// { alice = "user:local/alice" }: OS accounts as users of the directory.
void read_users(Section& access, std::map<std::uint32_t, vocabulary::UserId>& users) {
    const Node* const table = access.find("users");
    if (table == nullptr) return;
    Section section(access.complaint(), "access.users", table);
    for (const auto& account : section.keys()) {
        const auto uid = read_uid({.value = account, .line = 0});
        vocabulary::UserId user;
        if (!uid) section.complain(account, uid.error());
        if (!section.take(account, user, read_by_rule<vocabulary::UserId>) || !uid) continue;
        if (users.emplace(*uid, std::move(user)).second) continue;
        section.complain(account, "This account is named twice.", "Name it once, by its name or its number.");
    }
}

void read_access(Section section, Settings::Access& access) {
    section.take("operators", access.operators, list_of(read_uid));
    read_users(section, access.users);
}

/// A default that nobody said shrinks to what was said; what was said must not contradict the rest.
void read_leases(Section section, Settings::Leases& leases) {
    section.take("max_total", leases.max_total, read_duration);
    const bool said_most = section.take("max_ttl", leases.max_ttl, read_duration);
    const bool said_default = section.take("default_ttl", leases.default_ttl, read_duration);
    section.take("per_principal", leases.per_principal, read_count<1, 100'000'000>);
    if (!said_most) leases.max_ttl = std::min(leases.max_ttl, leases.max_total);
    if (!said_default) leases.default_ttl = std::min(leases.default_ttl, leases.max_ttl);
    if (leases.max_ttl > leases.max_total) {
        section.complain("max_ttl", "One lease would outlive all its renewals.",
                         "Make max_ttl at most max_total (24h).");
    }
    if (leases.default_ttl > leases.max_ttl) {
        section.complain("default_ttl", "The default is longer than the longest.", "Make it at most max_ttl (1h).");
    }
}

void read_audit(Section section, Settings::Audit& audit) {
    constexpr Choices<Durability, 2> durabilities = {{{"kernel", Durability::kernel}, {"disk", Durability::disk}}};
    section.take("durability", audit.durability, one_of(durabilities, "Use \"kernel\" or \"disk\"."));
    section.take("head_file", audit.head_file, read_path_or_default);
    section.take("keep", audit.keep, read_duration);
    section.take("max_size", audit.max_size, read_size);
}

void read_limits(Section section, Settings::Limits& limits) {
    section.take("connections_per_uid", limits.connections_per_uid, read_count<1>);
    section.take("requests_per_second", limits.requests_per_second, read_count<0>);
    section.take("listeners_per_uid", limits.listeners_per_uid, read_count<1>);
}

void read_rotation(Section section, Settings::Rotation& rotation) {
    section.take("every", rotation.every, [](const Node& node) -> Result<std::optional<vocabulary::Duration>> {
        const auto* text = std::get_if<std::string>(&node.value);
        if (text != nullptr && *text == "never") return std::nullopt;
        return read_duration(node);
    });
    section.take("keep_versions", rotation.keep_versions, read_count<1, 1000>);
}

void read_outbound(Section section, Settings::Outbound& outbound) {
    section.take("timeout", outbound.timeout, read_duration);
    section.take("ca_file", outbound.ca_file, read_path_or_default);
    section.take("allow_private", outbound.allow_private, read_boolean);
    section.take("allowed_hosts", outbound.allowed_hosts, list_of(read_host));
    section.take("callback", outbound.callback, read_loopback_address);
    section.take("public_url", outbound.public_url, read_public_url);
    section.take("redirect_uris", outbound.redirect_uris, list_of(read_redirect_uri));
}

void read_store(Section section) {
    enum class Engine : std::uint8_t { rocksdb };
    constexpr Choices<Engine, 1> engines = {{{"rocksdb", Engine::rocksdb}}};
    Engine engine = Engine::rocksdb;
    section.take("engine", engine, one_of(engines, "This version keeps its records in \"rocksdb\"."));
}

void read_log(Section section, Settings::Log& log) {
    constexpr Choices<std::string_view, 4> levels = {
        {{"debug", "debug"}, {"info", "info"}, {"warning", "warning"}, {"error", "error"}}};
    constexpr Choices<bool, 2> formats = {{{"text", false}, {"json", true}}};
    section.take("level", log.level, one_of(levels, "Use \"debug\", \"info\", \"warning\" or \"error\"."));
    section.take("format", log.json, one_of(formats, "Use \"text\" or \"json\"."));
}

} // namespace

std::string_view name_of(SealMethod method) {
    return std::ranges::find(methods, method, &decltype(methods)::value_type::second)->first;
}

void read_sections(Section& file, Settings& settings) {
    read_sockets(file.table("sockets"), settings.sockets);
    read_seal(file.table("seal"), settings.seal);
    read_memory(file.table("memory"), settings.memory);
    read_access(file.table("access"), settings.access);
    read_leases(file.table("leases"), settings.leases);
    read_audit(file.table("audit"), settings.audit);
    read_limits(file.table("limits"), settings.limits);
    file.table("catalog").take("dir", settings.catalog.dir, read_path_or_default);
    read_rotation(file.table("rotation"), settings.rotation);
    read_outbound(file.table("outbound"), settings.outbound);
    read_store(file.table("store"));
    read_log(file.table("log"), settings.log);
}

} // namespace credlease::settings
