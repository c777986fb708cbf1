#define BOOST_TEST_DYN_LINK
#include "vocabulary/names.hpp"

#include <boost/test/unit_test.hpp>

using namespace credlease::vocabulary;

namespace {

std::string repeated(std::string_view text, int times) {
    std::string made;
    for (int i = 0; i < times; ++i) made += text;
    return made;
}

std::string folded_of(std::string_view text) { return folded(CredentialName::read(text).value()); }

} // namespace

BOOST_AUTO_TEST_CASE(plain_ids_are_letters_digits_and_four_marks) {
    for (const std::string_view id : {"a", "Z", "0", "acme", "n8n.prod", "alice@example.org", "a-b_c", "default"})
        BOOST_TEST(is_plain_id(id), id);
    BOOST_TEST(is_plain_id(repeated("a", 64)));
    BOOST_TEST(!is_plain_id(repeated("a", 65)));
    for (const std::string_view id : {"", ".a", "-a", "_a", "@a", "a b", "a/b", "a:b", "\xc3\xa9", "a\n", "a*"})
        BOOST_TEST(!is_plain_id(id), id);
    BOOST_TEST(!is_plain_id(std::string_view("a\0", 2)));
}

BOOST_AUTO_TEST_CASE(a_credential_name_is_kept_in_nfc) {
    BOOST_TEST(CredentialName::read("Acme prod Slack")->text() == "Acme prod Slack");
    BOOST_TEST(CredentialName::read("Cafe\xcc\x81")->text() == "Caf\xc3\xa9");
    BOOST_TEST(CredentialName::read("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab")->text() == "\xed\x95\x9c"); // Hangul
}

BOOST_AUTO_TEST_CASE(a_credential_name_has_1_to_128_characters_however_many_bytes) {
    BOOST_TEST(CredentialName::read("x").has_value());
    BOOST_TEST(CredentialName::read(repeated("x", 128)).has_value());
    BOOST_TEST(CredentialName::read(repeated("\xf0\x9f\x94\x91", 128)).has_value());
    BOOST_TEST(CredentialName::read(repeated("e\xcc\x81", 128)).has_value()); // 256 before normalization
    BOOST_TEST(!CredentialName::read("").has_value());
    BOOST_TEST(!CredentialName::read(repeated("x", 129)).has_value());
    BOOST_TEST(!CredentialName::read(repeated("x", 1'000'000)).has_value());
}

BOOST_AUTO_TEST_CASE(a_credential_name_has_no_control_characters) {
    for (const std::string_view text : {"a\nb", "a\tb", "\x1b[0m", "a\x7f",
                                        "a\xc2\x85"
                                        "b",
                                        "a\xe2\x80\xa8"
                                        "b",
                                        "a\xe2\x80\xa9",
                                        "a\xe2\x80\xae"
                                        "b",
                                        "a\xe2\x81\xa6"
                                        "b"}) {
        BOOST_TEST(!CredentialName::read(text).has_value());
        BOOST_TEST(!Label::read(text).has_value());
    }
    BOOST_TEST(!CredentialName::read(std::string_view("a\0b", 3)).has_value());
    BOOST_TEST(!Label::read(std::string_view("a\0b", 3)).has_value());
}

BOOST_AUTO_TEST_CASE(no_name_or_label_holds_a_character_that_is_not_seen) {
    // Soft hyphen, zero-width space, word joiner, byte order mark, each turn of direction, a tag.
    for (const std::string_view point :
         {"\xc2\xad", "\xe2\x80\x8b", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x81\xa0", "\xef\xbb\xbf", "\xe2\x80\xaa",
          "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7",
          "\xe2\x81\xa8", "\xe2\x81\xa9", "\xf3\xa0\x81\xa7"}) {
        const std::string text = "Pay" + std::string(point) + "pal";
        BOOST_TEST(!CredentialName::read(text).has_value());
        BOOST_TEST(!Label::read(text).has_value());
    }
    BOOST_TEST(CredentialName::read("\xf0\x9f\x94\x91 \xe2\x9d\xa4\xef\xb8\x8f").has_value()); // a key, a red heart
    BOOST_TEST(CredentialName::read("\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae").has_value()); // Persian, with a non-joiner
    BOOST_TEST(
        CredentialName::read("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb").has_value()); // a woman technologist
}

BOOST_AUTO_TEST_CASE(a_credential_name_is_well_formed_utf8) {
    for (const std::string_view text : {"\xff", "\xc3", "\xc3(", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc0\xaf"})
        BOOST_TEST(!CredentialName::read(text).has_value());
}

BOOST_AUTO_TEST_CASE(a_credential_name_is_never_taken_for_an_id_or_a_scope) {
    for (const std::string_view text : {"cred_", "cred_x", "CRED_01arz3ndektsv4rrffq69g5fav", "personal:x",
                                        "Personal:x", "workspace:acme", "organization:x"}) {
        const auto refused = CredentialName::read(text);
        BOOST_REQUIRE(!refused.has_value());
        BOOST_TEST(refused.error().sentence.view().contains("begin with"));
    }
    for (const std::string_view text :
         {"credential", "a cred_", "personal", "workspace", "organization chart", "lease_x"})
        BOOST_TEST(CredentialName::read(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(names_that_differ_in_case_or_composition_alone_fold_together) {
    BOOST_TEST(folded_of("Acme PROD") == folded_of("acme prod"));
    BOOST_TEST(folded_of("Stra\xc3\x9f"
                         "e") == folded_of("STRASSE"));
    BOOST_TEST(folded_of("CAF\xc3\x89") == folded_of("cafe\xcc\x81"));
    BOOST_TEST(folded_of("\xce\xa3\xce\xa3") == folded_of("\xcf\x83\xcf\x82")); // both sigmas
    BOOST_TEST(folded_of("a") != folded_of("b"));
    BOOST_TEST(folded_of("a") != folded_of("\xc3\xa4"));
}

BOOST_AUTO_TEST_CASE(service_ids_and_field_names_are_lower_case) {
    for (const std::string_view id : {"slack", "http-bearer", "0auth", "a"})
        BOOST_TEST(ServiceId::read(id).has_value());
    for (const std::string_view id : {"", "-a", "Slack", "a_b", "a.b", "\xc3\xa9"})
        BOOST_TEST(!ServiceId::read(id).has_value(), id);
    for (const std::string_view name : {"token", "api_key", "k2"}) BOOST_TEST(FieldName::read(name).has_value());
    for (const std::string_view name : {"", "_a", "2k", "Token", "api-key"})
        BOOST_TEST(!FieldName::read(name).has_value());
    BOOST_TEST(FieldName::read(repeated("a", 64)).has_value());
    BOOST_TEST(!FieldName::read(repeated("a", 65)).has_value());
    BOOST_TEST(!ServiceId::read(repeated("a", 65)).has_value());
}

BOOST_AUTO_TEST_CASE(labels_stay_as_they_were_given) {
    BOOST_TEST(Label::read("nightly / run #42 (e\xcc\x81)")->text() == "nightly / run #42 (e\xcc\x81)");
    BOOST_TEST(Label::read(repeated("\xc3\xa9", label_bytes_most / 2)).has_value());
    BOOST_TEST(!Label::read(repeated("\xc3\xa9", label_bytes_most / 2 + 1)).has_value());
    BOOST_TEST(Label::read(repeated("x", label_bytes_most)).has_value());
    BOOST_TEST(!Label::read(repeated("x", label_bytes_most + 1)).has_value());
    BOOST_TEST(!Label::read("").has_value());
    BOOST_TEST(!Label::read("\xff").has_value());
}

BOOST_AUTO_TEST_CASE(a_user_belongs_to_a_directory) {
    const auto user = UserId::read("user:flows/alice");
    BOOST_REQUIRE(user.has_value());
    BOOST_TEST(user->directory.text() == "flows");
    BOOST_TEST(user->name.text() == "alice");
    BOOST_TEST(user->text() == "user:flows/alice");
    for (const std::string_view text : {"", "user:", "alice", "flows/alice", "user:flows", "user:/alice", "user:flows/",
                                        "user:flows/a/b", "user:flows/a b", "User:flows/alice"})
        BOOST_TEST(!UserId::read(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(clean_utf8_is_well_formed_and_has_no_nul) {
    BOOST_TEST(is_clean_utf8(""));
    BOOST_TEST(is_clean_utf8("plain\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\x91\xf4\x8f\xbf\xbf"));
    BOOST_TEST(!is_clean_utf8(std::string_view("a\0", 2)));
    for (const std::string_view text : {"\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x94", "\xc1\xbf", "\xe0\x80\x80",
                                        "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xfe", "a\xc3"})
        BOOST_TEST(!is_clean_utf8(text));
}
