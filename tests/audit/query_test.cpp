#define BOOST_TEST_DYN_LINK
#include "sample_journal.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

namespace credlease::audit::test {
namespace {

using credlease::test::TemporaryFolder;
using Texts = std::vector<std::string>;

vocabulary::CredentialId credential(std::uint64_t number) {
    return vocabulary::CredentialId({.high = 7, .low = number});
}

vocabulary::LeaseId lease(std::uint64_t number) {
    return vocabulary::LeaseId({.high = 9, .low = number * 0x9e37'79b9'7f4a'7c15}); // as random as an id's half
}

/// Two hundred leases of twenty credentials, a minute apart, over several segments; each tenth is a renewal.
struct History {
    History() : sample(folder.path(), {.segment_size = 3000}) {
        sample.options.segment_begun = [this] {
            BOOST_TEST(sample.journal->checkpoint({.take = [](const auto&) {}, .give = [](const auto&) {}}));
        };
        sample.open();
        begin = sample.clock.wall();
        for (std::uint64_t i = 0; i < 200; ++i) {
            const auto run = std::to_string(i);
            AuditRecord record{.action = i % 10 == 9 ? Action::lease_renewed : Action::lease_issued,
                               .principal = i % 2 == 0 ? "worker:etl" : "worker:web",
                               .credential = credential(i < 100 ? i % 10 : 10 + i % 10),
                               .lease = lease(i),
                               .workflow = "nightly",
                               .run = run};
            if (i % 50 == 0) record.on_behalf_of = "user:flows/alice";
            bool is_written = false;
            static_cast<void>(sample.journal->append(
                record, {.call = [](void* done, std::uint64_t, bool written) { *static_cast<bool*>(done) = written; },
                         .self = &is_written}));
            sample.run_until([&] { return is_written; });
            sample.clock.advance(std::chrono::minutes(1));
        }
        sample.let_head_follow();
    }

    Texts ask(Journal::Query query) {
        Texts runs;
        const auto read =
            sample.journal->query(query, [&](const AuditRecord& record) { runs.emplace_back(record.run); });
        BOOST_REQUIRE(read.has_value());
        next = *read;
        return runs;
    }

    TemporaryFolder folder;
    SampleJournal sample;
    vocabulary::Time begin;
    std::uint64_t next = 0;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(queries, History)

BOOST_AUTO_TEST_CASE(the_newest_come_first_and_pages_repeat_and_skip_nothing) {
    Texts all;
    std::uint64_t before = 0;
    do {
        Journal::Query query;
        query.limit = 7;
        query.before = before;
        const auto page = ask(query);
        BOOST_TEST(page.size() <= 7U);
        all.insert(all.end(), page.begin(), page.end());
        before = next;
    } while (before != 0);
    BOOST_REQUIRE(all.size() == 200U);
    for (std::size_t i = 0; i < all.size(); ++i) BOOST_TEST(all[i] == std::to_string(199 - i));
}

BOOST_AUTO_TEST_CASE(a_query_that_may_look_through_a_part_goes_on_where_it_stopped) {
    Journal::Query query;
    query.parts = 1;
    query.run = "17";
    Texts all;
    int looks = 0;
    do {
        const auto found = ask(query);
        all.insert(all.end(), found.begin(), found.end());
        query.before = next;
        ++looks;
    } while (next != 0);
    BOOST_TEST((all == Texts{"17"}));
    BOOST_TEST(looks > 5); // one a segment at least
    query = {};
    query.parts = 1000;
    query.limit = 1000;
    BOOST_TEST(ask(query).size() == 200U);
    BOOST_TEST(next == 0U);
}

BOOST_AUTO_TEST_CASE(each_condition_filters) {
    Journal::Query query;
    query.limit = 1000;
    query.credential = credential(3);
    BOOST_TEST((ask(query) == Texts{"93", "83", "73", "63", "53", "43", "33", "23", "13", "3"}));
    query.since = begin + std::chrono::minutes(23);
    query.until = begin + std::chrono::minutes(43);
    BOOST_TEST((ask(query) == Texts{"33", "23"})); // from `since` on, before `until`

    query = {};
    query.limit = 1000;
    query.action = "lease.renewed";
    BOOST_TEST(ask(query).size() == 20U);
    query.action = "lease.*";
    BOOST_TEST(ask(query).size() == 200U);
    query.action = "grant.*";
    BOOST_TEST(ask(query).empty());
    query.action.clear();
    query.principal = "worker:web";
    BOOST_TEST(ask(query).size() == 100U);
    query.principal = "user:flows/alice";
    BOOST_TEST((ask(query) == Texts{"150", "100", "50", "0"}));
    query.principal.clear();
    query.workflow = "nightly";
    query.run = "17";
    BOOST_TEST((ask(query) == Texts{"17"}));
    query.run.clear();
    query.workflow = "weekly";
    BOOST_TEST(ask(query).empty());
    query.workflow.clear();
    query.keep = [](const AuditRecord& record) { return record.run.starts_with("19"); };
    BOOST_TEST(ask(query).size() == 11U);
}

BOOST_AUTO_TEST_CASE(a_query_by_credential_reads_the_index_and_not_the_segments) {
    Journal::Query query;
    query.limit = 1000;
    query.credential = credential(15); // of the newer half only
    BOOST_TEST(ask(query).size() == 10U);
    const auto index = sample.log_file(0).replace_extension(".idx");
    BOOST_TEST(std::filesystem::exists(index));
    flip(sample.log_file(0), 300); // the old half need not be read any more
    BOOST_TEST(ask(query).size() == 10U);
    query.credential = credential(3);
    BOOST_TEST(!sample.journal->query(query, [](const AuditRecord&) {}).has_value());
}

BOOST_AUTO_TEST_CASE(a_query_by_lease_reads_the_index_and_then_its_segment_alone) {
    Journal::Query query;
    query.limit = 1000;
    for (const std::uint64_t number : {0U, 17U, 199U}) {
        query.lease = lease(number);
        BOOST_TEST((ask(query) == Texts{std::to_string(number)}));
    }
    for (std::size_t i = 0; sample.log_file(i) != sample.last_log_file(); ++i) {
        flip(sample.log_file(i), 300); // that none of them verifies does not matter to who does not read them
    }
    query.lease = lease(199);
    BOOST_TEST((ask(query) == Texts{"199"}));
    query.lease = lease(12'345);
    BOOST_TEST(ask(query).empty());
    query.lease = lease(17);
    BOOST_TEST(!sample.journal->query(query, [](const AuditRecord&) {}).has_value());
}

BOOST_AUTO_TEST_CASE(an_index_that_was_tampered_with_is_made_anew) {
    Journal::Query query;
    query.limit = 1000;
    query.credential = credential(3);
    const auto answer = ask(query);
    const auto index = sample.log_file(0).replace_extension(".idx");
    flip(index, 20);
    BOOST_TEST((ask(query) == answer));
    std::filesystem::resize_file(index, 3);
    BOOST_TEST((ask(query) == answer));
    std::filesystem::remove(index);
    BOOST_TEST((ask(query) == answer));
    BOOST_TEST(std::filesystem::exists(index));
}

BOOST_AUTO_TEST_CASE(the_growing_segment_is_read_as_far_as_it_was_written) {
    for (int i = 200; i < 230; ++i) {
        BOOST_REQUIRE(sample.issue_now(std::to_string(i)));
        Journal::Query query;
        query.limit = 2;
        BOOST_TEST((ask(query) == Texts{std::to_string(i), std::to_string(i - 1)}));
    }
    sample.close();
    sample.open();
    Journal::Query query;
    query.limit = 1000;
    BOOST_TEST(ask(query).size() == 230U);
}

BOOST_AUTO_TEST_CASE(the_log_verifies_and_names_the_first_bad_record) {
    const auto sound = sample.journal->verify(std::nullopt);
    BOOST_TEST(sound.problem == "");
    BOOST_TEST((sound.first == 1U && sound.last == 200U && sound.records == 200U));
    BOOST_TEST(!sound.first_bad.has_value());
    flip(sample.log_file(2), 400);
    const auto bad = sample.journal->verify(std::nullopt);
    BOOST_REQUIRE(bad.first_bad.has_value());
    const auto first = std::stoull(sample.log_file(2).stem().string());
    BOOST_TEST((*bad.first_bad >= first && *bad.first_bad <= first + 5));
    BOOST_TEST(bad.problem.contains(sample.log_file(2).filename().string()));
}

BOOST_AUTO_TEST_CASE(an_anchor_must_lie_on_the_chain) {
    const auto anchor = sample.journal->head_text();
    BOOST_TEST(anchor.starts_with("200:"));
    BOOST_REQUIRE(sample.issue_now("later"));
    BOOST_TEST(sample.journal->verify(Journal::read_anchor(anchor)).problem == "");
    auto other = anchor;
    other.back() = other.back() == '0' ? '1' : '0';
    BOOST_TEST(sample.journal->verify(Journal::read_anchor(other)).first_bad.value() == 200U);
    BOOST_TEST(sample.journal->verify(Journal::read_anchor("300" + anchor.substr(3))).problem.contains("ends before"));
    for (const char* nonsense : {"", "200", "200:", "200:zz", ":00", "x:00"}) {
        BOOST_TEST(!Journal::read_anchor(nonsense).has_value());
    }
}

BOOST_AUTO_TEST_CASE(a_log_and_head_that_were_rolled_back_are_found_by_an_anchor) {
    sample.close();
    credlease::test::copy_over(folder.path() / "journal", folder.path() / "old.journal");
    credlease::test::copy_over(folder.path() / "audit.head", folder.path() / "old.head");
    sample.open();
    BOOST_REQUIRE(sample.issue_now("hidden"));
    sample.let_head_follow();
    const auto anchor = sample.journal->head_text();
    sample.close();
    credlease::test::copy_over(folder.path() / "old.journal", folder.path() / "journal");
    credlease::test::copy_over(folder.path() / "old.head", folder.path() / "audit.head");
    sample.open();
    BOOST_REQUIRE(sample.issue_now("another"));
    BOOST_TEST(sample.journal->verify(Journal::read_anchor(anchor)).first_bad.value() == 201U);
}

BOOST_AUTO_TEST_CASE(pruning_drops_whole_old_segments_behind_a_checkpoint) {
    const auto prune = [&](vocabulary::Duration keep, std::uint64_t most) {
        BOOST_REQUIRE(sample.wait(sample.journal->prune(keep, most, *sample.bulk)).has_value());
    };
    prune(std::chrono::hours(24), 0);
    BOOST_TEST(sample.journal->verify(std::nullopt).first == 1U);      // nothing was that old
    prune(sample.clock.wall() - begin - std::chrono::minutes(100), 0); // the head took some time to follow
    const auto verdict = sample.journal->verify(std::nullopt);
    BOOST_TEST(verdict.problem == "");
    BOOST_TEST((verdict.first > 60U && verdict.first <= 101U), verdict.first);
    BOOST_TEST(verdict.last == 201U);
    const auto pruned = read_all(sample).front();
    BOOST_TEST(pruned.starts_with("log.pruned records 1 to " + std::to_string(verdict.first - 1) + ", chain "));
    sample.close();
    sample.open();
    BOOST_TEST(sample.replayed.first == verdict.first);
    prune(std::chrono::hours(24), 1);
    BOOST_TEST(sample.journal->verify(std::nullopt).problem == "");
    BOOST_TEST(sample.journal->verify(std::nullopt).records < 40U); // the last segment, and what says so
    sample.close();
    sample.open();
}

BOOST_AUTO_TEST_CASE(a_segment_that_goes_without_pruning_is_noticed) {
    std::filesystem::remove(sample.log_file(0));
    const auto verdict = sample.journal->verify(std::nullopt);
    BOOST_TEST(verdict.first_bad.value() == 1U);
    BOOST_TEST(verdict.problem.contains("never pruned"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
