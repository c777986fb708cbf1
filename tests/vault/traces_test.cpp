#define BOOST_TEST_DYN_LINK
#include "support/traces.hpp"
#include "vault/oauth_house.hpp"

#include <boost/test/unit_test.hpp>

// A sanitizer's shadow memory is too large to walk.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

namespace credlease::vault {
namespace {

const Scope organization = Scope::organization();

struct Planted : OAuthHouse {
    /// BEFORE secret AFTER, as a request's body in the arena.
    secret::SecretBuffer body(std::string_view before, std::string_view after) {
        return credlease::test::around(*arena, secret::Share::bodies, before, secret, after);
    }
    GivenFields given(std::string_view id, std::string_view before, std::string_view after) {
        return body(before, after).expose([&](std::span<const std::byte> text) {
            return std::move(*read(auth(id), secret::as_text(text)));
        });
    }
    const Entry& plant(std::string_view id, std::string_view name, std::string_view before, std::string_view after) {
        NewCredential created = made(id, name, organization, required_of(id));
        created.fields = given(id, before, after);
        const auto key = created.id;
        store::Batch batch;
        auto change = vault->stage_create(std::move(created), batch);
        BOOST_REQUIRE(change.has_value());
        disk.write(batch);
        vault->apply(std::move(*change));
        return *vault->find({&organization, 1}, key);
    }
    static std::string_view required_of(std::string_view id) {
        return id == "http-basic" ? R"({"username":"u","password":"p"})" : R"({"headers":{"X":"v"}})";
    }

    /// The lease's members, in the arena.
    secret::SecretBuffer reply_of(const Entry& entry) {
        auto opened = vault->open(entry, auth(entry.credential.service.text()));
        auto reply = secret::SecretBuffer::make(*arena, 4096, secret::Share::leases);
        std::size_t size = 0;
        reply->expose_to_write([&](std::span<std::byte> out) {
            wire::SecretJsonWriter writer(reinterpret_cast<char*>(out.data()), out.size());
            opened->encoded().expose([&](std::span<const std::byte> plaintext) {
                BOOST_REQUIRE(write_lease_members(writer, auth(entry.credential.service.text()), entry, plaintext,
                                                  ~std::uint32_t{0}));
            });
            size = writer.size();
        });
        reply->shrink(size);
        return std::move(*reply);
    }

    secret::SecretBuffer secret = credlease::test::plant(*arena, 20, secret::Share::work);
    test::TraceWalk walk{*arena};
};

BOOST_FIXTURE_TEST_SUITE(traces, Planted)

BOOST_AUTO_TEST_CASE(the_walk_finds_a_planted_secret) {
    BOOST_TEST(walk.count(secret) == 0u);
    const std::string leaked =
        secret.expose([](std::span<const std::byte> bytes) { return std::string(secret::as_text(bytes)); });
    asm volatile("" : : "r"(leaked.data()) : "memory"); // else the optimizer sees that nobody reads it
    BOOST_TEST(walk.count(secret) > 0u);
    disk.records[{store::Table::versions, leaked}] = {};
}

BOOST_AUTO_TEST_CASE(a_secret_lies_in_the_arena_alone_and_on_disk_only_sealed) {
    const Entry& basic =
        plant("http-basic", "basic", R"({"username":"alice","base_url":"https://h.example","password":")", "\"}");
    BOOST_TEST(walk.count(secret) == 0u); // the batch and the disk are in this memory too
    const Entry& headers = plant("custom-headers", "headers", R"({"headers":{"X-Key":")", R"(\u00e4","X-B":"b"}})");
    BOOST_TEST(walk.count(secret) == 0u);

    Edit moved;
    moved.scope = workspace("acme");
    BOOST_REQUIRE_EQUAL(refusal_of(edit(headers, std::move(moved))), "none");
    Edit destination;
    destination.fields = given("http-basic", R"({"base_url":"https://new.example","password":")", "\"}");
    BOOST_REQUIRE_EQUAL(refusal_of(edit(basic, std::move(destination))), "none");
    BOOST_TEST(walk.count(secret) == 0u);

    for (const Entry* entry : {&basic, &headers}) {
        const secret::SecretBuffer reply = reply_of(*entry);
        BOOST_TEST(reply.size() > secret.size());
        BOOST_TEST(walk.count(secret) == 0u);
    }
    open();
    BOOST_TEST(walk.count(secret) == 0u);
}

BOOST_AUTO_TEST_CASE(tokens_lie_in_the_arena_alone_and_on_disk_only_sealed) {
    const auto plant_token = [&](std::string_view access_before, std::string_view refresh_before) {
        NewToken made{.slot = "bot",
                      .access_token = body(access_before, ""),
                      .refresh_token = body(refresh_before, ""),
                      .token_type = "Bearer"};
        return made;
    };
    const Entry& entry = pending("a", organization);
    NewConnection connected = connection();
    connected.answer = answer(plant_token("xoxb-", "xoxr-"));
    BOOST_REQUIRE_EQUAL(connect(entry, std::move(connected)), "none");
    BOOST_TEST(walk.count(secret) == 0u);
    begin_refresh(entry, "bot");
    BOOST_REQUIRE_EQUAL(refresh(entry, answer(plant_token("second-", "another-"))), "none");
    BOOST_TEST(walk.count(secret) == 0u);
    BOOST_REQUIRE_EQUAL(refresh(entry, {1, 0}, answer(plant_token("late-", "late-"))), "version_conflict");
    BOOST_REQUIRE_EQUAL(change_state(entry, {.failures = 1}), "none");
    Edit moved;
    moved.scope = workspace("acme");
    BOOST_REQUIRE_EQUAL(edit_chat(entry, std::move(moved)), "none");
    BOOST_TEST(walk.count(secret) == 0u);
    {
        const auto leased = vault->open(entry, kind());
        const auto grant = vault->open_grant(entry);
        BOOST_TEST(grant->tokens.front().refresh_token.size() > secret.size());
        BOOST_TEST(walk.count(secret) == 0u);
    }
    for (const auto share : {secret::Share::leases, secret::Share::tokens}) BOOST_TEST(arena->used(share) == 0u);
    open();
    BOOST_TEST(walk.count(secret) == 0u);
}

BOOST_AUTO_TEST_CASE(its_base64_form_lies_in_the_arena_alone) {
    const Entry& entry = plant("http-basic", "basic", R"({"username":"alice","password":")", "\"}");
    const secret::SecretBuffer reply = reply_of(entry);
    const secret::SecretBuffer encoded = reply.expose([&](std::span<const std::byte> bytes) {
        const std::string_view text = secret::as_text(bytes);
        const std::size_t begin = text.find("Basic ") + 6 + 8; // behind "alice:"
        return std::move(*secret::SecretBuffer::copy(*arena, text.substr(begin, 24), secret::Share::work));
    });
    BOOST_TEST(walk.count(encoded) == 0u);
}

BOOST_AUTO_TEST_CASE(a_refused_secret_leaves_no_trace) {
    const auto refused = body(R"({"token":")", "\\n\"}").expose([&](std::span<const std::byte> text) {
        return read(auth("github"), secret::as_text(text));
    });
    BOOST_TEST(refusal_of(refused) == "invalid_request fields.token");
    BOOST_TEST(walk.count(secret) == 0u);
    store::Batch batch;
    NewCredential incomplete = made("http-basic", "a", organization, R"({"username":"u","password":"p"})");
    incomplete.fields = given("http-basic", R"({"password":")", "\"}");
    BOOST_TEST(refusal_of(vault->stage_create(std::move(incomplete), batch)) == "invalid_request fields.username");
    BOOST_TEST(walk.count(secret) == 0u);
}

BOOST_AUTO_TEST_CASE(a_scopes_key_and_plaintext_leave_the_arena_with_their_owners) {
    const std::size_t keys_before = arena->used(secret::Share::keys);
    const std::size_t leases_before = arena->used(secret::Share::leases);
    const std::size_t work_before = arena->used(secret::Share::work);
    plant("http-basic", "basic", R"({"username":"alice","password":")", "\"}");
    (void)vault->open(**vault->find_named({&organization, 1}, name_of("basic")).begin(), auth("http-basic"));
    BOOST_TEST(arena->used(secret::Share::keys) > keys_before);
    BOOST_TEST(arena->used(secret::Share::leases) == leases_before);
    BOOST_TEST(arena->used(secret::Share::work) == work_before);
    disk.records.clear();
    open();
    BOOST_TEST(arena->used(secret::Share::keys) == keys_before);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::vault

#endif
