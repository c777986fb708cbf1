#include "audit/record_json.hpp"

#include "audit/hex.hpp"

namespace credlease::audit {
namespace {

using vocabulary::AuditRecord;
using wire::JsonWriter;

template <class Id> void write_id(JsonWriter& writer, std::string_view name, const Id& id) {
    writer.member_or_null(name, id == Id{} ? std::string() : id.text());
}

template <class Number> void write_number(JsonWriter& writer, std::string_view name, bool is_there, Number number) {
    writer.key(name);
    is_there ? writer.value(number) : writer.null();
}

void write_peer(JsonWriter& writer, const vocabulary::PeerView& peer) {
    writer.key("peer");
    if (peer.pid == 0 && peer.uid == 0) {
        writer.null();
        return;
    }
    writer.object().member("pid", peer.pid).member("uid", peer.uid);
    writer.member_or_null("exe", peer.exe).member_or_null("unit", peer.unit).close();
}

void write_changes(JsonWriter& writer, std::span<const vocabulary::ChangeView> changes) {
    writer.key("changes").array();
    for (const auto& change : changes) {
        writer.object().member("member", change.member);
        writer.member_or_null("before", change.before).member_or_null("after", change.after).close();
    }
    writer.close();
}

/// Why a lease ended, or an authorization or a refresh failed; null for all else.
std::string_view reason_of(const AuditRecord& record) {
    using vocabulary::Action;
    const bool is_failure = record.action == Action::oauth_failed || record.action == Action::oauth_refresh_failed ||
                            record.action == Action::oauth_in_doubt;
    if (is_failure) return record.detail;
    const bool is_end = record.action == Action::lease_ended || record.action == Action::lease_released;
    return is_end && record.lease_view != nullptr ? text_of(record.lease_view->reason).view() : std::string_view();
}

} // namespace

void write_json(JsonWriter& writer, const AuditRecord& record) {
    const bool has_credential = record.credential != vocabulary::CredentialId{};
    const bool has_fingerprint = record.fingerprint != decltype(record.fingerprint){};
    writer.object().member("seq", record.seq).member("at", record.at).member("action", name_of(record.action));
    writer.member("outcome", record.ok ? "ok" : record.code.empty() ? "failed" : "refused");
    writer.member_or_null("code", record.code);
    writer.member("count", record.count);
    writer.member_or_null("principal", record.principal).member_or_null("on_behalf_of", record.on_behalf_of);
    write_peer(writer, record.peer);
    write_id(writer, "credential", record.credential);
    write_number(writer, "version", has_credential && record.version != 0, record.version);
    write_number(writer, "generation", has_credential && record.version != 0, record.generation);
    writer.member_or_null("fingerprint", has_fingerprint ? hex_of(record.fingerprint) : std::string());
    write_id(writer, "lease", record.lease);
    write_id(writer, "grant", record.grant);
    writer.member_or_null("workflow", record.workflow).member_or_null("run", record.run);
    writer.member_or_null("node", record.node).member("claimed", record.claimed);
    writer.member_or_null("reason", reason_of(record)).member_or_null("detail", record.detail);
    write_changes(writer, record.changes);
    write_id(writer, "request_id", record.request);
    writer.close();
}

} // namespace credlease::audit
