#pragma once

#include "vault/house.hpp"

namespace credlease::vault {

/// A template of one literal and one field behind it.
inline catalog::Template filled(std::string literal, std::size_t field) {
    catalog::Template made;
    if (!literal.empty()) made.parts.push_back({.literal = std::move(literal), .fields = {}});
    made.parts.push_back({.literal = {}, .fields = {field}});
    made.needs = std::uint32_t{1} << field;
    return made;
}

/// A provider with two slots, fields that are never leased, and one that its answers fill.
catalog::Service chat_service();

/// A vault with credentials of that provider.
struct OAuthHouse : House {
    OAuthHouse();
    ~OAuthHouse();

    const catalog::AuthType& kind() const { return chat.auth_types.front(); }

    const Entry& pending(std::string_view name, const Scope& scope,
                         std::string_view fields = R"({"client_id":"c1","client_secret":"s1","team":"T1"})");

    NewToken token(std::string slot, std::string_view access, std::string_view refresh = {});
    template <class... Tokens> NewTokens answer(Tokens... tokens) {
        NewTokens made;
        (made.tokens.push_back(std::move(tokens)), ...);
        made.refresh_at = now + std::chrono::minutes(50);
        made.now = now;
        return made;
    }
    NewConnection connection();

    /// Makes it durable and applies it; what a refusal says.
    std::string settle(result::Result<Change> change, const store::Batch& batch);
    std::string connect(const Entry& entry, NewConnection made);
    const Entry& connected(std::string_view name, const Scope& scope);
    std::string refresh(const Entry& entry, const Generation& of, NewTokens made);
    std::string refresh(const Entry& entry, NewTokens made) {
        return refresh(entry, generation_of(entry.credential), std::move(made));
    }
    std::string change_state(const Entry& entry, StateChange made);
    void begin_refresh(const Entry& entry, std::string slot);
    std::string edit_chat(const Entry& entry, Edit edit);
    std::string edit_chat_fields(const Entry& entry, std::string_view json);

    std::string lease_of_chat(const Entry& entry, std::uint32_t wanted = ~std::uint32_t{0}) {
        return lease_of(entry, kind(), wanted);
    }
    /// "s1 bot:ACCESS/REFRESH user:…": for tests, whose secrets are none.
    std::string grant_of(const Entry& entry);

    Disk::Value& record_of(store::Table table, const Entry& entry) {
        return disk.records.at({table, entry.credential.id.text()});
    }
    std::size_t records_in(store::Table table) const;
    const Entry& named(std::string_view name) const;

    catalog::Service chat = chat_service();
};

} // namespace credlease::vault
