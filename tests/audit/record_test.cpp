#define BOOST_TEST_DYN_LINK
#include "audit/encoding.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <random>

namespace credlease::audit::test {
namespace {

using vocabulary::AuditRecord;

/// A record in which every member is set.
struct FullRecord {
    FullRecord() {
        view.expires_at = at + std::chrono::minutes(15);
        view.renewable_until = at + std::chrono::hours(24);
        view.binding = vocabulary::Binding::none;
        view.limited_by = vocabulary::LimitedBy::token;
        view.reason = vocabulary::EndReason::undelivered;
        view.holder_start = 123456;
        view.boot_id.fill(7);
        view.fields = 5;
        view.field_order = 0xfedc'ba98;
        view.scope = "workspace:acme";
        view.idempotency_key = "key-1";
        view.body_digest.fill(9);
        record = {.at = at,
                  .action = vocabulary::Action::lease_issued,
                  .ok = false,
                  .code = "overloaded",
                  .count = 3,
                  .principal = "worker:etl",
                  .on_behalf_of = "user:flows/alice",
                  .peer = {.pid = 4711, .uid = 998, .exe = "/usr/lib/etl/worker", .unit = "etl@3.service"},
                  .credential = vocabulary::CredentialId({.high = 1, .low = 2}),
                  .version = 3,
                  .generation = 41,
                  .fingerprint = {1, 2, 3, 4, 5, 6, 7, 8},
                  .lease = vocabulary::LeaseId({.high = 3, .low = 4}),
                  .grant = vocabulary::GrantId({.high = 5, .low = 6}),
                  .workflow = "nightly",
                  .run = "42",
                  .node = "s3",
                  .claimed = true,
                  .detail = "about",
                  .changes = changes,
                  .request = vocabulary::RequestId({.high = 7, .low = 8}),
                  .lease_view = &view};
    }

    vocabulary::Time at{std::chrono::milliseconds(1'795'341'600'123)};
    vocabulary::LeaseView view;
    std::array<vocabulary::ChangeView, 2> changes{
        {{.member = "team", .before = "T1", .after = "T2"}, {.member = "token", .before = "", .after = ""}}};
    AuditRecord record;
};

Buffer encode(const AuditRecord& record) {
    Buffer bytes;
    Encoder out(bytes);
    write_record(out, record);
    return bytes;
}

void check_same(const vocabulary::LeaseView& left, const vocabulary::LeaseView& right) {
    BOOST_TEST((left.expires_at == right.expires_at && left.renewable_until == right.renewable_until));
    BOOST_TEST((left.binding == right.binding && left.limited_by == right.limited_by && left.reason == right.reason));
    BOOST_TEST(left.holder_start == right.holder_start);
    BOOST_TEST((left.boot_id == right.boot_id));
    BOOST_TEST(left.fields == right.fields);
    BOOST_TEST(left.field_order == right.field_order);
    BOOST_TEST(left.scope == right.scope);
    BOOST_TEST(left.idempotency_key == right.idempotency_key);
    BOOST_TEST((left.body_digest == right.body_digest));
}

void check_same(const AuditRecord& left, const AuditRecord& right) {
    BOOST_TEST((left.at == right.at && left.action == right.action && left.ok == right.ok));
    BOOST_TEST(left.code == right.code);
    BOOST_TEST(left.count == right.count);
    BOOST_TEST(left.principal == right.principal);
    BOOST_TEST(left.on_behalf_of == right.on_behalf_of);
    BOOST_TEST((left.peer.pid == right.peer.pid && left.peer.uid == right.peer.uid));
    BOOST_TEST(left.peer.exe == right.peer.exe);
    BOOST_TEST(left.peer.unit == right.peer.unit);
    BOOST_TEST((left.credential == right.credential && left.lease == right.lease && left.grant == right.grant));
    BOOST_TEST((left.version == right.version && left.generation == right.generation));
    BOOST_TEST((left.fingerprint == right.fingerprint));
    BOOST_TEST(left.workflow == right.workflow);
    BOOST_TEST(left.run == right.run);
    BOOST_TEST(left.node == right.node);
    BOOST_TEST((left.claimed == right.claimed && left.request == right.request));
    BOOST_TEST(left.detail == right.detail);
    BOOST_REQUIRE(left.changes.size() == right.changes.size());
    for (std::size_t i = 0; i < left.changes.size(); ++i) {
        BOOST_TEST(left.changes[i].member == right.changes[i].member);
        BOOST_TEST(left.changes[i].before == right.changes[i].before);
        BOOST_TEST(left.changes[i].after == right.changes[i].after);
    }
    BOOST_REQUIRE((left.lease_view != nullptr) == (right.lease_view != nullptr));
    if (left.lease_view != nullptr) check_same(*left.lease_view, *right.lease_view);
}

} // namespace

BOOST_AUTO_TEST_SUITE(records)

BOOST_AUTO_TEST_CASE(a_record_comes_back_as_it_was_written) {
    const FullRecord full;
    Decoded decoded;
    const auto whole = encode(full.record);
    BOOST_REQUIRE(read_record(whole, 812, decoded).has_value());
    BOOST_TEST(decoded.record.seq == 812U);
    check_same(decoded.record, full.record);

    const AuditRecord empty{.at = full.at, .action = vocabulary::Action::broker_started};
    const auto little = encode(empty);
    BOOST_REQUIRE(read_record(little, 1, decoded).has_value());
    check_same(decoded.record, empty);
    BOOST_TEST(encode(empty).size() <= 9U); // what is absent costs nothing
}

BOOST_AUTO_TEST_CASE(a_leases_record_is_small) {
    FullRecord full;
    auto& record = full.record;
    record.ok = true;
    record.code = record.on_behalf_of = record.detail = {};
    record.count = 1;
    record.changes = {};
    record.grant = {};
    full.view.idempotency_key = {};
    BOOST_TEST(encode(record).size() <= 220U);
}

BOOST_AUTO_TEST_CASE(numbers_of_all_sizes_come_back) {
    for (unsigned shift = 0; shift < 64; ++shift) {
        for (const std::int64_t sign : {1, -1}) {
            Buffer bytes;
            const auto value =
                static_cast<std::int64_t>(sign < 0 ? -(std::uint64_t{1} << shift) : std::uint64_t{1} << shift);
            Encoder(bytes).signed_number(value);
            Encoder(bytes).number(static_cast<std::uint64_t>(value));
            Decoder in(bytes);
            BOOST_TEST(in.signed_number() == value);
            BOOST_TEST(in.number() == static_cast<std::uint64_t>(value));
            BOOST_TEST((!in.failed() && in.left() == 0));
        }
    }
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_record_are_refused) {
    const FullRecord full;
    const auto bytes = encode(full.record);
    Decoded decoded;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        BOOST_TEST(!read_record(Bytes(bytes).first(size), 1, decoded).has_value());
    }
    auto longer = bytes;
    longer.push_back(std::byte{0});
    BOOST_TEST(!read_record(longer, 1, decoded).has_value());
    auto unknown = bytes;
    unknown[0] = std::byte{250}; // no such action
    BOOST_TEST(!read_record(unknown, 1, decoded).has_value());
    for (const auto* text : {"\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\x20\x01\xff\xff\xff\xff\x0f"}) {
        const std::string_view view(text);
        BOOST_TEST(!read_record(mac::bytes_of(view), 1, decoded).has_value());
    }
}

BOOST_AUTO_TEST_CASE(whatever_the_bytes_are_reading_stays_within_them) {
    const FullRecord full;
    const auto bytes = encode(full.record);
    std::mt19937 random(1);
    Decoded decoded;
    for (int round = 0; round < 20'000; ++round) {
        auto altered = bytes;
        for (int i = 0; i < 3; ++i) altered[random() % altered.size()] = static_cast<std::byte>(random());
        altered.resize(random() % 8 == 0 ? random() % altered.size() : altered.size());
        const Buffer exact(altered.begin(), altered.end()); // so that a sanitizer sees the end
        if (!read_record(exact, 1, decoded)) continue;
        Decoded again;
        BOOST_REQUIRE(read_record(encode(decoded.record), 1, again).has_value());
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
