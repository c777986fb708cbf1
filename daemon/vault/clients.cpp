#include "vault/clients.hpp"

#include "vault/record_bytes.hpp"
#include "vault/records.hpp"
#include "vault/scope_index.hpp"
#include "vault/sealing.hpp"

#include <algorithm>

namespace credlease::vault {
namespace {

using result::refuse;
using result::Result;
using vocabulary::Scope;

constexpr std::uint8_t client_format = 1;
constexpr std::uint8_t client_binding_format = 3; ///< 1 and 2 are those of credentials

} // namespace

std::string write_client(const OAuthClient& client) {
    std::string out;
    ByteWriter writer(out);
    writer.u8(client_format);
    writer.text(client.auth);
    writer.text(client.client_id);
    write(writer, client.fields);
    writer.u8(client.has_secret ? 1 : 0);
    write(writer, client.secret_ends_at);
    writer.i64(number_of(client.changed_at));
    writer.text(client.changed_by);
    writer.raw(text_of(std::as_bytes(std::span(client.fingerprint))));
    writer.raw(text_of(client.sealed));
    return out;
}

Result<OAuthClient> read_client(std::string_view key, std::uint64_t revision, std::string_view value) {
    ByteReader reader = open_format(value, client_format);
    const auto service = vocabulary::ServiceId::read(key);
    OAuthClient read;
    if (service) read.service = *service;
    read.auth = reader.text();
    read.client_id = reader.text();
    read.fields = read_map(reader);
    read.has_secret = reader.u8() != 0;
    read.secret_ends_at = read_maybe_time(reader);
    read.changed_at = time_of(reader.i64());
    read.changed_by = reader.text();
    read.revision = revision;
    std::ranges::copy(reader.raw(read.fingerprint.size()), read.fingerprint.begin());
    read.sealed = bytes_of(reader.rest());
    if (!service || !reader.is_whole()) return damaged_record(key);
    return read;
}

void write_client_binding(const OAuthClient& client, std::pmr::string& out) {
    ByteWriter writer(out);
    writer.u8(client_binding_format);
    writer.text(client.service.text());
    writer.text(client.auth);
    writer.u64(client.revision);
    writer.text(client.client_id);
    write(writer, client.fields);
    writer.u8(client.has_secret ? 1 : 0);
}

result::Failure damaged_client(const OAuthClient& client) {
    return refuse({.code = result::ErrorCode::damaged,
                   .sentence = "The secret of the organization's OAuth client does not authenticate.",
                   .next_step = "Restore a backup, or set the client anew (credlease oauth-client set).",
                   .about = result::PublicText::of(client.service.text())});
}

Result<> Vault::State::accept_client(const store::Record& record) {
    auto read = read_client(record.key, record.revision, record.value);
    if (!read) return refuse(std::move(read.error()));
    clients[std::string(record.key)] = std::make_shared<const OAuthClient>(std::move(*read));
    return {};
}

std::shared_ptr<const OAuthClient> Vault::find_client(std::string_view service) const {
    const auto held = state_->clients.find(service);
    return held == state_->clients.end() ? nullptr : held->second;
}

std::vector<std::shared_ptr<const OAuthClient>> Vault::list_clients() const {
    std::vector<std::shared_ptr<const OAuthClient>> all;
    all.reserve(state_->clients.size());
    for (const auto& [service, client] : state_->clients) all.push_back(client);
    return all;
}

Result<secret::SecretBuffer> Vault::open_client(const OAuthClient& client) const {
    const ScopeIndex* index = state_->find(Scope::organization());
    if (!index || index->key.empty()) return damaged_client(client);
    return vault::open_client(index->key, client, state_->arena, secret::Share::tokens);
}

Result<ClientChange> Vault::stage_client(NewOAuthClient made, store::Batch& batch) {
    const auto held = find_client(made.service.text());
    auto next = std::make_shared<OAuthClient>();
    ClientChange change(next);
    const auto key = state_->key_of(Scope::organization(), change.new_key_, batch);
    if (!key) return refuse(key.error());
    next->service = std::move(made.service);
    next->auth = std::move(made.auth);
    next->client_id = std::move(made.client_id);
    next->fields = std::move(made.fields);
    next->has_secret = !made.secret.empty();
    next->secret_ends_at = made.secret_ends_at;
    next->changed_at = made.now;
    next->changed_by = std::move(made.changed_by);
    next->revision = (held ? held->revision : 0) + 1;
    next->fingerprint = fingerprint_of(state_->keys.fingerprint, made.secret);
    next->sealed = seal_client(**key, *next, made.secret);
    batch.put(store::Table::clients, std::string(next->service.text()), next->revision, write_client(*next));
    return change;
}

ClientChange Vault::stage_erase_client(const OAuthClient& client, store::Batch& batch) {
    ClientChange change(std::make_shared<const OAuthClient>(client));
    change.erases_ = true;
    batch.erase(store::Table::clients, std::string(client.service.text()), client.revision);
    return change;
}

void Vault::apply(ClientChange change) {
    state_->take_key(Scope::organization(), std::move(change.new_key_));
    const std::string service(change.client_->service.text());
    if (change.erases_) {
        state_->clients.erase(service);
    } else {
        state_->clients[service] = std::move(change.client_);
    }
}

} // namespace credlease::vault
