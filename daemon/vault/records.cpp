#include "vault/records.hpp"

#include "store/bytes.hpp"

#include <algorithm>
#include <charconv>

namespace credlease::vault {
namespace {

using store::ByteReader;
using store::ByteWriter;

using vocabulary::Credential;
using vocabulary::PublicFields;
using vocabulary::PublicValue;
using vocabulary::Scope;
using vocabulary::Time;

constexpr std::uint8_t credential_format = 1;
constexpr std::uint8_t revoked_format = 2; ///< … and behind it what it was before
constexpr std::uint8_t version_format = 1;
constexpr std::uint8_t key_format = 1;
constexpr std::uint8_t binding_format = 1;

template <class Out> void write(ByteWriter<Out>& writer, const std::string& text) { writer.text(text); }
template <class Out> void write(ByteWriter<Out>& writer, std::int64_t number) { writer.i64(number); }
template <class Out> void write(ByteWriter<Out>& writer, bool flag) { writer.u8(flag ? 1 : 0); }
template <class Out> void write(ByteWriter<Out>& writer, const std::vector<std::string>& texts) {
    writer.u32(static_cast<std::uint32_t>(texts.size()));
    for (const std::string& text : texts) writer.text(text);
}
template <class Out> void write(ByteWriter<Out>& writer, const std::map<std::string, std::string>& texts) {
    writer.u32(static_cast<std::uint32_t>(texts.size()));
    for (const auto& [key, text] : texts) {
        writer.text(key);
        writer.text(text);
    }
}
template <class Out> void write(ByteWriter<Out>& writer, const PublicFields& fields) {
    writer.u32(static_cast<std::uint32_t>(fields.size()));
    for (const auto& [name, value] : fields) {
        writer.text(name);
        writer.u8(static_cast<std::uint8_t>(value.index()));
        std::visit([&](const auto& held) { write(writer, held); }, value);
    }
}
template <class Out> void write(ByteWriter<Out>& writer, const std::optional<std::int64_t>& number) {
    writer.u8(number ? 1 : 0);
    if (number) writer.i64(*number);
}

std::vector<std::string> read_texts(ByteReader& reader) {
    std::vector<std::string> texts;
    for (std::uint32_t left = reader.u32(); left > 0 && !reader.is_broken(); --left) texts.emplace_back(reader.text());
    return texts;
}

std::map<std::string, std::string> read_map(ByteReader& reader) {
    std::map<std::string, std::string> texts;
    for (std::uint32_t left = reader.u32(); left > 0 && !reader.is_broken(); --left) {
        std::string key(reader.text());
        texts.emplace(std::move(key), std::string(reader.text()));
    }
    return texts;
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

std::optional<std::int64_t> read_maybe(ByteReader& reader) {
    return reader.u8() == 0 ? std::nullopt : std::optional(reader.i64());
}

/// A text that has a rule: one that breaks it breaks the record.
template <class Named> Named read_name(ByteReader& reader) {
    auto read = Named::read(reader.text());
    if (read) return std::move(*read);
    reader.give_up();
    return {};
}

Scope read_scope(std::string_view text, ByteReader& reader) {
    auto scope = Scope::find(text);
    if (!scope) reader.give_up();
    return std::move(scope).value_or(Scope{});
}

Time time_of(std::int64_t milliseconds) { return Time(vocabulary::Duration(milliseconds)); }
std::int64_t number_of(Time time) { return time.time_since_epoch().count(); }

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
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

/// The reader of a record's value behind its format byte.
ByteReader open_format(std::string_view value, std::uint8_t format) {
    ByteReader reader(value);
    if (reader.u8() != format) reader.give_up();
    return reader;
}

result::Failure damaged(std::string_view key) {
    return result::refuse({.code = result::ErrorCode::damaged,
                           .sentence = "A stored record is not in a form that this version of the broker knows.",
                           .next_step = "Start the version that wrote it, or restore a backup.",
                           .about = result::PublicText::of(key)});
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
    writer.u64(credential.generation);
    writer.u64(credential.revision);
    writer.i64(number_of(credential.created_at));
    writer.text(credential.created_by);
    writer.i64(number_of(credential.updated_at));
    write(writer, credential.expires_at ? std::optional(number_of(*credential.expires_at)) : std::nullopt);
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
    read.scope = read_scope(reader.text(), reader);
    read.owner = reader.text();
    read.notes = reader.text();
    read.fields = read_fields(reader);
    read.secret_fields = read_texts(reader);
    read.status = read_status(reader);
    if (is_revoked != (read.status == vocabulary::CredentialStatus::revoked)) reader.give_up();
    read.status_reason = reader.text();
    read.version = reader.u32();
    read.generation = reader.u64();
    read.revision = reader.u64();
    read.created_at = time_of(reader.i64());
    read.created_by = reader.text();
    read.updated_at = time_of(reader.i64());
    if (const auto expires_at = read_maybe(reader)) read.expires_at = time_of(*expires_at);
    if (const auto every = read_maybe(reader)) read.rotate_every = vocabulary::Duration(*every);
    read.rotated_at = time_of(reader.i64());
    if (is_revoked) {
        read.status_before = read_status(reader);
        read.status_reason_before = reader.text();
    }
    if (!id || !reader.is_whole()) return damaged(key);
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
    read.scope = read_scope(reader.text(), reader);
    std::ranges::copy(reader.raw(read.fingerprint.size()), read.fingerprint.begin());
    read.sealed = bytes_of(reader.rest());
    if (!id || !reader.is_whole() || version_key(read.id, read.version) != key) return damaged(key);
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
    WrappedKey read{.scope = read_scope(key, reader), .wrapped = bytes_of(reader.rest())};
    if (!reader.is_whole()) return damaged(key);
    return read;
}

void write_binding(const Credential& credential, std::pmr::string& out) {
    ByteWriter writer(out);
    writer.u8(binding_format);
    writer.u64(credential.id.value().high);
    writer.u64(credential.id.value().low);
    writer.u32(credential.version);
    writer.u64(credential.generation);
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
