#define BOOST_TEST_DYN_LINK
#include "access/sample_house.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace credlease::access {
namespace {

using result::ErrorCode;

constexpr std::uint32_t worker_uid = 900, alices_worker_uid = 901, member_engine_uid = 910, editor_engine_uid = 911,
                        admin_engine_uid = 912, wide_engine_uid = 913, editors_wide_engine_uid = 914,
                        mapped_operator_uid = 1001, stranger_uid = 1010, member_uid = 1011, editor_uid = 1012,
                        admin_uid = 1013, organization_editor_uid = 1014, organization_admin_uid = 1015;

settings::EngineRule flows(std::uint32_t uid, Role max_role, bool everywhere = false) {
    auto rule = engine_rule("flows", uid, max_role);
    rule.all_workspaces = everywhere;
    if (everywhere) rule.workspaces.clear();
    return rule;
}

/// Everyone that interface.md "Rights" speaks of. Alice is admin of acme and editor of beta, Olga admin of the
/// organization.
struct Everyone : House {
    const vocabulary::UserId olga = user("user:flows/olga");

    Everyone() {
        put("beta");
        put("acme", alice, Role::admin);
        put("beta", alice, Role::editor);
        put("organization", olga, Role::admin);
        add_workers();
        add_engines();
        add_accounts();
        apply_grant(1, std::nullopt);
        apply_grant(2, alice);
    }
    void add_workers() {
        settings.workers = {worker_rule("etl", worker_uid), worker_rule("alices", alices_worker_uid)};
        settings.workers[1].user = alice;
    }
    void add_engines() {
        settings.engines = {flows(member_engine_uid, Role::member), flows(editor_engine_uid, Role::editor),
                            flows(admin_engine_uid, Role::admin), flows(wide_engine_uid, Role::admin, true),
                            flows(editors_wide_engine_uid, Role::editor, true)};
    }
    void add_accounts() {
        settings.access.operators = {0, mapped_operator_uid};
        settings.access.users = {{mapped_operator_uid, alice},
                                 {stranger_uid, user("user:local/stranger")},
                                 {member_uid, user("user:local/member")},
                                 {editor_uid, user("user:local/editor")},
                                 {admin_uid, user("user:local/admin")},
                                 {organization_editor_uid, user("user:local/oe")},
                                 {organization_admin_uid, user("user:local/oa")}};
        put("acme", user("user:local/member"), Role::member);
        put("acme", user("user:local/editor"), Role::editor);
        put("acme", user("user:local/admin"), Role::admin);
        put("organization", user("user:local/oe"), Role::editor);
        put("organization", user("user:local/oa"), Role::admin);
    }
    void apply_grant(std::uint64_t number, const std::optional<vocabulary::UserId>& of) {
        auto grant = sample_grant(number);
        grant.user = of;
        if (of) grant.on_behalf_of = of->text();
        grants.apply_mint(grant, token("clg_" + std::to_string(number)));
    }
};

struct Row {
    std::string_view who;
    std::uint32_t uid;
    Callers::Claims claims;
    // What is allowed in: the caller's own personal scope, Bob's, workspace acme, workspace beta, the organization.
    // One letter an operation, in the order of `letters`. "-": it does not exist for the caller; a leading '?': what is
    // not allowed does not exist; else what is not allowed is forbidden.
    std::array<std::string_view, 5> may;
};

constexpr std::string_view letters = "vucedra"; // view, use, create, edit, delete (remove), rescope, audit
constexpr std::array operations = {Operation::view,   Operation::use,     Operation::create, Operation::edit,
                                   Operation::remove, Operation::rescope, Operation::audit};

const Row rows[] = {
    {"a worker", worker_uid, on_lease(), {"-", "-", "vu", "-", "vu"}},
    {"a worker with a user", alices_worker_uid, on_lease(), {"vu", "-", "vu", "-", "vu"}},
    {"a grant", 5000, on_lease("clg_1"), {"-", "-", "vu", "-", "vu"}},
    {"a grant for a user", 5000, on_lease("clg_2"), {"vu", "-", "vu", "-", "vu"}},
    {"an engine by itself", admin_engine_uid, on_admin(), {"-", "-", "?u", "-", "?u"}},
    {"an engine of all workspaces by itself", wide_engine_uid, on_admin(), {"-", "-", "?u", "?u", "?u"}},
    {"a member's engine for an admin", member_engine_uid, on_admin("user:alice"), {"vu", "-", "vu", "-", "vu"}},
    {"an editor's engine for an admin", editor_engine_uid, on_admin("user:alice"), {"vuced", "-", "vuced", "-", "vu"}},
    {"an admin's engine for an admin",
     admin_engine_uid,
     on_admin("user:alice"),
     {"vucedra", "-", "vucedra", "-", "vu"}},
    {"an engine of all workspaces for an admin",
     wide_engine_uid,
     on_admin("user:alice"),
     {"vucedra", "-", "vucedra", "vuced", "vu"}},
    {"an engine for a user of nothing", wide_engine_uid, on_admin("user:nobody"), {"vucedra", "-", "-", "-", "vu"}},
    {"an engine of one workspace for an organization admin",
     admin_engine_uid,
     on_admin("user:olga"),
     {"vucedra", "-", "-", "-", "vu"}},
    {"an editor's engine for an organization admin",
     editors_wide_engine_uid,
     on_admin("user:olga"),
     {"vuced", "-", "-", "-", "vu"}},
    {"an admin's engine for an organization admin",
     wide_engine_uid,
     on_admin("user:olga"),
     {"vucedra", "-", "-", "-", "vucedra"}},
    {"a user of nothing", stranger_uid, on_admin(), {"vucedra", "-", "-", "-", "vu"}},
    {"a member", member_uid, on_admin(), {"vucedra", "-", "vu", "-", "vu"}},
    {"an editor", editor_uid, on_admin(), {"vucedra", "-", "vuced", "-", "vu"}},
    {"an admin", admin_uid, on_admin(), {"vucedra", "-", "vucedra", "-", "vu"}},
    {"an editor of the organization", organization_editor_uid, on_admin(), {"vucedra", "-", "-", "-", "vu"}},
    {"an admin of the organization", organization_admin_uid, on_admin(), {"vucedra", "-", "-", "-", "vucedra"}},
    {"an operator", 0, on_admin(), {"-", "vceda", "vucedra", "vucedra", "vucedra"}},
    {"an operator who is a user too",
     mapped_operator_uid,
     on_admin(),
     {"vucedra", "vceda", "vucedra", "vucedra", "vucedra"}},
};

std::optional<ErrorCode> expected(std::string_view may, char letter) {
    if (may.contains(letter)) return std::nullopt;
    return may == "-" || may.starts_with('?') ? ErrorCode::credential_not_found : ErrorCode::forbidden;
}

BOOST_AUTO_TEST_CASE(everyone_may_do_what_the_interface_says_in_every_scope_and_nothing_else) {
    const Everyone everyone;
    Callers callers = everyone.callers();
    for (const Row& row : rows) {
        const auto caller = callers.find(peer(row.uid), row.claims, noon);
        BOOST_TEST_REQUIRE(caller.has_value(), row.who);
        const std::array scopes = {Scope::of((*caller)->user.value_or(user("user:flows/nobody-at-all"))),
                                   Scope::of(bob), Scope::of(workspace("acme")), Scope::of(workspace("beta")),
                                   Scope::organization()};
        for (std::size_t in = 0; in < scopes.size(); ++in) {
            if (!(*caller)->user && in == 0 && row.may[0] == "-" && (*caller)->every_scope) continue; // as Bob's
            for (std::size_t i = 0; i < operations.size(); ++i) {
                const auto allowed = authorize(**caller, operations[i], scopes[in], credential(1), service("openai"));
                BOOST_TEST((code_of(allowed) == expected(row.may[in], letters[i])),
                           row.who << ": " << letters[i] << " in " << scopes[in].text());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(a_foreign_credential_and_an_absent_one_are_refused_in_the_same_words) {
    const Everyone everyone;
    Callers callers = everyone.callers();
    const auto member = callers.find(peer(member_uid), on_admin(), noon).value();
    const auto absent = credential_not_found().error();
    for (const Operation operation : operations) {
        for (const Scope& scope : {Scope::of(workspace("beta")), Scope::of(workspace("nowhere")), Scope::of(bob)}) {
            const auto refused = authorize(*member, operation, scope, credential(1), service("openai"));
            BOOST_REQUIRE(!refused);
            BOOST_TEST((refused.error().code == absent.code));
            BOOST_TEST(refused.error().detail() == absent.detail());
        }
    }
}

BOOST_AUTO_TEST_CASE(a_rules_or_grants_reach_ends_where_it_says) {
    Everyone everyone;
    everyone.settings.workers[0].reach = {
        .all = false, .credentials = {credential(1)}, .services = {service("openai")}};
    Callers callers = everyone.callers();
    const auto worker = callers.find(peer(worker_uid), on_lease(), noon).value();
    const auto use = [&](std::uint64_t number, std::string_view of) {
        return code_of(
            authorize(*worker, Operation::use, Scope::of(workspace("acme")), credential(number), service(of)));
    };
    BOOST_TEST(!use(1, "github"));
    BOOST_TEST(!use(2, "openai"));
    BOOST_TEST((use(2, "github") == ErrorCode::credential_not_found));
    const auto foreign = authorize(*worker, Operation::use, Scope::of(bob), credential(1), service("openai"));
    BOOST_TEST((code_of(foreign) == ErrorCode::credential_not_found));
}

BOOST_AUTO_TEST_CASE(the_workspace_organization_gets_no_credentials_of_its_own) {
    const Everyone everyone;
    Callers callers = everyone.callers();
    const auto create = [&](std::uint32_t uid) {
        const auto caller = callers.find(peer(uid), on_admin(), noon).value();
        return code_of(authorize(*caller, Operation::create, Scope::of(workspace("organization")), {}, {}));
    };
    BOOST_TEST((create(0) == ErrorCode::invalid_request));
    BOOST_TEST((create(organization_admin_uid) == ErrorCode::invalid_request));
    BOOST_TEST((create(admin_uid) == ErrorCode::credential_not_found));
}

BOOST_AUTO_TEST_CASE(a_caller_sees_through_its_scopes_personal_first_and_an_operator_through_all) {
    const Everyone everyone;
    Callers callers = everyone.callers();
    const std::vector<Scope> all = {Scope::of(bob), Scope::of(workspace("beta"))};
    const auto scopes = [&](std::uint32_t uid, const Callers::Claims& claims) {
        std::string text;
        for (const Scope& scope : view_scopes(*callers.find(peer(uid), claims, noon).value(), all)) {
            text += scope.text() + ' ';
        }
        return text;
    };
    BOOST_TEST(scopes(0, on_admin()) == "personal:flows/bob workspace:beta ");
    BOOST_TEST(scopes(worker_uid, on_lease()) == "workspace:acme organization ");
    BOOST_TEST(scopes(alices_worker_uid, on_lease()) == "personal:flows/alice workspace:acme organization ");
    BOOST_TEST(scopes(5000, on_lease("clg_2")) == "personal:flows/alice workspace:acme organization ");
    BOOST_TEST(scopes(wide_engine_uid, on_admin("user:alice")) ==
               "personal:flows/alice workspace:acme workspace:beta organization ");
    BOOST_TEST(scopes(admin_engine_uid, on_admin("user:alice")) == "personal:flows/alice workspace:acme organization ");
    BOOST_TEST(scopes(admin_engine_uid, on_admin()) == "");
    BOOST_TEST(scopes(organization_admin_uid, on_admin()) == "personal:local/oa organization ");
}

BOOST_AUTO_TEST_CASE(an_operator_leases_in_every_workspace_and_in_its_own_personal_scope) {
    const Everyone everyone;
    Callers callers = everyone.callers();
    const auto lease_scopes = [&](std::uint32_t uid) {
        std::string text;
        for (const Scope& scope : callers.find(peer(uid), on_admin(), noon).value()->scopes) text += scope.text() + ' ';
        return text;
    };
    BOOST_TEST(lease_scopes(0) == "workspace:acme workspace:beta workspace:default organization ");
    BOOST_TEST(lease_scopes(mapped_operator_uid) ==
               "personal:flows/alice workspace:acme workspace:beta workspace:default organization ");
}

} // namespace
} // namespace credlease::access
