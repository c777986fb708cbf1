#define BOOST_TEST_DYN_LINK
#include "audit/record_json.hpp"
#include "audit/sealed_log.hpp"
#include "support/temporary_folder.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <filesystem>

namespace credlease::audit::test {
namespace {

boost::json::object json_of(const vocabulary::AuditRecord& record) {
    std::string text;
    wire::JsonWriter writer(text);
    write_json(writer, record);
    return boost::json::parse(text).as_object();
}

} // namespace

BOOST_AUTO_TEST_SUITE(record_json)

BOOST_AUTO_TEST_CASE(a_record_shows_as_the_interface_promises) {
    const std::array<vocabulary::ChangeView, 2> changes{
        {{.member = "team", .before = "T1", .after = "T2"}, {.member = "token", .before = "", .after = ""}}};
    const vocabulary::LeaseView lease{.reason = vocabulary::EndReason::holder_exited};
    const vocabulary::AuditRecord record{
        .seq = 812,
        .at = vocabulary::Time(std::chrono::milliseconds(1'795'341'600'123)),
        .action = vocabulary::Action::lease_ended,
        .principal = "worker:etl",
        .peer = {.pid = 4711, .uid = 998, .exe = "/usr/lib/etl/worker", .unit = "etl@3.service"},
        .credential = vocabulary::CredentialId({.high = 1, .low = 2}),
        .version = 3,
        .generation = 41,
        .fingerprint = {0, 1, 2, 3, 0xfc, 0xfd, 0xfe, 0xff},
        .lease = vocabulary::LeaseId({.high = 3, .low = 4}),
        .workflow = "nightly",
        .run = "42",
        .node = "s3",
        .claimed = true,
        .changes = changes,
        .request = vocabulary::RequestId({.high = 5, .low = 6}),
        .lease_view = &lease};
    const auto expected = boost::json::parse(R"({
        "seq": 812, "at": "2026-11-22T10:00:00.123Z", "action": "lease.ended", "outcome": "ok", "code": null, "count": 1,
        "principal": "worker:etl", "on_behalf_of": null,
        "peer": {"pid": 4711, "uid": 998, "exe": "/usr/lib/etl/worker", "unit": "etl@3.service"},
        "credential": "cred_00000000000080000000000002", "version": 3, "generation": 41,
        "fingerprint": "00010203fcfdfeff", "lease": "lease_00000000000180000000000004", "grant": null,
        "workflow": "nightly", "run": "42", "node": "s3", "claimed": true, "reason": "holder_exited", "detail": null,
        "changes": [{"member": "team", "before": "T1", "after": "T2"}, {"member": "token", "before": null, "after": null}],
        "request_id": "req_00000000000280000000000006" })");
    auto shown = json_of(record);
    for (const char* id : {"credential", "lease", "request_id"}) shown[id] = expected.as_object().at(id);
    BOOST_TEST(boost::json::value(shown) == expected);
    BOOST_TEST(json_of(record).at("credential").as_string() == record.credential.text());
    BOOST_TEST(json_of(record).at("lease").as_string() == record.lease.text());
    BOOST_TEST(json_of(record).at("request_id").as_string() == record.request.text());
}

BOOST_AUTO_TEST_CASE(what_a_record_does_not_have_is_null) {
    const auto shown = json_of({.action = vocabulary::Action::broker_started});
    for (const char* name :
         {"code", "principal", "on_behalf_of", "peer", "credential", "version", "generation", "fingerprint", "lease",
          "grant", "workflow", "run", "node", "reason", "detail", "request_id"}) {
        BOOST_TEST(shown.at(name).is_null(), name);
    }
    BOOST_TEST(shown.at("changes").as_array().empty());
    BOOST_TEST(shown.at("claimed").as_bool() == false);
}

BOOST_AUTO_TEST_CASE(a_refusal_and_a_failure_are_told_apart) {
    const auto outcome = [](std::string_view code) {
        const auto shown = json_of({.action = vocabulary::Action::lease_refused, .ok = false, .code = code});
        return std::string(shown.at("outcome").as_string());
    };
    BOOST_TEST(outcome("unauthenticated") == "refused");
    BOOST_TEST(outcome("") == "failed");
}

BOOST_AUTO_TEST_CASE(what_happens_while_sealed_is_counted_until_it_is_recorded) {
    const credlease::test::TemporaryFolder folder;
    SealedLog log(folder.path() / "sealed.log");
    BOOST_TEST((log.read() == SealedLog::Counts{}));
    log.note_start();
    log.note_refused_unseal();
    log.note_refused_unseal();
    log.note_stop();
    SealedLog(folder.path() / "sealed.log").note_start(); // the next start
    BOOST_TEST((log.read() == SealedLog::Counts{.starts = 2, .stops = 1, .refused_unseals = 2}));
    log.clear();
    BOOST_TEST((log.read() == SealedLog::Counts{}));
    log.note_start();
    BOOST_TEST((log.read() == SealedLog::Counts{.starts = 1}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
