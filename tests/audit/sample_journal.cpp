#include "sample_journal.hpp"

#include <algorithm>
#include <fstream>

namespace credlease::audit::test {

namespace fs = std::filesystem;

SampleJournal::SampleJournal(fs::path where, Options given)
    : data(std::move(where)), arena(*secret::Arena::make({.size = std::size_t{256} << 10, .allow_unlocked = true})),
      clock(loop, runtime::WallTime(std::chrono::milliseconds(1'795'341'600'000))), options(std::move(given)) {
    options.directory = data / "journal";
    if (options.head_file.empty()) options.head_file = data / "audit.head";
}

template <class Purpose> mac::Mac<Purpose> SampleJournal::make_mac() {
    auto parent = secret::SecretBuffer::copy(*arena, audit_key, secret::Share::keys);
    return std::move(*mac::make_mac<Purpose>(*arena, *parent));
}

std::optional<result::Error> SampleJournal::try_open() {
    seen.clear();
    shown.clear();
    log = std::make_unique<runtime::Worker>(loop, "log");
    commit = std::make_unique<runtime::Worker>(loop, "commit");
    bulk = std::make_unique<runtime::Worker>(loop, "bulk");
    auto opened_store = store::Store::open(data);
    if (!opened_store) return opened_store.error();
    store = std::move(*opened_store);
    const auto loaded =
        store->load({make_mac<mac::RecordPurpose>(), make_mac<mac::SetPurpose>()}, [this](const store::Record& record) {
            shown[std::string(record.key)] = std::string(record.value);
        });
    if (!loaded) return loaded.error();
    auto opened = Journal::open(
        options, {make_mac<mac::ChainPurpose>(), make_mac<mac::HeadPurpose>()}, *store, loop, clock, *log, *commit,
        [this](const AuditRecord& record) { seen.push_back(text_of(record)); }, replayed);
    if (!opened) {
        store.reset();
        return opened.error();
    }
    journal = std::move(*opened);
    return std::nullopt;
}

void SampleJournal::open() {
    const auto error = try_open();
    BOOST_REQUIRE_MESSAGE(!error, (error ? error->detail() : ""));
}

void SampleJournal::close() {
    if (journal) {
        bool is_closed = false;
        runtime::TaskGroup group(loop);
        group.start([](Journal& closing, bool& done) -> runtime::Task<> {
            co_await closing.close();
            done = true;
        }(*journal, is_closed));
        run_until([&] { return is_closed && group.size() == 0; });
    }
    log.reset();
    commit.reset();
    bulk.reset();
    journal.reset();
    store.reset();
}

runtime::Task<result::Result<std::uint64_t>> SampleJournal::put(std::string key, std::string value) {
    const auto live = store->find(store::Table::credentials, key);
    AuditRecord record{.action = live ? Action::credential_edited : Action::credential_created};
    record.run = key;
    store::Batch batch;
    batch.put(store::Table::credentials, key, live ? live->revision + 1 : 1, std::move(value));
    auto committed = co_await journal->commit(record, std::move(batch));
    co_return committed;
}

runtime::Task<result::Result<std::uint64_t>> SampleJournal::erase(std::string key) {
    const auto live = store->find(store::Table::credentials, key);
    AuditRecord record{.action = Action::credential_deleted};
    record.run = key;
    store::Batch batch;
    batch.erase(store::Table::credentials, key, live ? live->revision : 0);
    auto committed = co_await journal->commit(record, std::move(batch));
    co_return committed;
}

result::Result<std::uint64_t> SampleJournal::issue(std::string_view run) {
    vocabulary::LeaseView view;
    view.expires_at = clock.wall() + std::chrono::minutes(15);
    view.renewable_until = clock.wall() + std::chrono::hours(24);
    view.scope = "workspace:acme";
    AuditRecord record{.action = Action::lease_issued, .principal = "worker:etl", .run = run, .lease_view = &view};
    record.lease = vocabulary::LeaseId({.high = 1, .low = ++tickets_});
    return journal->append(record,
                           {.call = [](void* self, std::uint64_t ticket,
                                       bool written) { static_cast<SampleJournal*>(self)->told[ticket] = written; },
                            .self = this,
                            .ticket = tickets_});
}

bool SampleJournal::issue_now(std::string_view run) {
    const auto staged = issue(run);
    if (!staged) return false;
    const auto ticket = tickets_;
    run_until([&] { return told.contains(ticket); });
    return told[ticket];
}

void SampleJournal::let_head_follow() {
    const auto wanted = std::to_string(journal->last_staged()) + ":";
    run_until([&] {
        clock.advance(std::chrono::milliseconds(10));
        return journal->head_text().starts_with(wanted);
    });
}

std::vector<std::string> SampleJournal::damaged() const {
    std::vector<std::string> names;
    for (const auto& record : store->damaged()) names.push_back(record.key);
    std::ranges::sort(names);
    return names;
}

fs::path SampleJournal::log_file(std::size_t index) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(data / "journal")) {
        if (entry.path().extension() == ".log") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    BOOST_REQUIRE(index < files.size());
    return files[index];
}

fs::path SampleJournal::last_log_file() const {
    fs::path last;
    for (const auto& entry : fs::directory_iterator(data / "journal")) {
        if (entry.path().extension() == ".log") last = std::max(last, entry.path());
    }
    return last;
}

std::string text_of(const AuditRecord& record) {
    std::string text(name_of(record.action));
    text += ' ';
    text += record.run.empty() ? record.detail : record.run;
    return text;
}

void flip(const fs::path& path, std::int64_t offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = offset >= 0 ? offset : static_cast<std::int64_t>(fs::file_size(path)) + offset;
    file.seekg(at);
    const auto byte = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(byte + 1));
}

std::vector<std::string> read_all(const SampleJournal& sample) {
    std::vector<std::string> all;
    Journal::Query query;
    query.limit = 1'000'000;
    const auto read = sample.journal->query(query, [&](const AuditRecord& record) { all.push_back(text_of(record)); });
    BOOST_REQUIRE_MESSAGE(read.has_value(), (read ? "" : read.error().detail()));
    return all;
}

} // namespace credlease::audit::test
