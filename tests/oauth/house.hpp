#pragma once

#include "catalog/read_template.hpp"
#include "oauth/answer.hpp"
#include "oauth/requests.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <string_view>

namespace credlease::oauth {

inline std::string shown(const secret::SecretBuffer& buffer) {
    return buffer.expose([](std::span<const std::byte> bytes) { return std::string(secret::as_text(bytes)); });
}
inline std::string shown(const auto& secret) { return shown(secret.buffer()); }

inline catalog::Field field(std::string name, bool secret = false,
                            vocabulary::FieldType type = vocabulary::FieldType::string) {
    catalog::Field made;
    made.name = std::move(name);
    made.secret = secret;
    made.type = type;
    return made;
}

/// An entry with the endpoints and the one slot of RFC 6749, for a client "app" whose secret is "s3cr3t/+".
struct House {
    enum Fields : std::size_t { client_id, client_secret, scopes, host, private_key, instance };

    House() {
        auth.fields = {field("client_id"),
                       field("client_secret", true),
                       field("scopes", false, vocabulary::FieldType::list),
                       field("host"),
                       field("private_key", true, vocabulary::FieldType::text),
                       field("instance")};
        rules.client_id = client_id;
        rules.client_secret = client_secret;
        rules.scopes = scopes;
        rules.private_key = private_key;
        rules.authorize_url = text("https://id.example/authorize");
        rules.token_url = text("https://id.example/token");
        rules.device_url = text("https://id.example/device");
        rules.slots = {slot("", "main")};
        values.set_public(client_id, std::string("app"));
        values.set_secret(client_secret, "s3cr3t/+");
    }

    catalog::Template text(std::string_view written) const { return *catalog::read_template(written, auth.fields); }
    catalog::Parameter parameter(std::string name, std::string_view written) const {
        return {.name = std::move(name), .value = text(written)};
    }
    static catalog::TokenSlot slot(const std::string& under, std::string name) {
        catalog::TokenSlot made;
        made.name = std::move(name);
        made.access_token_at = under + "/access_token";
        made.token_type_at = under + "/token_type";
        made.refresh_token_at = under + "/refresh_token";
        made.expires_in_at = under + "/expires_in";
        made.scope_at = under + "/scope";
        return made;
    }
    secret::SecretBuffer secret(std::string_view plain) const {
        return std::move(*secret::SecretBuffer::copy(*arena, plain, secret::Share::work));
    }

    catalog::AuthType type() const {
        auto made = auth;
        made.oauth = rules;
        return made;
    }
    result::Result<Terms> try_terms(const Discovered* found = nullptr) const {
        return make_terms(type(), values, found);
    }
    Terms terms() const {
        auto made = try_terms();
        BOOST_REQUIRE(made.has_value());
        return *made;
    }
    /// What `write(client)` prepares.
    template <class Write> Prepared prepared(const Write& write) const {
        const Terms made = terms();
        auto request = write(Client{.rules = rules, .terms = made, .values = values, .arena = *arena});
        BOOST_REQUIRE(request.has_value());
        return std::move(*request);
    }
    static std::string header(const Prepared& made, std::string_view name) {
        for (const auto& each : made.request.headers) {
            if (each.name == name) return shown(each.value);
        }
        return "none";
    }

    outbound::Answer answer(unsigned status, std::string_view body,
                            std::string content_type = "application/json") const {
        outbound::Answer made;
        made.status = status;
        made.content_type = std::move(content_type);
        made.body = std::move(*secret::SecretBuffer::copy(*arena, body, secret::Share::tokens));
        return made;
    }
    std::variant<TokenSet, Refusal> read(const outbound::Answer& given, std::optional<std::size_t> slot = {}) const {
        auto made = read_answer(rules, {.secrets = secrets, .slot = slot, .sent_at = now}, given, *arena);
        BOOST_REQUIRE(made.has_value());
        return std::move(*made);
    }
    TokenSet tokens(const outbound::Answer& given, std::optional<std::size_t> slot = {}) const {
        auto made = read(given, slot);
        BOOST_REQUIRE(std::holds_alternative<TokenSet>(made));
        return std::move(std::get<TokenSet>(made));
    }
    Refusal refusal(const outbound::Answer& given) const {
        auto made = read(given);
        BOOST_REQUIRE(std::holds_alternative<Refusal>(made));
        return std::move(std::get<Refusal>(made));
    }
    /// "definitive invalid_grant"
    std::string refused(unsigned status, std::string_view body, std::string content_type = "application/json") const {
        static constexpr std::array<const char*, 5> names = {"definitive", "client", "transient", "rate_limited",
                                                             "too_early"};
        const Refusal made = refusal(answer(status, body, std::move(content_type)));
        std::string text = names[static_cast<std::size_t>(made.meaning)];
        if (!made.code.empty()) text += " " + made.code.text();
        return made.may_be_done ? text + " may be done" : text;
    }

    std::unique_ptr<secret::Arena> arena = std::move(*secret::Arena::make({}));
    catalog::AuthType auth;
    catalog::OAuth rules;
    Values values;
    Secrets secrets;
    Time now = *vocabulary::read_time("2026-11-25T12:00:00Z");
};

/// Seconds after the house's now.
inline long long seconds_after(const House& house, const std::optional<Time>& time) {
    return time ? std::chrono::duration_cast<std::chrono::seconds>(*time - house.now).count() : -1;
}

/// The parameters of a query or form, decoded by this test's own hand.
inline std::map<std::string, std::string> parameters_of(std::string_view form) {
    std::map<std::string, std::string> found;
    while (!form.empty()) {
        const std::size_t end = std::min(form.find('&'), form.size());
        const std::string_view pair = form.substr(0, end);
        std::string value;
        for (std::size_t at = pair.find('=') + 1; at < pair.size(); ++at) {
            if (pair[at] != '%') {
                value += pair[at];
                continue;
            }
            value += static_cast<char>(std::stoi(std::string(pair.substr(at + 1, 2)), nullptr, 16));
            at += 2;
        }
        found[std::string(pair.substr(0, pair.find('=')))] = value;
        form.remove_prefix(std::min(end + 1, form.size()));
    }
    return found;
}

} // namespace credlease::oauth
