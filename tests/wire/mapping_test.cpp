#define BOOST_TEST_DYN_LINK
#include "wire/json_reader.hpp"
#include "wire/mapping.hpp"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <memory>

namespace {

using namespace credlease::wire;
using credlease::result::ErrorCode;
using credlease::secret::Arena;
using credlease::secret::ArenaOptions;
using credlease::secret::ArenaResource;
using credlease::secret::Share;

template <class Message>
credlease::result::Result<Message> read(std::string_view text, Unknown unknown = Unknown::refuse) {
    const auto value = read_json(text, {});
    BOOST_REQUIRE(value.has_value());
    return read_message<Message>(*value, unknown);
}

template <class Message> void survives(std::string_view text) {
    BOOST_TEST_CONTEXT("text: " << text) {
        const auto message = read<Message>(text);
        BOOST_REQUIRE(message.has_value());
        BOOST_TEST(write_message(*message) == text);
    }
}

template <class Message> void refuses(std::string_view text, std::string_view field) {
    BOOST_TEST_CONTEXT("text: " << text) {
        const auto message = read<Message>(text);
        BOOST_REQUIRE(!message.has_value());
        BOOST_TEST((message.error().code == ErrorCode::invalid_request));
        BOOST_TEST(message.error().field.text() == field);
        BOOST_TEST(!message.error().sentence.view().empty());
    }
}

BOOST_AUTO_TEST_SUITE(mapping)

BOOST_AUTO_TEST_CASE(every_message_survives_the_round_trip) {
    survives<ScopeMessage>(R"({"kind":"workspace","workspace":"acme"})");
    survives<PurposeMessage>(R"({"workflow":"nightly","run":"42","node":"s3"})");
    survives<IssueLease>(
        R"({"credential":"Acme","workspace":"acme","ttl":"90s","fields":["token"],"purpose":{"run":"1"},"bind":"none","min_valid":"5m"})");
    survives<IssueLease>(R"({"credential":"Acme"})");
    survives<RenewLease>(R"({"ttl":"1h","secret":true})");
    survives<RenewLease>("{}");
    survives<CreateCredential>(
        R"({"service":"github","auth":"token","name":"N","scope":{"kind":"personal","user":"user:flows/alice"},"fields":{"token":"x","n":1,"m":{"a":"b"}},"notes":"","expires_at":"2026-11-22T10:00:00.000Z","rotate_every":"90d"})");
    survives<EditCredential>(
        R"({"name":"N","notes":"n","scope":{"kind":"organization"},"expires_at":null,"rotate_every":"30d","fields":{"a":null}})");
    survives<MintGrant>(
        R"({"workspace":"acme","user":"alice","workflow":"w","run":"r","credentials":["a","b"],"services":[],"all":true,"fields":["f"],"ttl":"10m","max_ttl":"5m","max_leases":4294967295,"uid":null})");
    survives<MintGrant>(R"({"workspace":"acme","workflow":"w","ttl":"10m","uid":998})");
    survives<Seal>(R"({"now":true})");
    survives<Unseal>(R"({"passphrase":"correct horse"})");
    survives<PutMember>(R"({"role":"editor"})");
    survives<PutWorkspace>("{}");
    survives<RevokeCredential>("{}");
    survives<RevokeCredential>(R"({"upstream":true})");
    survives<RestoreCredential>("{}");
}

BOOST_AUTO_TEST_CASE(an_absent_required_member_is_named) {
    refuses<IssueLease>("{}", "credential");
    refuses<CreateCredential>(R"({"service":"github","name":"n"})", "fields");
    refuses<CreateCredential>(R"({"service":"github","name":"n","fields":{},"scope":{}})", "scope.kind");
    refuses<MintGrant>(R"({"workspace":"acme","workflow":"w"})", "ttl");
}

BOOST_AUTO_TEST_CASE(a_member_of_the_wrong_type_is_named) {
    refuses<IssueLease>(R"({"credential":7})", "credential");
    refuses<IssueLease>(R"({"credential":"a","ttl":90})", "ttl");
    refuses<IssueLease>(R"({"credential":"a","ttl":"soon"})", "ttl");
    refuses<IssueLease>(R"({"credential":"a","ttl":"0s"})", "ttl");
    refuses<IssueLease>(R"({"credential":"a","fields":"token"})", "fields");
    refuses<IssueLease>(R"({"credential":"a","fields":["token",1]})", "fields");
    refuses<IssueLease>(R"({"credential":"a","purpose":[]})", "purpose");
    refuses<IssueLease>(R"({"credential":"a","purpose":{"run":1}})", "purpose.run");
    refuses<IssueLease>(R"({"credential":"a","workspace":null})", "workspace");
    refuses<RenewLease>(R"({"secret":"yes"})", "secret");
    refuses<CreateCredential>(R"({"service":"s","name":"n","fields":{},"expires_at":"tomorrow"})", "expires_at");
    refuses<CreateCredential>(R"({"service":"s","name":"n","fields":{},"expires_at":1})", "expires_at");
    for (const auto* number : {"4294967296", "-1", "1.0", "1.5", "1e3", "\"1\"", "true"}) {
        refuses<MintGrant>(R"({"workspace":"a","workflow":"w","ttl":"1m","max_leases":)" + std::string(number) + "}",
                           "max_leases");
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_object_is_refused) {
    for (const auto* text : {"[]", "1", "\"x\"", "null"}) refuses<PutWorkspace>(text, "");
}

BOOST_AUTO_TEST_CASE(unknown_members_are_refused_by_the_daemon_and_ignored_by_the_client) {
    refuses<PutWorkspace>(R"({"x":1})", "x");
    refuses<CreateCredential>(R"({"service":"s","name":"n","fields":{},"scope":{"kind":"personal","sort":1}})",
                              "scope.sort");
    const auto message = read<PurposeMessage>(R"({"run":"1","step":2,"node":null})", Unknown::ignore);
    BOOST_REQUIRE(message.has_value());
    BOOST_TEST(*message->run == "1");
    BOOST_TEST(!message->node.has_value());
}

BOOST_AUTO_TEST_CASE(passed_through_values_keep_the_memory_of_their_source) {
    auto arena = Arena::make(ArenaOptions{.choice = ArenaOptions::Choice::mlock, .size = std::size_t{1} << 20});
    BOOST_REQUIRE(arena.has_value());
    ArenaResource memory(**arena, Share::work, std::size_t{1} << 16);
    const auto read_here = [&](auto message, std::string_view text) {
        const auto value = read_json(text, &memory);
        BOOST_REQUIRE(value.has_value());
        auto read = read_message<decltype(message)>(*value);
        BOOST_REQUIRE(read.has_value());
        return std::move(*read);
    };
    const auto created = read_here(
        CreateCredential{}, R"({"service":"s","name":"n","fields":{"token":"tiny","other":"0123456789abcdefghij"}})");
    BOOST_TEST((*arena)->contains(created.fields.at("token").as_string().data()));
    BOOST_TEST((*arena)->contains(created.fields.at("other").as_string().data()));

    const auto unseal = read_here(Unseal{}, R"({"passphrase":"short"})");
    BOOST_TEST((unseal.passphrase->as_string() == "short"));
    BOOST_TEST((*arena)->contains(unseal.passphrase->as_string().data()));

    const auto edited = read_here(EditCredential{}, R"({"fields":{"token":"tiny"},"expires_at":"2026-11-22"})");
    BOOST_TEST((*arena)->contains(edited.fields->at("token").as_string().data()));
    BOOST_TEST((*arena)->contains(edited.expires_at->as_string().data()));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
