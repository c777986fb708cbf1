#define BOOST_TEST_DYN_LINK
#include "access/sample_house.hpp"

#include <boost/test/unit_test.hpp>

#include <map>

namespace credlease::access {
namespace {

using Change = Directory::Change;
using Kind = Directory::Change::Kind;
using result::ErrorCode;

Change put_workspace(std::string_view id) { return {.kind = Kind::put_workspace, .workspace = workspace(id)}; }
Change erase_workspace(std::string_view id) { return {.kind = Kind::erase_workspace, .workspace = workspace(id)}; }
Change put_member(std::string_view id, const vocabulary::UserId& member, Role role) {
    return {.kind = Kind::put_member, .workspace = workspace(id), .user = member, .role = role};
}
Change erase_member(std::string_view id, const vocabulary::UserId& member) {
    return {.kind = Kind::erase_member, .workspace = workspace(id), .user = member};
}

/// A directory on a store that keeps the store room's rule: a put has a higher revision, an erase the live one.
struct Stored {
    struct Value {
        std::uint64_t revision;
        std::string value;
    };
    std::map<std::pair<store::Table, std::string>, Value> records;
    Directory directory;

    /// How many records changed.
    std::size_t make(const Change& change) {
        store::Batch batch;
        BOOST_REQUIRE(directory.stage(change, batch));
        for (const auto& step : batch.changes()) {
            const auto key = std::pair(step.table, step.key);
            const std::uint64_t live = records.contains(key) ? records.at(key).revision : 0;
            if (step.value) {
                BOOST_REQUIRE(step.revision > live);
                records[key] = {step.revision, *step.value};
            } else {
                BOOST_REQUIRE(step.revision == live);
                BOOST_REQUIRE(live != 0U);
                records.erase(key);
            }
        }
        if (!batch.empty()) directory.apply(change);
        return batch.changes().size();
    }
    std::unique_ptr<Directory> read_again() const {
        auto again = std::make_unique<Directory>();
        for (const auto& [key, value] : records) {
            BOOST_REQUIRE(again->accept(
                {.table = key.first, .key = key.second, .revision = value.revision, .value = value.value}));
        }
        return again;
    }
};

std::string described(const Directory& directory) {
    std::string text;
    for (const auto* found : directory.all()) {
        text += found->id.text() + '(';
        for (const auto& [member, held] : found->members) {
            text += member.text() + '=' + std::to_string(static_cast<int>(held.first)) + '.' +
                    std::to_string(held.second) + ' ';
        }
        text += ") ";
    }
    return text;
}

BOOST_AUTO_TEST_CASE(default_and_organization_are_always_there) {
    const Directory directory;
    BOOST_TEST(directory.find("default") != nullptr);
    BOOST_TEST(directory.find("organization") != nullptr);
    BOOST_TEST(directory.find("acme") == nullptr);
    BOOST_TEST(directory.all().size() == 2U);
    BOOST_TEST(directory.users().empty());
    for (const auto id : {"default", "organization"}) {
        store::Batch batch;
        BOOST_TEST((code_of(directory.stage(erase_workspace(id), batch)) == ErrorCode::invalid_request));
    }
}

BOOST_AUTO_TEST_CASE(what_is_changed_is_read_back_after_a_restart) {
    Stored stored;
    BOOST_TEST(stored.make(put_workspace("acme")) == 1U);
    BOOST_TEST(stored.make(put_member("acme", alice, Role::member)) == 1U);
    BOOST_TEST(stored.make(put_member("acme", alice, Role::admin)) == 1U);
    BOOST_TEST(stored.make(put_member("default", bob, Role::editor)) == 1U);
    BOOST_TEST(stored.make(put_member("acme", bob, Role::member)) == 1U);
    BOOST_TEST(stored.make(erase_member("acme", bob)) == 1U);
    BOOST_TEST(described(stored.directory) ==
               "acme(user:flows/alice=2.2 ) default(user:flows/bob=1.1 ) organization() ");
    BOOST_TEST(described(*stored.read_again()) == described(stored.directory));
}

BOOST_AUTO_TEST_CASE(what_is_so_already_changes_no_record) {
    Stored stored;
    stored.make(put_workspace("acme"));
    stored.make(put_member("acme", alice, Role::editor));
    BOOST_TEST(stored.make(put_workspace("acme")) == 0U);
    BOOST_TEST(stored.make(put_workspace("default")) == 0U);
    BOOST_TEST(stored.make(put_member("acme", alice, Role::editor)) == 0U);
    BOOST_TEST(stored.make(erase_member("acme", bob)) == 0U);
}

BOOST_AUTO_TEST_CASE(a_workspace_takes_its_members_along_and_may_come_again) {
    Stored stored;
    stored.make(put_workspace("acme"));
    stored.make(put_member("acme", alice, Role::editor));
    stored.make(put_member("acme", bob, Role::editor));
    BOOST_TEST(stored.make(erase_workspace("acme")) == 3U);
    BOOST_TEST(stored.records.empty());
    BOOST_TEST(stored.directory.roles_of(alice).empty());
    stored.make(put_workspace("acme"));
    stored.make(put_member("acme", alice, Role::member));
    BOOST_TEST(described(*stored.read_again()) == described(stored.directory));
}

BOOST_AUTO_TEST_CASE(nothing_is_changed_in_a_workspace_that_is_not_there) {
    const Directory directory;
    store::Batch batch;
    for (const Change& change :
         {erase_workspace("acme"), put_member("acme", alice, Role::admin), erase_member("acme", alice)}) {
        BOOST_TEST((code_of(directory.stage(change, batch)) == ErrorCode::workspace_not_found));
    }
    BOOST_TEST(batch.empty());
}

BOOST_AUTO_TEST_CASE(a_users_roles_and_all_users_are_known) {
    Stored stored;
    stored.make(put_workspace("acme"));
    stored.make(put_member("acme", alice, Role::admin));
    stored.make(put_member("default", alice, Role::member));
    stored.make(put_member("default", bob, Role::member));
    const auto roles = stored.directory.roles_of(alice);
    BOOST_REQUIRE(roles.size() == 2U);
    BOOST_TEST((roles[0] == std::pair(workspace("acme"), Role::admin)));
    BOOST_TEST((roles[1] == std::pair(workspace("default"), Role::member)));
    BOOST_TEST((stored.directory.users() == std::vector{alice, bob}));
}

BOOST_AUTO_TEST_CASE(every_change_moves_the_epoch) {
    Stored stored;
    const auto moves = [&](const auto& act) {
        const auto before = stored.directory.epoch();
        act();
        return stored.directory.epoch() != before;
    };
    BOOST_TEST(moves([&] { stored.make(put_workspace("acme")); }));
    BOOST_TEST(moves([&] { stored.make(put_member("acme", alice, Role::admin)); }));
    BOOST_TEST(moves([&] { stored.make(erase_member("acme", alice)); }));
    BOOST_TEST(moves([&] { stored.make(erase_workspace("acme")); }));
    BOOST_TEST(moves([&] { stored.directory.clear(); }));
    BOOST_TEST(!moves([&] { stored.make(put_workspace("default")); }));
}

BOOST_AUTO_TEST_CASE(members_stay_though_their_workspaces_own_record_is_damaged) {
    Stored stored;
    stored.make(put_workspace("acme"));
    stored.make(put_member("acme", alice, Role::admin));
    stored.records.erase({store::Table::workspaces, "acme"});
    const auto again = stored.read_again();
    BOOST_TEST(again->roles_of(alice).size() == 1U);
    store::Batch batch;
    BOOST_REQUIRE(again->stage(erase_workspace("acme"), batch));
    BOOST_TEST(batch.changes().size() == 1U); // what is damaged is never overwritten
}

BOOST_AUTO_TEST_CASE(a_record_that_is_not_ours_is_named_and_refused) {
    const auto accept = [](store::Table table, std::string_view key, std::string_view value) {
        Directory directory;
        const auto accepted = directory.accept({.table = table, .key = key, .revision = 1, .value = value});
        if (!accepted) BOOST_TEST(accepted.error().about.text() == key);
        return code_of(accepted);
    };
    using store::Table;
    BOOST_TEST(!accept(Table::workspaces, "acme", "\1"));
    BOOST_TEST(!accept(Table::members, "acme/user:flows/alice", {"\1\2", 2}));
    BOOST_TEST((accept(Table::workspaces, "acme", "") == ErrorCode::damaged));
    BOOST_TEST((accept(Table::workspaces, "acme", "\2") == ErrorCode::damaged));
    BOOST_TEST((accept(Table::workspaces, "acme", "\1\1") == ErrorCode::damaged));
    BOOST_TEST((accept(Table::workspaces, "-acme", "\1") == ErrorCode::damaged));
    BOOST_TEST((accept(Table::workspaces, "acme/user:flows/alice", "\1") == ErrorCode::damaged));
    BOOST_TEST((accept(Table::members, "acme", {"\1\2", 2}) == ErrorCode::damaged));
    BOOST_TEST((accept(Table::members, "acme/alice", {"\1\2", 2}) == ErrorCode::damaged));
    BOOST_TEST((accept(Table::members, "acme/user:flows/alice", "\1") == ErrorCode::damaged));
    BOOST_TEST((accept(Table::members, "acme/user:flows/alice", "\1\3") == ErrorCode::damaged));
    BOOST_TEST((accept(Table::members, "acme/user:flows/alice", "\1\2\1") == ErrorCode::damaged));
}

} // namespace
} // namespace credlease::access
