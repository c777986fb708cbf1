#include "access/grant_record.hpp"

#include "store/bytes.hpp"

#include <algorithm>

namespace credlease::access {
namespace {

using store::ByteReader;
using store::ByteWriter;
using vocabulary::Grant;
using vocabulary::Time;

constexpr std::uint8_t record_format = 1;

void write_time(ByteWriter<std::string>& writer, Time time) {
    writer.u64(static_cast<std::uint64_t>(time.time_since_epoch().count()));
}

Time read_time(ByteReader& reader) { return Time(vocabulary::Duration(static_cast<std::int64_t>(reader.u64()))); }

void write_reach(ByteWriter<std::string>& writer, const vocabulary::Reach& reach) {
    writer.u8(reach.all ? 1 : 0);
    writer.u32(static_cast<std::uint32_t>(reach.credentials.size()));
    for (const auto& id : reach.credentials) {
        writer.u64(id.value().high);
        writer.u64(id.value().low);
    }
    writer.u32(static_cast<std::uint32_t>(reach.services.size()));
    for (const auto& service : reach.services) writer.text(service.text());
}

/// A text that is valid by construction; anything else breaks the record.
template <class Name> Name read_name(ByteReader& reader) {
    auto name = Name::read(reader.text());
    if (!name) reader.give_up();
    return name.value_or(Name());
}

bool read_flag(ByteReader& reader) {
    const auto flag = reader.u8();
    if (flag > 1) reader.give_up();
    return flag == 1;
}

vocabulary::Reach read_reach(ByteReader& reader) {
    vocabulary::Reach reach{.all = read_flag(reader)};
    for (auto left = reader.u32(); left > 0 && !reader.is_broken(); --left) {
        const auto high = reader.u64();
        reach.credentials.emplace_back(vocabulary::Ulid{.high = high, .low = reader.u64()});
    }
    for (auto left = reader.u32(); left > 0 && !reader.is_broken(); --left) {
        reach.services.push_back(read_name<vocabulary::ServiceId>(reader));
    }
    return reach;
}

enum Optional : std::uint8_t { has_user = 1, has_max_ttl = 2, has_max_leases = 4, has_uid = 8 };

void write_options(ByteWriter<std::string>& writer, const Grant& grant) {
    writer.u8(static_cast<std::uint8_t>((grant.user ? has_user : 0) | (grant.max_ttl ? has_max_ttl : 0) |
                                        (grant.max_leases ? has_max_leases : 0) | (grant.uid ? has_uid : 0)));
    if (grant.user) writer.text(grant.user->text());
    if (grant.max_ttl) writer.u64(static_cast<std::uint64_t>(grant.max_ttl->count()));
    if (grant.max_leases) writer.u32(*grant.max_leases);
    if (grant.uid) writer.u32(*grant.uid);
}

void read_options(ByteReader& reader, Grant& grant) {
    const auto options = reader.u8();
    if (options > (has_user | has_max_ttl | has_max_leases | has_uid)) reader.give_up();
    if ((options & has_user) != 0) grant.user = read_name<vocabulary::UserId>(reader);
    if ((options & has_max_ttl) != 0) grant.max_ttl = vocabulary::Duration(static_cast<std::int64_t>(reader.u64()));
    if ((options & has_max_leases) != 0) grant.max_leases = reader.u32();
    if ((options & has_uid) != 0) grant.uid = reader.u32();
}

Grant read_grant(ByteReader& reader) {
    Grant grant;
    grant.minted_by = reader.text();
    grant.on_behalf_of = reader.text();
    grant.workspace = read_name<vocabulary::WorkspaceId>(reader);
    grant.workflow = reader.text();
    grant.run = reader.text();
    grant.reach = read_reach(reader);
    for (auto left = reader.u32(); left > 0 && !reader.is_broken(); --left) grant.fields.emplace_back(reader.text());
    grant.created_at = read_time(reader);
    grant.expires_at = read_time(reader);
    grant.leases_taken = reader.u32();
    read_options(reader, grant);
    return grant;
}

} // namespace

std::string write_record(const GrantRecord& record) {
    const Grant& grant = record.grant;
    std::string bytes;
    ByteWriter writer(bytes);
    writer.u8(record_format);
    writer.raw({reinterpret_cast<const char*>(record.token.data()), record.token.size()});
    writer.text(grant.minted_by);
    writer.text(grant.on_behalf_of);
    writer.text(grant.workspace.text());
    writer.text(grant.workflow);
    writer.text(grant.run);
    write_reach(writer, grant.reach);
    writer.u32(static_cast<std::uint32_t>(grant.fields.size()));
    for (const auto& field : grant.fields) writer.text(field);
    write_time(writer, grant.created_at);
    write_time(writer, grant.expires_at);
    writer.u32(grant.leases_taken);
    write_options(writer, grant);
    return bytes;
}

result::Result<GrantRecord> read_grant_record(const store::Record& record) {
    ByteReader reader(record.value);
    if (reader.u8() != record_format) reader.give_up();
    GrantRecord read;
    std::ranges::copy(reader.raw(read.token.size()), read.token.begin());
    read.grant = read_grant(reader);
    const auto id = vocabulary::GrantId::find(record.key);
    if (!id || !reader.is_whole()) {
        return result::refuse(
            {.code = result::ErrorCode::damaged,
             .sentence = "A grant's record cannot be read: it was written by a newer version, or wrongly.",
             .next_step = "Start the version that wrote it, or restore a backup.",
             .about = result::PublicText::of(record.key)});
    }
    read.grant.id = *id;
    return read;
}

} // namespace credlease::access
