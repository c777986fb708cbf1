#include "vault/records.hpp"

#include "vault/record_bytes.hpp"

#include <algorithm>
#include <charconv>

namespace credlease::vault {
namespace {

using vault::write; // else those here hide it
using vocabulary::Credential;
using vocabulary::PublicFields;
using vocabulary::PublicValue;
using vocabulary::Scope;

constexpr std::uint8_t credential_format = 1;
constexpr std::uint8_t revoked_format = 2; ///< … and behind it what it was before
constexpr std::uint8_t version_format = 1;
constexpr std::uint8_t key_format = 1;
constexpr std::uint8_t binding_format = 1;

template <class Out> void write(ByteWriter<Out>& writer, const std::string& text) { writer.text(text); }
template <class Out> void write(ByteWriter<Out>& writer, std::int64_t number) { writer.i64(number); }
template <class Out> void write(ByteWriter<Out>& writer, bool flag) { writer.u8(flag ? 1 : 0); }
template <class Out> void write(ByteWriter<Out>& writer, const PublicFields& fields) {
    writer.u32(static_cast<std::uint32_t>(fields.size()));
    for (const auto& [name, value] : fields) {
        writer.text(name);
        writer.u8(static_cast<std::uint8_t>(value.index()));
        std::visit([&](const auto& held) { write(writer, held); }, value);
    }
}

PublicValue read_value(ByteReader& reader) {
    switch (reader.u8()) {
    case 0:
        return std::string(reader.text());
    case 1:
        return reader.i64();
    case 2:
        return reader.u8() != 0;
    case 3:
        return read_texts(reader);
    case 4:
        return read_map(reader);
    default:
        reader.give_up();
        return {};
    }
}

PublicFields read_fields(ByteReader& reader) {
    PublicFields fields;
    for (std::uint32_t left = reader.u32(); left > 0 && !reader.is_broken(); --left) {
        std::string name(reader.text());
        fields.emplace(std::move(name), read_value(reader));
    }
    return fields;
}

/// A text that has a rule: one that breaks it breaks the record.
template <class Named> Named read_name(ByteReader& reader) {
    auto read = Named::read(reader.text());
    if (read) return std::move(*read);
    reader.give_up();
    return {};
}

/// What a revoked credential was before stands behind all else; the records of others are as they always were.
template <class Out> void write_before(ByteWriter<Out>& writer, const Credential& credential) {
    writer.u8(static_cast<std::uint8_t>(credential.status_before));
    writer.text(credential.status_reason_before);
}

vocabulary::CredentialStatus read_status(ByteReader& reader) {
    const std::uint8_t status = reader.u8();
    if (status > static_cast<std::uint8_t>(vocabulary::CredentialStatus::pending)) reader.give_up();
    return static_cast<vocabulary::CredentialStatus>(status);
}

} // namespace

std::string credential_key(const vocabulary::CredentialId& id) { return id.text(); }

std::string write_credential(const Credential& credential) {
    std::string out;
    ByteWriter writer(out);
    const bool is_revoked = credential.status == vocabulary::CredentialStatus::revoked;
    writer.u8(is_revoked ? revoked_format : credential_format);
    writer.text(credential.name.text());
    writer.text(credential.service.text());
    writer.text(credential.auth);
    writer.text(credential.scope.text());
    writer.text(credential.owner);
    writer.text(credential.notes);
    write(writer, credential.fields);
    write(writer, credential.secret_fields);
    writer.u8(static_cast<std::uint8_t>(credential.status));
    writer.text(credential.status_reason);
    writer.u32(credential.version);
    writer.u64(0); // the generation: its tokens' record tells it
    writer.u64(credential.revision);
    writer.i64(number_of(credential.created_at));
    writer.text(credential.created_by);
    writer.i64(number_of(credential.updated_at));
    write(writer, credential.expires_at);
    write(writer,
          credential.rotate_every ? std::optional<std::int64_t>(credential.rotate_every->count()) : std::nullopt);
    writer.i64(number_of(credential.rotated_at));
    if (is_revoked) write_before(writer, credential);
    return out;
}

result::Result<Credential> read_credential(std::string_view key, std::string_view value) {
    const bool is_revoked = value.starts_with(static_cast<char>(revoked_format));
    ByteReader reader = open_format(value, is_revoked ? revoked_format : credential_format);
    const auto id = vocabulary::CredentialId::find(key);
    Credential read;
    read.id = id.value_or(vocabulary::CredentialId{});
    read.name = read_name<vocabulary::CredentialName>(reader);
    read.service = read_name<vocabulary::ServiceId>(reader);
    read.auth = reader.text();
    read.scope = read_scope(reader);
    read.owner = reader.text();
    read.notes = reader.text();
    read.fields = read_fields(reader);
    read.secret_fields = read_texts(reader);
    read.status = read_status(reader);
    if (is_revoked != (read.status == vocabulary::CredentialStatus::revoked)) reader.give_up();
    read.status_reason = reader.text();
    read.version = reader.u32();
    if (reader.u64() != 0) reader.give_up();
    read.revision = reader.u64();
    read.created_at = time_of(reader.i64());
    read.created_by = reader.text();
    read.updated_at = time_of(reader.i64());
    read.expires_at = read_maybe_time(reader);
    if (const auto every = read_maybe(reader)) read.rotate_every = vocabulary::Duration(*every);
    read.rotated_at = time_of(reader.i64());
    if (is_revoked) {
        read.status_before = read_status(reader);
        read.status_reason_before = reader.text();
    }
    if (!id || !reader.is_whole()) return damaged_record(key);
    return read;
}

std::string version_key(const vocabulary::CredentialId& id, std::uint32_t version) {
    const std::string digits = std::to_string(version);
    return id.text() + "/" + std::string(10 - digits.size(), '0') + digits;
}

std::string write_version(const SealedVersion& version) {
    std::string out;
    ByteWriter writer(out);
    writer.u8(version_format);
    writer.text(version.scope.text());
    writer.raw(text_of(std::as_bytes(std::span(version.fingerprint))));
    writer.raw(text_of(version.sealed));
    return out;
}

result::Result<SealedVersion> read_version(std::string_view key, std::string_view value) {
    ByteReader reader = open_format(value, version_format);
    const auto id = vocabulary::CredentialId::find(key.substr(0, vocabulary::CredentialId::text_size));
    SealedVersion read;
    read.id = id.value_or(vocabulary::CredentialId{});
    const std::string_view digits = key.substr(std::min(vocabulary::CredentialId::text_size + 1, key.size()));
    std::from_chars(digits.data(), digits.data() + digits.size(), read.version);
    read.scope = read_scope(reader);
    std::ranges::copy(reader.raw(read.fingerprint.size()), read.fingerprint.begin());
    read.sealed = bytes_of(reader.rest());
    if (!id || !reader.is_whole() || version_key(read.id, read.version) != key) return damaged_record(key);
    return read;
}

std::string write_key(std::span<const std::byte> wrapped) {
    std::string out;
    ByteWriter writer(out);
    writer.u8(key_format);
    writer.raw(text_of(wrapped));
    return out;
}

result::Result<WrappedKey> read_key(std::string_view key, std::string_view value) {
    ByteReader reader = open_format(value, key_format);
    const auto scope = Scope::find(key);
    WrappedKey read{.scope = scope.value_or(Scope{}), .wrapped = bytes_of(reader.rest())};
    if (!scope || !reader.is_whole()) return damaged_record(key);
    return read;
}

void write_binding(const Credential& credential, std::uint64_t generation, std::pmr::string& out) {
    ByteWriter writer(out);
    writer.u8(binding_format);
    writer.u64(credential.id.value().high);
    writer.u64(credential.id.value().low);
    writer.u32(credential.version);
    writer.u64(generation);
    writer.u8(static_cast<std::uint8_t>(credential.scope.kind));
    writer.text(credential.scope.workspace.text());
    writer.text(credential.scope.user.directory.text());
    writer.text(credential.scope.user.name.text());
    writer.text(credential.service.text());
    writer.text(credential.auth);
    write(writer, credential.secret_fields);
    write(writer, credential.fields);
}

} // namespace credlease::vault
