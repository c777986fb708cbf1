#define BOOST_TEST_DYN_LINK
#include "sample_store.hpp"
#include "support/small_disk.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <string_view>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace credlease::store::test {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> files_of(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
        std::ifstream in(entry.path(), std::ios::binary);
        files[entry.path().filename()] = {std::istreambuf_iterator<char>(in), {}};
    }
    return files;
}

/// RocksDB's log, as a process that was killed leaves it: the child writes `records` and goes without closing.
fs::path write_and_die(const fs::path& data, int records) {
    const pid_t child = fork();
    if (child == 0) {
        SampleKeys keys;
        auto opened = open_and_load(data, keys);
        for (int i = 0; i < records; ++i) {
            if (!apply(*opened.store, put("k" + std::to_string(i), 1, std::string(300, 'v')))) _exit(1);
        }
        _exit(opened.store->sync() ? 0 : 1);
    }
    int status = 0;
    BOOST_REQUIRE(waitpid(child, &status, 0) == child);
    BOOST_REQUIRE(status == 0);
    for (const auto& entry : fs::directory_iterator(data / "store")) {
        if (entry.path().extension() == ".log" && entry.file_size() > 0) return entry.path();
    }
    BOOST_FAIL("no log");
    return {};
}

/// Of this process's threads with that name.
std::vector<int> nice_values_of(std::string_view name) {
    std::vector<int> values;
    for (const auto& task : fs::directory_iterator("/proc/self/task")) {
        std::string comm;
        std::getline(std::ifstream(task.path() / "comm"), comm);
        if (comm != name) continue;
        values.push_back(::getpriority(PRIO_PROCESS, static_cast<id_t>(std::stoi(task.path().filename()))));
    }
    return values;
}

} // namespace

BOOST_AUTO_TEST_SUITE(opening)

BOOST_AUTO_TEST_CASE(rocksdb_s_own_threads_go_behind_the_leases) {
    const credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    const auto opened = open_and_load(folder.path(), keys);
    constexpr int least = 19;
    const std::vector<int> behind{std::min(::getpriority(PRIO_PROCESS, 0) + 10, least)};
    for (const auto* const name : {"rocksdb:high", "rocksdb:low"}) {
        for (int i = 0; i < 500 && nice_values_of(name) != behind; ++i)
            ::usleep(10'000); // they come when there is work
        BOOST_TEST((nice_values_of(name) == behind), name);
    }
}

BOOST_AUTO_TEST_CASE(a_second_opener_is_refused_with_a_sentence) {
    const credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    const auto opened = open_and_load(folder.path(), keys);
    const auto second = Store::open(folder.path());
    BOOST_REQUIRE(!second.has_value());
    BOOST_TEST((second.error().code == result::ErrorCode::configuration));
    BOOST_TEST(second.error().detail().starts_with("Another broker is using this data directory"));
}

BOOST_AUTO_TEST_CASE(a_store_of_a_newer_format_is_refused_by_name_and_not_touched) {
    const credlease::test::TemporaryFolder folder;
    SampleKeys keys;
    open_and_load(folder.path(), keys);
    Tampering(folder.path()).put(std::string(1, '\0') + "format", "2");
    const auto before = files_of(folder.path() / "store");
    const auto opened = Store::open(folder.path());
    BOOST_REQUIRE(!opened.has_value());
    BOOST_TEST((opened.error().code == result::ErrorCode::configuration));
    BOOST_TEST(opened.error().detail().contains("written by a newer version of Credlease"));
    BOOST_TEST(opened.error().detail().contains("format 2"));
    BOOST_TEST((files_of(folder.path() / "store") == before));
}

BOOST_AUTO_TEST_CASE(a_bit_flipped_in_the_middle_of_the_log_is_refused_and_the_file_named) {
    const credlease::test::TemporaryFolder folder;
    const auto log = write_and_die(folder.path(), 500);
    {
        std::fstream file(log, std::ios::in | std::ios::out | std::ios::binary);
        const auto middle = static_cast<std::streamoff>(fs::file_size(log) / 2);
        file.seekg(middle);
        const char byte = static_cast<char>(file.get());
        file.seekp(middle);
        file.put(static_cast<char>(byte ^ 1));
    }
    const auto before = files_of(folder.path() / "store");
    const auto opened = Store::open(folder.path());
    BOOST_REQUIRE(!opened.has_value());
    BOOST_TEST((opened.error().code == result::ErrorCode::damaged));
    BOOST_TEST(opened.error().detail().contains(log.stem().string()), opened.error().detail());
    BOOST_TEST((files_of(folder.path() / "store") == before));
}

BOOST_AUTO_TEST_CASE(a_torn_tail_costs_the_last_record_alone) {
    const credlease::test::TemporaryFolder folder;
    const auto log = write_and_die(folder.path(), 500);
    fs::resize_file(log, fs::file_size(log) - 100);
    SampleKeys keys;
    const auto opened = open_and_load(folder.path(), keys);
    BOOST_TEST(opened.shown.size() == 499U);
    BOOST_TEST(opened.damaged().empty());
}

BOOST_AUTO_TEST_CASE(a_log_file_that_is_gone_is_noticed) {
    const credlease::test::TemporaryFolder folder;
    const auto log = write_and_die(folder.path(), 20);
    fs::remove(folder.path() / "store" / "CURRENT");
    const auto opened = Store::open(folder.path());
    BOOST_REQUIRE(!opened.has_value());
    BOOST_TEST((opened.error().code == result::ErrorCode::damaged));
    BOOST_TEST(opened.error().detail().contains("CURRENT is missing"));
}

BOOST_AUTO_TEST_CASE(kill_9_loses_nothing_that_was_written) {
    const credlease::test::TemporaryFolder folder;
    int ends[2];
    BOOST_REQUIRE(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
        SampleKeys keys;
        auto opened = open_and_load(folder.path(), keys);
        for (int i = 0;; ++i) {
            if (!apply(*opened.store, put("k" + std::to_string(i), 1, "value"))) _exit(1);
            if (write(ends[1], &i, sizeof i) != sizeof i) _exit(1);
        }
    }
    close(ends[1]);
    int last = -1;
    for (int told = 0; told < 300 && read(ends[0], &last, sizeof last) == sizeof last; ++told) {
    }
    kill(child, SIGKILL);
    while (read(ends[0], &last, sizeof last) == sizeof last) {
    }
    close(ends[0]);
    waitpid(child, nullptr, 0);
    SampleKeys keys;
    const auto opened = open_and_load(folder.path(), keys);
    BOOST_TEST(opened.shown.size() >= static_cast<std::size_t>(last) + 1);
    BOOST_TEST(last >= 299);
}

BOOST_AUTO_TEST_CASE(a_full_disk_refuses_changes_harms_nothing_and_service_resumes_by_itself) {
    const credlease::test::SmallDisk disk(std::size_t{6} << 20);
    if (!disk.mounted()) {
        BOOST_TEST_MESSAGE("skipped: mounting needs root");
        return;
    }
    SampleKeys keys;
    std::size_t written = 0;
    {
        auto opened = open_and_load(disk.path(), keys);
        auto& store = *opened.store;
        const auto fill = [&](std::size_t size) {
            for (std::string value(size, 'v');; ++written) {
                auto prepared = store.prepare(put("k" + std::to_string(written), 1, value));
                BOOST_REQUIRE(prepared.has_value());
                if (const auto done = store.write({&*prepared}); !done) {
                    BOOST_TEST((done.error().code == result::ErrorCode::store_unavailable));
                    store.revert(*prepared);
                    return;
                }
            }
        };
        std::ofstream(disk.path() / "ballast") << std::string(std::size_t{4} << 20, 'x');
        // Opening the store again after a failed write may win some space back.
        for (std::size_t before = written + 1; before != written;) {
            before = written;
            fill(20000);
        }
        fs::remove(disk.path() / "ballast");
        Batch batch;
        batch.put(Table::grants, "after", 1, "value");
        const auto after = apply(store, std::move(batch));
        BOOST_TEST(after.has_value(), (after ? "" : after.error().detail()));
        BOOST_TEST(store.sync().has_value());
    }
    const auto again = open_and_load(disk.path(), keys);
    BOOST_TEST(again.shown.size() >= written + 1);
    BOOST_TEST(again.shown.contains("grants/after"));
    BOOST_TEST(again.damaged().empty());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace credlease::store::test
