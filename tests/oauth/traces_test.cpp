#define BOOST_TEST_DYN_LINK
#include "oauth/house.hpp"
#include "oauth/redirect.hpp"
#include "support/traces.hpp"

#include <algorithm>

// A sanitizer's shadow memory is too large to walk.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

namespace credlease::oauth {
namespace {

struct Planted : House {
    /// BEFORE the secret AFTER, in the arena.
    secret::SecretBuffer around(std::string_view before, std::string_view after) const {
        return credlease::test::around(*arena, secret::Share::tokens, before, planted, after);
    }
    outbound::Answer with_secret(std::string_view before, std::string_view after,
                                 std::string type = "application/json") const {
        outbound::Answer made;
        made.status = 200;
        made.content_type = std::move(type);
        made.body = around(before, after);
        return made;
    }
    std::size_t outside() const { return walk.count(planted); }
    /// How often the arena holds 12 bytes of the secret, its own slot apart.
    std::size_t inside() const {
        return planted.expose([&](std::span<const std::byte> bytes) {
            const auto all = arena->all_for_test();
            std::size_t found = 0;
            for (std::size_t at = 0; at + 12 <= bytes.size(); ++at) {
                for (auto begin = all.begin();; ++begin) {
                    begin = std::search(begin, all.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                        bytes.begin() + static_cast<std::ptrdiff_t>(at) + 12);
                    if (begin == all.end()) break;
                    if (&*begin < bytes.data() || &*begin >= bytes.data() + bytes.size()) ++found;
                }
            }
            return found;
        });
    }

    secret::SecretBuffer planted = credlease::test::plant(*arena, 40, secret::Share::work);
    test::TraceWalk walk{*arena};
};

BOOST_FIXTURE_TEST_SUITE(traces, Planted)

BOOST_AUTO_TEST_CASE(the_walks_find_a_planted_secret) {
    BOOST_TEST(outside() == 0u);
    BOOST_TEST(inside() == 0u);
    const auto copy = around("", "");
    BOOST_TEST(inside() > 0u);
    const std::string leaked = shown(planted);
    asm volatile("" : : "r"(leaked.data()) : "memory"); // else the optimizer sees that nobody reads it
    BOOST_TEST(outside() > 0u);
}

BOOST_AUTO_TEST_CASE(tokens_lie_in_the_arena_alone_and_leave_it_with_their_owners) {
    const std::size_t before = arena->used(secret::Share::tokens);
    {
        const auto given = with_secret(R"({"ok":true,"refresh_token":"r","access_token":")", R"(","expires_in":1})");
        const TokenSet made = tokens(given);
        BOOST_TEST(made.slots[0].access_token.buffer().size() == planted.size());
        BOOST_TEST(outside() == 0u);
    }
    { // with an escape, which the parser decodes on the stack
        const TokenSet made = tokens(with_secret(R"({"access_token":"x","refresh_token":"\/)", R"(\u0041"})"));
        BOOST_TEST(made.slots[0].refresh_token.buffer().size() == planted.size() + 2);
        BOOST_TEST(outside() == 0u);
    }
    {
        const TokenSet made = tokens(with_secret("token_type=bearer&access_token=", "%41", "text/plain"));
        BOOST_TEST(made.slots[0].access_token.buffer().size() == planted.size() + 1);
        BOOST_TEST(outside() == 0u);
    }
    BOOST_TEST(arena->used(secret::Share::tokens) == before);
    BOOST_TEST(inside() == 0u);
}

BOOST_AUTO_TEST_CASE(a_refused_answer_leaves_no_trace) {
    rules.errors.ok_at = "/ok";
    secrets.push_back(around("", ""));
    for (const char* before : {R"({"error":"invalid_grant","error_description":")", R"({"access_token":"\u0007)",
                               R"({"error":")", R"({"ok":false,"access_token":")", R"({"access_token":["a",")"}) {
        BOOST_TEST(std::holds_alternative<Refusal>(read(with_secret(before, R"("})"))), before);
        BOOST_TEST(outside() == 0u, before);
    }
    BOOST_TEST(std::holds_alternative<Refusal>(read(with_secret(R"({"error_description":"%41)", R"(","error":"e"})"))));
    BOOST_TEST(outside() == 0u);
    secrets.clear();
    BOOST_TEST(inside() == 0u);
}

BOOST_AUTO_TEST_CASE(a_requests_secrets_leave_with_it) {
    const std::size_t before = arena->used(secret::Share::tokens);
    for (const auto body : {catalog::BodyFormat::form, catalog::BodyFormat::json}) {
        for (const auto auth : {catalog::ClientAuth::basic, catalog::ClientAuth::post}) {
            rules.body = body;
            rules.client_auth.value = auth;
            planted.expose([&](std::span<const std::byte> bytes) {
                values.set_secret(client_secret, secret::as_text(bytes));
                const Prepared made = prepared([&](const Client& client) { return refresh_request(client, planted); });
                BOOST_TEST(!made.secrets.empty());
            });
            BOOST_TEST(outside() == 0u);
        }
    }
    BOOST_TEST(arena->used(secret::Share::tokens) == before);
    BOOST_TEST(inside() == 0u);
}

BOOST_AUTO_TEST_CASE(a_code_from_a_redirect_leaves_with_it) {
    {
        const auto query = around("state=s&code=%2F", "&x=y");
        query.expose([&](std::span<const std::byte> bytes) {
            const auto made = read_redirect(rules, secret::as_text(bytes), *arena);
            BOOST_REQUIRE(made.has_value());
            BOOST_TEST(made->code.size() == planted.size() + 1);
            BOOST_TEST(outside() == 0u);
        });
    }
    BOOST_TEST(inside() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace
} // namespace credlease::oauth

#endif
