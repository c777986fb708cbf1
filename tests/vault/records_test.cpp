#define BOOST_TEST_DYN_LINK
#include "vault/house.hpp"
#include "vault/records.hpp"

#include <boost/test/unit_test.hpp>

namespace credlease::vault {
namespace {

const vocabulary::CredentialId some_id = *vocabulary::CredentialId::find("cred_01j0000000000000000000000z");

vocabulary::Credential full_credential() {
    vocabulary::Credential made;
    made.id = some_id;
    made.name = name_of("Acme prod");
    made.service = *vocabulary::ServiceId::read("acme");
    made.auth = "oauth2";
    made.scope = personal("user:flows/alice");
    made.owner = "user:flows/alice";
    made.notes = "line one\nline two";
    made.fields = {{"text", std::string("a")},
                   {"number", std::int64_t{-7}},
                   {"flag", true},
                   {"list", std::vector<std::string>{"x", ""}},
                   {"map", std::map<std::string, std::string>{{"k", "v"}, {"", "w"}}}};
    made.secret_fields = {"one", "two"};
    made.status = vocabulary::CredentialStatus::failing;
    made.status_reason = "the last test failed";
    made.version = 4'000'000'000;
    made.generation = 41;
    made.revision = 7;
    made.created_at = time_at(1);
    made.created_by = "engine:flows";
    made.updated_at = time_at(2);
    made.expires_at = time_at(-3);
    made.rotate_every = std::chrono::days(90);
    made.rotated_at = time_at(4);
    return made;
}

vocabulary::Credential revoked_credential() {
    auto made = full_credential();
    made.status_before = std::exchange(made.status, vocabulary::CredentialStatus::revoked);
    made.status_reason_before = std::exchange(made.status_reason, "revoked by operator:root");
    return made;
}

BOOST_AUTO_TEST_CASE(a_credential_is_read_back_as_it_was_written) {
    for (vocabulary::Credential credential : {full_credential(), revoked_credential(), vocabulary::Credential{}}) {
        if (credential.name.empty()) { // what a Name must have, and nothing else
            credential.id = some_id;
            credential.name = name_of("n");
            credential.service = *vocabulary::ServiceId::read("s");
        }
        const std::string written = write_credential(credential);
        const auto read = read_credential(credential_key(credential.id), written);
        BOOST_REQUIRE(read.has_value());
        BOOST_TEST((read->id == credential.id));
        BOOST_TEST((read->fields == credential.fields));
        BOOST_TEST((read->expires_at == credential.expires_at && read->rotate_every == credential.rotate_every));
        BOOST_TEST((read->scope == credential.scope));
        BOOST_TEST((write_credential(*read) == written)); // and so every member
    }
}

BOOST_AUTO_TEST_CASE(cut_lengthened_or_unknown_records_are_damaged_and_named) {
    const std::string key = credential_key(some_id);
    for (const auto& credential : {full_credential(), revoked_credential()}) {
        const std::string written = write_credential(credential);
        for (std::size_t size = 0; size < written.size(); ++size) {
            const auto read = read_credential(key, written.substr(0, size));
            BOOST_TEST_REQUIRE(refusal_of(read) == "damaged");
            BOOST_TEST_REQUIRE(read.error().about.text() == key);
        }
        BOOST_TEST(refusal_of(read_credential(key, written + '\0')) == "damaged");
        BOOST_TEST(refusal_of(read_credential(key, '\3' + written.substr(1))) == "damaged");
        BOOST_TEST(refusal_of(read_credential("cred_nonsense", written)) == "damaged");
    }
}

BOOST_AUTO_TEST_CASE(the_record_of_what_is_not_revoked_is_as_older_brokers_read_it) {
    BOOST_TEST(write_credential(full_credential()).front() == '\1');
    BOOST_TEST(write_credential(revoked_credential()).front() == '\2');
    const auto relabelled = '\2' + write_credential(full_credential()).substr(1);
    BOOST_TEST(refusal_of(read_credential(credential_key(some_id), relabelled)) == "damaged");
}

BOOST_AUTO_TEST_CASE(flipped_bytes_are_never_read_past_their_end) {
    std::string written = write_credential(full_credential());
    for (std::size_t bit = 0; bit < written.size() * 8;
         ++bit) { // the store's MAC finds these; the reader must survive them
        const auto flip = [&] { written[bit / 8] = static_cast<char>(written[bit / 8] ^ (1 << bit % 8)); };
        flip();
        const std::vector<char> exact(written.begin(), written.end());
        (void)read_credential(credential_key(some_id), {exact.data(), exact.size()});
        flip();
    }
}

BOOST_AUTO_TEST_CASE(versions_lie_in_order_behind_their_credential) {
    BOOST_TEST(version_key(some_id, 1) == "cred_01j0000000000000000000000z/0000000001");
    BOOST_TEST(version_key(some_id, 9) < version_key(some_id, 10));
    BOOST_TEST(version_key(some_id, 4'294'967'295) == "cred_01j0000000000000000000000z/4294967295");
}

BOOST_AUTO_TEST_CASE(a_version_is_read_back_and_a_broken_one_is_damaged) {
    const SealedVersion version{.id = some_id,
                                .version = 3,
                                .scope = workspace("acme"),
                                .fingerprint = {1, 2, 3, 4, 5, 6, 7, 8},
                                .sealed = {std::byte{9}, std::byte{10}}};
    const std::string key = version_key(some_id, 3);
    const std::string written = write_version(version);
    const auto read = read_version(key, written);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((read->id == some_id && read->version == 3 && read->scope == version.scope));
    BOOST_TEST((read->fingerprint == version.fingerprint && read->sealed == version.sealed));
    for (std::size_t size = 0; size + 2 < written.size(); ++size) {
        BOOST_TEST_REQUIRE(refusal_of(read_version(key, written.substr(0, size))) == "damaged");
    }
    for (const std::string& bad : {std::string("cred_x/0000000003"), some_id.text(), some_id.text() + "/3",
                                   some_id.text() + "/0000000003x", some_id.text() + "-0000000003"}) {
        BOOST_TEST(refusal_of(read_version(bad, written)) == "damaged", bad);
    }
}

BOOST_AUTO_TEST_CASE(a_wrapped_key_is_of_the_scope_that_its_record_names) {
    const std::vector<std::byte> wrapped{std::byte{1}, std::byte{2}};
    const auto read = read_key("personal:flows/alice", write_key(wrapped));
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST((read->scope == personal("user:flows/alice") && read->wrapped == wrapped));
    BOOST_TEST(refusal_of(read_key("workspace:", write_key(wrapped))) == "damaged");
    BOOST_TEST(refusal_of(read_key("organization", "")) == "damaged");
}

BOOST_AUTO_TEST_CASE(no_two_credentials_are_bound_to_the_same_bytes) {
    const auto binding = [](const vocabulary::Credential& credential) {
        std::pmr::string text;
        write_binding(credential, 0, text);
        return text;
    };
    const vocabulary::Credential one = full_credential();
    std::vector<vocabulary::Credential> others(6, one);
    others[0].scope = workspace("flows");
    others[1].fields.at("text") = std::string("ab");
    others[2].secret_fields = {"onetwo"};
    others[3].secret_fields = {"two", "one"};
    others[4].fields.at("number") = true;
    others[5].scope = personal("user:flow/salice");
    for (const auto& other : others) BOOST_TEST((binding(other) != binding(one)));
}

} // namespace
} // namespace credlease::vault
