#define BOOST_TEST_DYN_LINK
#include "vocabulary/audit_record.hpp"
#include "vocabulary/grant.hpp"
#include "vocabulary/scope.hpp"

#include <boost/test/unit_test.hpp>

#include <set>
#include <unordered_set>

using namespace credlease::vocabulary;

BOOST_AUTO_TEST_CASE(a_scope_reads_back_from_its_text) {
    const Scope personal = Scope::of(UserId::read("user:flows/alice").value());
    const Scope workspace = Scope::of(WorkspaceId::read("acme").value());
    BOOST_TEST(personal.text() == "personal:flows/alice");
    BOOST_TEST(workspace.text() == "workspace:acme");
    BOOST_TEST(Scope::organization().text() == "organization");
    for (const Scope& scope : {personal, workspace, Scope::organization()})
        BOOST_TEST((Scope::find(scope.text()) == scope));
    for (const std::string_view text : {"", "personal", "personal:", "personal:alice", "workspace", "workspace:",
                                        "workspace:a b", "organization:", "Organization", "personal:user:flows/alice"})
        BOOST_TEST(!Scope::find(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(scopes_of_the_same_name_are_different) {
    std::unordered_set<Scope> scopes = {
        Scope::organization(), Scope::of(WorkspaceId::read("a").value()), Scope::of(WorkspaceId::read("b").value()),
        Scope::of(UserId::read("user:a/b").value()), Scope::of(UserId::read("user:b/a").value())};
    BOOST_TEST(scopes.size() == 5u);
    BOOST_TEST(scopes.contains(Scope::of(UserId::read("user:b/a").value())));
    BOOST_TEST(!scopes.contains(Scope::of(UserId::read("user:b/b").value())));
}

BOOST_AUTO_TEST_CASE(every_action_has_the_name_that_the_interface_promises) {
    const std::set<std::string_view> promised = {"credential.created",
                                                 "credential.edited",
                                                 "credential.rotated",
                                                 "credential.rolled_back",
                                                 "credential.revoked",
                                                 "credential.restored",
                                                 "credential.duplicated",
                                                 "credential.deleted",
                                                 "credential.tested",
                                                 "credential.expired",
                                                 "lease.issued",
                                                 "lease.renewed",
                                                 "lease.redelivered",
                                                 "lease.released",
                                                 "lease.ended",
                                                 "lease.refused",
                                                 "grant.minted",
                                                 "grant.withdrawn",
                                                 "grant.ended",
                                                 "directory.changed",
                                                 "access.refused",
                                                 "broker.started",
                                                 "broker.stopped",
                                                 "broker.sealed",
                                                 "broker.unsealed",
                                                 "broker.rekeyed",
                                                 "broker.restored",
                                                 "secrets.exported",
                                                 "log.gap",
                                                 "log.pruned",
                                                 "log.change_not_made"};
    for (const std::string_view name : promised) {
        BOOST_TEST_CONTEXT(name) {
            BOOST_REQUIRE(find_action(name).has_value());
            BOOST_TEST(name_of(*find_action(name)) == name);
        }
    }
    BOOST_TEST(name_of(Action::change_not_made) == "log.change_not_made");
    BOOST_TEST(name_of(Action::lease_issued) == "lease.issued");
    BOOST_TEST(!find_action("lease").has_value());
    for (const auto* kind : {"credential", "lease", "grant", "log"}) BOOST_TEST(is_action_kind(kind));
    for (const auto* other : {"", "leas", "lease.issued", "nope"}) BOOST_TEST(!is_action_kind(other));
}

BOOST_AUTO_TEST_CASE(an_end_reason_is_the_word_of_the_interface) {
    for (int i = 0; i <= static_cast<int>(EndReason::undelivered); ++i) {
        const auto reason = static_cast<EndReason>(i);
        BOOST_TEST((find_end_reason(text_of(reason).view()) == reason));
    }
    BOOST_TEST(text_of(EndReason::released).view() == "released");
    BOOST_TEST(text_of(EndReason::credential_revoked).view() == "credential_revoked");
    BOOST_TEST(text_of(EndReason::ended_by_operator).view() == "ended_by_operator");
    BOOST_TEST(!find_end_reason("").has_value());
}

BOOST_AUTO_TEST_CASE(the_words_of_a_lease_and_a_credential_are_those_of_the_interface) {
    BOOST_TEST(name_of(LimitedBy::max_ttl) == "max_ttl");
    BOOST_TEST(name_of(LimitedBy::token) == "token");
    BOOST_TEST(name_of(Binding::process) == "process");
    BOOST_TEST((find_binding("none") == Binding::none));
    BOOST_TEST(!find_binding("unit").has_value());
    for (const auto status : {CredentialStatus::active, CredentialStatus::expired, CredentialStatus::failing,
                              CredentialStatus::revoked, CredentialStatus::pending})
        BOOST_TEST((find_status(name_of(status)) == status));
    BOOST_TEST(name_of(CredentialStatus::failing) == "failing");
    BOOST_TEST(!find_status("gone").has_value());
}

BOOST_AUTO_TEST_CASE(a_grant_reaches_all_or_what_it_lists) {
    const CredentialId one(Ulid{1, 1});
    const CredentialId two(Ulid{2, 2});
    const auto slack = ServiceId::read("slack").value();
    const auto openai = ServiceId::read("openai").value();
    BOOST_TEST(Reach{}.includes(one, slack));
    const Reach listed{.all = false, .credentials = {one}, .services = {openai}};
    BOOST_TEST(listed.includes(one, slack));
    BOOST_TEST(listed.includes(two, openai));
    BOOST_TEST(!listed.includes(two, slack));
    BOOST_TEST(!Reach{.all = false}.includes(one, slack));
}
