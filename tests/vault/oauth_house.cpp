#define BOOST_TEST_DYN_LINK
#include "vault/oauth_house.hpp"

namespace credlease::vault {

catalog::Service chat_service() {
    using catalog::Source;
    const auto field = [](std::string name, bool secret, Source source, bool leased = true) {
        catalog::Field made;
        made.name = std::move(name);
        made.secret = secret;
        made.source = source;
        made.leased = leased;
        return made;
    };
    catalog::AuthType auth;
    auth.name = "oauth2";
    auth.fields = {field("bot_token", true, Source::tokens),
                   field("user_token", true, Source::tokens),
                   field("token_type", true, Source::tokens),
                   field("instance_url", false, Source::answer),
                   field("base_url", false, Source::person),
                   field("client_id", false, Source::person, false),
                   field("client_secret", true, Source::person, false),
                   field("team", false, Source::person),
                   field("extra", true, Source::person)};
    auth.fields[0].required = true;
    auth.fields[3].destination = auth.fields[4].destination = true;
    auth.fields[3].format = catalog::Format::url;
    auth.http.emplace();
    auth.http->headers.push_back(
        {.name = {.parts = {{.literal = "Authorization", .fields = {}}}}, .value = filled("Bearer ", 0)});
    auth.http->base_url = filled("", 3);
    auth.oauth.emplace();
    auth.oauth->slots.resize(2);
    auth.oauth->slots[0].name = "bot";
    auth.oauth->slots[0].access_token = 0;
    auth.oauth->slots[0].token_type = 2;
    auth.oauth->slots[1].name = "user";
    auth.oauth->slots[1].access_token = 1;
    catalog::Service made;
    made.id = *vocabulary::ServiceId::read("chat");
    made.auth_types.push_back(std::move(auth));
    return made;
}

OAuthHouse::OAuthHouse() = default;
OAuthHouse::~OAuthHouse() = default;

const Entry& OAuthHouse::pending(std::string_view name, const Scope& scope, std::string_view fields) {
    NewCredential created = made("github", name, scope, R"({"token":"t"})");
    created.service = &chat;
    created.auth = &kind();
    created.fields = std::move(*read(kind(), fields));
    const auto id = created.id;
    store::Batch batch;
    auto change = vault->stage_create(std::move(created), batch);
    BOOST_REQUIRE_EQUAL(settle(std::move(change), batch), "none");
    return *vault->find({&scope, 1}, id);
}

NewToken OAuthHouse::token(std::string slot, std::string_view access, std::string_view refresh) {
    const auto copy = [&](std::string_view text) {
        return std::move(*secret::SecretBuffer::copy(*arena, text, secret::Share::tokens));
    };
    NewToken made{
        .slot = std::move(slot), .access_token = copy(access), .refresh_token = copy(refresh), .token_type = "Bearer"};
    made.access_ends_at = now + std::chrono::hours(1);
    return made;
}

NewConnection OAuthHouse::connection() {
    NewConnection made{.answer =
                           answer(token("bot", "bot-1", "bot-refresh-1"), token("user", "user-1", "user-refresh-1")),
                       .terms = {.token_url = "https://chat.example/token",
                                 .client_auth = vocabulary::ClientAuth::post,
                                 .client = vocabulary::ClientOwner::organization,
                                 .client_id = "c1",
                                 .scopes = {"read", "write"},
                                 .parameters = {{"audience", "api"}}}};
    made.answer.account = "acme";
    made.answer.tokens.front().scopes = {{"read"}};
    made.answer.tokens.front().refresh_idle_ends_at = now + std::chrono::days(60);
    made.answer.tokens.front().refresh_ends_at = now + std::chrono::days(365);
    made.answer.answer_fields.emplace("instance_url", std::string("https://one.chat.example"));
    made.client_secret_ends_at = now + std::chrono::days(700);
    return made;
}

std::string OAuthHouse::settle(result::Result<Change> change, const store::Batch& batch) {
    if (!change) return refusal_of(change);
    disk.write(batch);
    vault->apply(std::move(*change));
    return "none";
}

std::string OAuthHouse::connect(const Entry& entry, NewConnection made) {
    store::Batch batch;
    auto change = vault->stage_connect(entry, kind(), std::move(made), batch);
    return settle(std::move(change), batch);
}

const Entry& OAuthHouse::connected(std::string_view name, const Scope& scope) {
    const Entry& entry = pending(name, scope);
    BOOST_REQUIRE_EQUAL(connect(entry, connection()), "none");
    return entry;
}

std::string OAuthHouse::refresh(const Entry& entry, const Generation& of, NewTokens made) {
    store::Batch batch;
    auto change = vault->stage_tokens(entry, kind(), of, std::move(made), batch);
    return settle(std::move(change), batch);
}

std::string OAuthHouse::change_state(const Entry& entry, StateChange made) {
    store::Batch batch;
    auto change = vault->stage_state(entry, generation_of(entry.credential), std::move(made), batch);
    return settle(std::move(change), batch);
}

void OAuthHouse::begin_refresh(const Entry& entry, std::string slot) {
    store::Batch batch;
    Change change = vault->stage_intent(entry, std::move(slot), now, batch);
    BOOST_REQUIRE_EQUAL(settle(std::move(change), batch), "none");
}

std::string OAuthHouse::edit_chat(const Entry& entry, Edit edit) {
    store::Batch batch;
    edit.now = now;
    auto change = vault->stage_edit(entry, kind(), std::move(edit), batch);
    return settle(std::move(change), batch);
}

std::string OAuthHouse::edit_chat_fields(const Entry& entry, std::string_view json) {
    auto given = read(kind(), json);
    if (!given) return refusal_of(given);
    Edit edit;
    edit.fields = std::move(*given);
    return edit_chat(entry, std::move(edit));
}

std::string OAuthHouse::grant_of(const Entry& entry) {
    const auto text_of = [](const secret::SecretBuffer& buffer) {
        return buffer.expose([](std::span<const std::byte> bytes) { return std::string(secret::as_text(bytes)); });
    };
    const auto grant = vault->open_grant(entry);
    if (!grant) return refusal_of(grant);
    std::string text = text_of(*grant->copy_field("client_secret", *arena));
    for (const OpenToken& opened : grant->tokens) {
        text += " " + opened.slot + ":" + text_of(opened.access_token) + "/" + text_of(opened.refresh_token);
    }
    return text;
}

std::size_t OAuthHouse::records_in(store::Table table) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(disk.records, [&](const auto& at) { return at.first.first == table; }));
}

const Entry& OAuthHouse::named(std::string_view name) const {
    const auto found = vault->find_named(vault->all_scopes(), name_of(name));
    BOOST_REQUIRE_EQUAL(found.size(), 1u);
    return *found.front();
}

} // namespace credlease::vault
