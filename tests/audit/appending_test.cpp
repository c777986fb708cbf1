#define BOOST_TEST_DYN_LINK
#include "failing_disk.hpp"
#include "sample_journal.hpp"
#include "support/allocations.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::audit::test {

using credlease::test::TemporaryFolder;

BOOST_AUTO_TEST_SUITE(appending)

BOOST_AUTO_TEST_CASE(a_record_is_in_the_file_when_its_waiter_is_told) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    BOOST_TEST(sample.replayed.last == 0U);
    BOOST_TEST(!sample.replayed.unclean);
    const auto size = std::filesystem::file_size(sample.log_file());
    BOOST_REQUIRE(sample.issue_now("run-1"));
    BOOST_TEST(std::filesystem::file_size(sample.log_file()) > size);
    BOOST_TEST(sample.journal->last_staged() == 1U);
    BOOST_TEST((read_all(sample) == std::vector<std::string>{"lease.issued run-1"}));
}

BOOST_AUTO_TEST_CASE(records_of_one_turn_go_in_one_write_and_are_numbered_in_order) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    for (std::uint64_t i = 1; i <= 100; ++i) BOOST_TEST(sample.issue(std::to_string(i)).value() == i);
    BOOST_TEST(sample.told.empty()); // nothing before the turn ends
    sample.run_until([&] { return sample.told.size() == 100; });
    for (const auto& [ticket, written] : sample.told) BOOST_TEST(written);
    const auto all = read_all(sample);
    BOOST_TEST(all.size() == 100U);
    BOOST_TEST(all.front() == "lease.issued 100");
}

BOOST_AUTO_TEST_CASE(a_replay_shows_every_record_and_the_numbers_go_on) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    for (int i = 1; i <= 5; ++i) BOOST_REQUIRE(sample.issue_now(std::to_string(i)));
    sample.close();
    sample.open();
    BOOST_TEST(sample.replayed.first == 1U);
    BOOST_TEST(sample.replayed.last == 5U);
    BOOST_TEST(sample.seen.size() == 5U);
    BOOST_TEST(sample.issue("6").value() == 6U);
}

BOOST_AUTO_TEST_CASE(a_clean_end_an_unclean_one_and_another_boot_are_told_apart) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    BOOST_REQUIRE(sample.issue_now("1"));
    sample.close();
    sample.open();
    BOOST_TEST(sample.replayed.unclean);
    BOOST_TEST(!sample.replayed.other_boot);
    sample.close();
    sample.options.boot_id.fill(1);
    sample.open();
    BOOST_TEST((sample.replayed.unclean && sample.replayed.other_boot));
    BOOST_REQUIRE(sample.wait(sample.journal->append_durably({.action = Action::broker_stopped})).has_value());
    sample.close();
    sample.options.boot_id.fill(2);
    sample.open();
    BOOST_TEST((!sample.replayed.unclean && !sample.replayed.other_boot));
}

BOOST_AUTO_TEST_CASE(a_gap_is_in_the_log_before_a_head_of_the_new_boot_is) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    BOOST_REQUIRE(sample.issue_now("1"));
    sample.close();
    sample.options.boot_id.fill(1);
    for (int start = 0; start < 2; ++start) {
        sample.open(); // and nothing else happens in it
        const std::vector<std::string> expected{"lease.issued 1",
                                                "log.gap leases after sequence 1 may be missing from the record"};
        BOOST_TEST((sample.seen == expected));
        BOOST_TEST(sample.journal->head_text().starts_with("2:"));
        sample.close();
    }
}

BOOST_AUTO_TEST_CASE(staging_a_record_allocates_nothing_in_steady_state) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    std::uint64_t allocated = 1;
    for (int turn = 0; turn < 3; ++turn) {
        bool is_done = false;
        sample.loop.post([&] {
            const auto before = credlease::test::allocations();
            for (int i = 0; i < 64; ++i) static_cast<void>(sample.issue("steady"));
            allocated = credlease::test::allocations() - before;
            is_done = true;
        });
        sample.run_until([&] { return is_done && sample.told.size() == 64 * static_cast<std::size_t>(turn + 1); });
    }
    BOOST_TEST(allocated == 0U);
}

BOOST_AUTO_TEST_CASE(the_head_follows_leases_within_its_time_and_only_then) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    BOOST_REQUIRE(sample.issue_now("1"));
    BOOST_TEST(sample.journal->head_text().starts_with("0:"));
    sample.clock.advance(std::chrono::milliseconds(100));
    sample.run_until([&] { return sample.journal->head_text().starts_with("1:"); });
}

BOOST_AUTO_TEST_CASE(durable_leases_wait_for_the_sync) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path(), {.durable_leases = true});
    sample.open();
    const auto before = syncs_of(".log");
    BOOST_REQUIRE(sample.issue_now("1"));
    BOOST_TEST(syncs_of(".log") > before);
    BOOST_TEST(sample.journal->head_text().starts_with("1:"));
}

BOOST_AUTO_TEST_CASE(a_full_segment_is_followed_by_the_next_and_the_chain_goes_on) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path(), {.segment_size = 2000});
    sample.open();
    for (int i = 1; i <= 60; ++i) BOOST_REQUIRE(sample.issue_now(std::to_string(i)));
    sample.close();
    BOOST_TEST(std::filesystem::exists(sample.log_file(3)));
    sample.open();
    BOOST_TEST(sample.seen.size() == 60U);
    BOOST_TEST(sample.journal->verify(std::nullopt).problem == "");
    BOOST_TEST(sample.journal->verify(std::nullopt).records == 60U);
}

BOOST_AUTO_TEST_CASE(many_refusals_are_counted_when_they_get_too_many) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    const std::string long_detail(1000, 'x');
    for (int i = 0; i < 3000; ++i) {
        sample.journal->note({.action = Action::access_refused, .ok = false, .detail = long_detail});
    }
    BOOST_REQUIRE(sample.issue_now("lease")); // there is room for a lease
    std::uint64_t records = 0;
    std::uint64_t refusals = 0;
    sample.run_until([&] {
        records = refusals = 0;
        Journal::Query query{.limit = 10'000};
        static_cast<void>(sample.journal->query(query, [&](const AuditRecord& record) {
            if (record.action == Action::access_refused) refusals += record.count;
            ++records;
        }));
        return refusals == 3000;
    });
    BOOST_TEST(records < 2000U);
}

// A step of a refresh takes longer than the write: an answer would wait for it.
BOOST_AUTO_TEST_CASE(what_has_lined_up_lets_a_lease_go_first_whose_record_is_being_written) {
    const TemporaryFolder folder;
    SampleJournal sample(folder.path());
    sample.open();
    const auto line_up = [&](int turns) {
        auto ran = std::make_shared<bool>(false);
        sample.loop.line_up([ran] { *ran = true; });
        for (int i = 0; i < turns && !*ran; ++i) {
            sample.loop.context().restart();
            sample.loop.context().poll_one();
        }
        return ran;
    };
    HangingDisk disk(Call::write, "/journal/");
    BOOST_REQUIRE(sample.issue("in flight").has_value());
    sample.run_until([&] { return disk.is_reached(); });
    const auto ran = line_up(100);
    BOOST_TEST(!*ran);
    sample.clock.advance(std::chrono::seconds(1)); // it was told that it failed
    sample.run_until([&] { return *ran; });
    disk.let_go();
    sample.run_until([&] { return sample.journal->is_healthy(); });

    HangingDisk another(Call::write, "/journal/");
    sample.journal->note({.action = Action::lease_ended, .run = "nobody waits for it"});
    sample.run_until([&] { return another.is_reached(); });
    BOOST_TEST(*line_up(100));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::audit::test
