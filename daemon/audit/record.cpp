#include "audit/encoding.hpp"

#include <limits>

namespace credlease::audit {
namespace {

using vocabulary::AuditRecord;
using vocabulary::LeaseView;
using vocabulary::Time;

constexpr std::uint64_t latest_time = 253'402'300'799'999; ///< the last millisecond of the year 9999

/// What is there besides action and time. The bit numbers are part of the format.
enum Member : std::uint32_t {
    refused = 1U << 0,
    code = 1U << 1,
    count = 1U << 2,
    principal = 1U << 3,
    on_behalf_of = 1U << 4,
    peer = 1U << 5,
    exe = 1U << 6,
    unit = 1U << 7,
    credential = 1U << 8,
    version = 1U << 9,
    generation = 1U << 10,
    fingerprint = 1U << 11,
    lease = 1U << 12,
    grant = 1U << 13,
    workflow = 1U << 14,
    run = 1U << 15,
    node = 1U << 16,
    claimed = 1U << 17,
    detail = 1U << 18,
    changes = 1U << 19,
    request = 1U << 20,
    lease_view = 1U << 21,
};
constexpr std::uint32_t all_members = (1U << 22) - 1;

std::uint32_t members_of(const AuditRecord& record) {
    std::uint32_t there = 0;
    const auto mark = [&](bool is_there, Member member) {
        if (is_there) there |= member;
    };
    mark(!record.ok, refused);
    mark(!record.code.empty(), code);
    mark(record.count != 1, count);
    mark(!record.principal.empty(), principal);
    mark(!record.on_behalf_of.empty(), on_behalf_of);
    mark(record.peer.pid != 0 || record.peer.uid != 0, peer);
    mark(!record.peer.exe.empty(), exe);
    mark(!record.peer.unit.empty(), unit);
    mark(record.credential != vocabulary::CredentialId{}, credential);
    mark(record.version != 0, version);
    mark(record.generation != 0, generation);
    mark(record.fingerprint != decltype(record.fingerprint){}, fingerprint);
    mark(record.lease != vocabulary::LeaseId{}, lease);
    mark(record.grant != vocabulary::GrantId{}, grant);
    mark(!record.workflow.empty(), workflow);
    mark(!record.run.empty(), run);
    mark(!record.node.empty(), node);
    mark(record.claimed, claimed);
    mark(!record.detail.empty(), detail);
    mark(!record.changes.empty(), changes);
    mark(record.request != vocabulary::RequestId{}, request);
    mark(record.lease_view != nullptr, lease_view);
    return there;
}

std::uint64_t milliseconds(Time time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }

void write_ulid(Encoder& out, const vocabulary::Ulid& id) {
    out.bytes(mac::little_endian(id.high));
    out.bytes(mac::little_endian(id.low));
}

void write_lease(Encoder& out, const LeaseView& view, Time at) {
    out.signed_number((view.expires_at - at).count());
    out.signed_number((view.renewable_until - at).count());
    out.byte(static_cast<std::uint8_t>(view.binding));
    out.byte(static_cast<std::uint8_t>(view.limited_by));
    out.byte(static_cast<std::uint8_t>(view.reason));
    out.number(view.holder_start);
    out.fixed(view.boot_id);
    out.number(std::uint64_t{view.field_order} << 32 | view.fields);
    out.text(view.scope);
    out.text(view.idempotency_key);
    if (!view.idempotency_key.empty()) out.fixed(view.body_digest);
}

void write_changes(Encoder& out, std::span<const vocabulary::ChangeView> made) {
    out.number(made.size());
    for (const auto& change : made) {
        out.text(change.member);
        out.text(change.before);
        out.text(change.after);
    }
}

template <class Id> Id read_id(Decoder& in) {
    vocabulary::Ulid id;
    id.high = in.fixed_number();
    id.low = in.fixed_number();
    return Id(id);
}

/// Within the years that can be shown.
Time read_time(Decoder& in, std::uint64_t value) {
    if (value > latest_time) in.fail();
    return Time(vocabulary::Duration(in.failed() ? 0 : static_cast<std::int64_t>(value)));
}

Time read_offset(Decoder& in, Time at) {
    return read_time(in, milliseconds(at) + static_cast<std::uint64_t>(in.signed_number()));
}

template <class Choice> Choice read_choice(Decoder& in, Choice last) {
    const auto value = in.byte();
    if (value > static_cast<std::uint8_t>(last)) in.fail();
    return in.failed() ? Choice{} : static_cast<Choice>(value);
}

void read_lease(Decoder& in, LeaseView& view, Time at) {
    view.expires_at = read_offset(in, at);
    view.renewable_until = read_offset(in, at);
    view.binding = read_choice(in, vocabulary::Binding::none);
    view.limited_by = read_choice(in, vocabulary::LimitedBy::token);
    view.reason = read_choice(in, vocabulary::EndReason::undelivered);
    view.holder_start = in.number();
    view.boot_id = in.fixed<16>();
    const auto fields = in.number();
    view.fields = static_cast<std::uint32_t>(fields);
    view.field_order = static_cast<std::uint32_t>(fields >> 32);
    view.scope = in.text();
    view.idempotency_key = in.text();
    if (!view.idempotency_key.empty()) view.body_digest = in.fixed<16>();
}

void read_changes(Decoder& in, std::vector<vocabulary::ChangeView>& made) {
    const auto number = in.number(in.left()); // each takes a byte at least
    for (std::uint64_t i = 0; i < number && !in.failed(); ++i) {
        vocabulary::ChangeView change;
        change.member = in.text();
        change.before = in.text();
        change.after = in.text();
        made.push_back(change);
    }
}

void read_peer(Decoder& in, std::uint32_t there, vocabulary::PeerView& view) {
    using Pid = std::numeric_limits<std::int32_t>;
    if ((there & peer) != 0) {
        const auto pid = in.signed_number();
        if (pid < Pid::min() || pid > Pid::max()) return in.fail();
        view.pid = static_cast<std::int32_t>(pid);
        view.uid = static_cast<std::uint32_t>(in.number(std::numeric_limits<std::uint32_t>::max()));
    }
    if ((there & exe) != 0) view.exe = in.text();
    if ((there & unit) != 0) view.unit = in.text();
}

void read_subject(Decoder& in, std::uint32_t there, AuditRecord& record) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    if ((there & credential) != 0) record.credential = read_id<vocabulary::CredentialId>(in);
    if ((there & version) != 0) record.version = static_cast<std::uint32_t>(in.number(most));
    if ((there & generation) != 0) record.generation = in.number();
    if ((there & fingerprint) != 0) record.fingerprint = in.fixed<8>();
    if ((there & lease) != 0) record.lease = read_id<vocabulary::LeaseId>(in);
    if ((there & grant) != 0) record.grant = read_id<vocabulary::GrantId>(in);
    if ((there & workflow) != 0) record.workflow = in.text();
    if ((there & run) != 0) record.run = in.text();
    if ((there & node) != 0) record.node = in.text();
    record.claimed = (there & claimed) != 0;
}

} // namespace

void write_record(Encoder& out, const AuditRecord& record) {
    const auto there = members_of(record);
    out.byte(static_cast<std::uint8_t>(record.action));
    out.number(milliseconds(record.at));
    out.number(there);
    if ((there & code) != 0) out.text(record.code);
    if ((there & count) != 0) out.number(record.count);
    if ((there & principal) != 0) out.text(record.principal);
    if ((there & on_behalf_of) != 0) out.text(record.on_behalf_of);
    if ((there & peer) != 0) {
        out.signed_number(record.peer.pid);
        out.number(record.peer.uid);
    }
    if ((there & exe) != 0) out.text(record.peer.exe);
    if ((there & unit) != 0) out.text(record.peer.unit);
    if ((there & credential) != 0) write_ulid(out, record.credential.value());
    if ((there & version) != 0) out.number(record.version);
    if ((there & generation) != 0) out.number(record.generation);
    if ((there & fingerprint) != 0) out.fixed(record.fingerprint);
    if ((there & lease) != 0) write_ulid(out, record.lease.value());
    if ((there & grant) != 0) write_ulid(out, record.grant.value());
    if ((there & workflow) != 0) out.text(record.workflow);
    if ((there & run) != 0) out.text(record.run);
    if ((there & node) != 0) out.text(record.node);
    if ((there & detail) != 0) out.text(record.detail);
    if ((there & changes) != 0) write_changes(out, record.changes);
    if ((there & request) != 0) write_ulid(out, record.request.value());
    if ((there & lease_view) != 0) write_lease(out, *record.lease_view, record.at);
}

namespace {

/// The numbers of the actions come in groups (vocabulary/audit_record.hpp); anything else was never written.
bool is_action(std::uint8_t number) {
    using vocabulary::Action;
    const auto within = [number](Action first, Action last) {
        return number >= static_cast<std::uint8_t>(first) && number <= static_cast<std::uint8_t>(last);
    };
    return within(Action::credential_created, Action::credential_expired) ||
           within(Action::lease_issued, Action::lease_refused) ||
           within(Action::grant_minted, Action::access_refused) ||
           within(Action::broker_started, Action::change_not_made) ||
           within(Action::oauth_started, Action::oauth_rescued) ||
           within(Action::oauth_client_changed, Action::oauth_client_ending);
}

} // namespace

result::Result<> read_record(Bytes bytes, std::uint64_t seq, Decoded& into) {
    Decoder in(bytes);
    into.changes.clear();
    into.lease = {};
    auto& record = into.record;
    record = {};
    record.seq = seq;
    const auto action = in.byte();
    if (!is_action(action)) in.fail();
    record.action = is_action(action) ? static_cast<vocabulary::Action>(action) : vocabulary::Action::access_refused;
    record.at = read_time(in, in.number());
    const auto there = static_cast<std::uint32_t>(in.number(all_members));
    record.ok = (there & refused) == 0;
    if ((there & code) != 0) record.code = in.text();
    if ((there & count) != 0) record.count = static_cast<std::uint32_t>(in.number(0xffff'ffffU));
    if ((there & principal) != 0) record.principal = in.text();
    if ((there & on_behalf_of) != 0) record.on_behalf_of = in.text();
    read_peer(in, there, record.peer);
    read_subject(in, there, record);
    if ((there & detail) != 0) record.detail = in.text();
    if ((there & changes) != 0) read_changes(in, into.changes);
    record.changes = into.changes;
    if ((there & request) != 0) record.request = read_id<vocabulary::RequestId>(in);
    if ((there & lease_view) != 0) {
        read_lease(in, into.lease, record.at);
        record.lease_view = &into.lease;
    }
    if (in.failed() || in.left() != 0) {
        return result::refuse({.code = result::ErrorCode::damaged,
                               .sentence = "An audit record can't be read.",
                               .next_step = "Run `credlease audit verify`.",
                               .about = result::PublicText::of("record " + std::to_string(seq))});
    }
    return {};
}

} // namespace credlease::audit
