#include "broker/oauth_clients.hpp"

#include "broker/clock_warnings.hpp"
#include "broker/refresh_failing.hpp"
#include "catalog/check_value.hpp"

#include <algorithm>
#include <array>

namespace credlease::broker {
namespace {

using result::ErrorCode;
using result::invalid;
using result::refuse;
using vocabulary::Action;

result::Failure no_client(std::string_view service) {
    return refuse({.code = ErrorCode::not_found,
                   .sentence = "The organization has no OAuth client for this service.",
                   .next_step = "See what there is with GET /v1/oauth/clients (credlease oauth-client list).",
                   .about = result::PublicText::of(service)});
}

result::Result<const catalog::Service*> find_service(const Unsealed& house, std::string_view id) {
    if (const auto* service = house.rules.catalog->find(id)) return service;
    return refuse({.code = ErrorCode::service_not_found,
                   .sentence = "The catalog has no such service.",
                   .next_step = "See what there is with GET /v1/services (credlease services).",
                   .about = result::PublicText::of(id)});
}

/// The auth type that is named, else the first that takes a client.
result::Result<const catalog::AuthType*> find_auth(const catalog::Service& service,
                                                   const std::optional<std::string>& named) {
    const auto& types = service.auth_types;
    const auto fits = [&](const catalog::AuthType& auth) {
        return vault::takes_client(auth) && (!named || auth.name == *named);
    };
    if (const auto found = std::ranges::find_if(types, fits); found != types.end()) return &*found;
    if (std::ranges::none_of(types, vault::takes_client)) {
        auto error = invalid("service", "This service takes no OAuth client.");
        error.next_step = "Store a credential of it (credlease add); only services with OAuth 2.0 have clients.";
        return refuse(std::move(error));
    }
    auto error = invalid("auth", "The service has no auth type of this name that takes an OAuth client.");
    for (const auto& auth : types) {
        if (vault::takes_client(auth)) error.candidates.push_back(result::PublicText::of(auth.name));
    }
    error.next_step = "Leave `auth` out, or name one that does.";
    return refuse(std::move(error));
}

result::Result<secret::SecretBuffer> read_secret(const catalog::AuthType& auth,
                                                 const std::optional<boost::json::value>& given, secret::Arena& arena) {
    if (!given || given->is_null()) return secret::SecretBuffer();
    const auto* json = given->if_string();
    if (json == nullptr || json->empty()) {
        auto error = invalid("client_secret", "A client secret is a text.");
        error.next_step = "Leave it out for a public client.";
        return refuse(std::move(error));
    }
    const std::string_view text(json->data(), json->size());
    const auto& field = auth.fields[*auth.oauth->client_secret];
    if (const auto problem = catalog::problem_with_text(field, text)) return refuse(invalid("client_secret", *problem));
    return secret::SecretBuffer::copy(arena, text, secret::Share::work);
}

/// The destinations alone: whatever else a client could say belongs to each credential.
result::Result<std::map<std::string, std::string>>
read_hosts(const catalog::AuthType& auth, const std::optional<boost::json::value>& given, secret::Arena& arena) {
    std::map<std::string, std::string> hosts;
    if (given && !given->is_null()) {
        auto read = vault::read_fields(auth, *given, arena);
        if (!read) return refuse(std::move(read.error()));
        const std::uint32_t others = read->given & ~vault::client_fields(auth);
        for (std::size_t i = 0; i < auth.fields.size(); ++i) {
            if ((others >> i & 1) == 0) continue;
            auto error = invalid("fields." + auth.fields[i].name, "This field is the credentials' own.");
            error.next_step = "With a client go only the fields that decide where its secret is sent.";
            return refuse(std::move(error));
        }
        for (const auto& [name, value] : read->public_fields) hosts.emplace(name, std::get<std::string>(value));
    }
    return vault::choose_hosts(auth, std::move(hosts));
}

result::Result<> check_end(const Unsealed& house, std::optional<vocabulary::Time> end, bool has_secret) {
    constexpr std::string_view member = "client_secret_ends_at";
    if (end && !has_secret) return refuse(invalid(member, "A public client has no secret that could end."));
    if (end && *end <= house.wall()) return refuse(invalid(member, "This time has passed."));
    return {};
}

/// As it is given; else when the provider lets none live longer.
result::Result<std::optional<vocabulary::Time>> read_end(const Unsealed& house, const catalog::AuthType& auth,
                                                         const wire::PutOAuthClient& asked, bool has_secret) {
    if (!asked.client_secret_ends_at) {
        const auto& life = auth.oauth->clocks.client_secret;
        return has_secret && life ? std::optional(house.wall() + *life) : std::nullopt;
    }
    if (auto right = check_end(house, asked.client_secret_ends_at, has_secret); !right) {
        return refuse(std::move(right.error()));
    }
    return asked.client_secret_ends_at;
}

std::string whoever_asks(const Asker& asker) {
    const auto& caller = *asker.caller;
    return caller.on_behalf_of.empty() ? caller.principal : caller.on_behalf_of;
}

result::Result<vault::NewOAuthClient> read_client(const Unsealed& house, const Asker& asker, std::string_view id,
                                                  const wire::PutOAuthClient& asked) {
    const auto service = find_service(house, id);
    if (!service) return refuse(service.error());
    const auto auth = find_auth(**service, asked.auth);
    if (!auth) return refuse(auth.error());
    const auto& id_field = (*auth)->fields[*(*auth)->oauth->client_id];
    if (asked.client_id.empty()) return refuse(invalid("client_id", "A client has an id."));
    if (const auto problem = catalog::problem_with_text(id_field, asked.client_id)) {
        return refuse(invalid("client_id", *problem));
    }
    auto& arena = house.parts.arena;
    auto hosts = read_hosts(**auth, asked.fields, arena);
    if (!hosts) return refuse(std::move(hosts.error()));
    auto secret = read_secret(**auth, asked.client_secret, arena);
    if (!secret) return refuse(std::move(secret.error()));
    const auto end = read_end(house, **auth, asked, !secret->empty());
    if (!end) return refuse(end.error());
    return vault::NewOAuthClient{.service = (*service)->id,
                                 .auth = (*auth)->name,
                                 .client_id = asked.client_id,
                                 .fields = std::move(*hosts),
                                 .secret = std::move(*secret),
                                 .secret_ends_at = *end,
                                 .now = house.wall(),
                                 .changed_by = whoever_asks(asker)};
}

/// The one that is there, with another end of its secret.
result::Result<vault::NewOAuthClient> with_end(const Unsealed& house, const Asker& asker,
                                               const vault::OAuthClient& held, const wire::EditOAuthClient& asked) {
    const auto end = read_time_or_null("client_secret_ends_at", asked.client_secret_ends_at);
    if (!end) return refuse(end.error());
    if (auto right = check_end(house, *end, held.has_secret); !right) return refuse(std::move(right.error()));
    vault::NewOAuthClient made{.service = held.service,
                               .auth = held.auth,
                               .client_id = held.client_id,
                               .fields = held.fields,
                               .secret = {},
                               .secret_ends_at = *end,
                               .now = house.wall(),
                               .changed_by = whoever_asks(asker)};
    if (held.has_secret) {
        auto secret = house.vault->open_client(held);
        if (!secret) return refuse(std::move(secret.error()));
        made.secret = std::move(*secret);
    }
    return made;
}

/// Each member that changed; of the secret only that it did.
class Changes {
  public:
    Changes(const vault::OAuthClient& before, const vault::OAuthClient& after) {
        note("auth", before.auth, after.auth);
        note("client_id", before.client_id, after.client_id);
        for (const auto& [name, value] : before.fields) note("fields." + name, value, value_in(after, name));
        for (const auto& [name, value] : after.fields) {
            if (!before.fields.contains(name)) note("fields." + name, "", value);
        }
        note("client_secret_ends_at", time_in(before), time_in(after));
        if (before.fingerprint != after.fingerprint) texts_.push_back({"client_secret", "", ""});
        for (const auto& text : texts_) views_.push_back({.member = text[0], .before = text[1], .after = text[2]});
    }
    [[nodiscard]] std::span<const vocabulary::ChangeView> views() const { return views_; }

  private:
    static std::string time_in(const vault::OAuthClient& client) {
        return client.secret_ends_at ? vocabulary::text_of(*client.secret_ends_at) : "";
    }
    static std::string value_in(const vault::OAuthClient& client, const std::string& name) {
        const auto at = client.fields.find(name);
        return at == client.fields.end() ? "" : at->second;
    }
    void note(std::string member, std::string before, std::string after) {
        if (before != after) texts_.push_back({std::move(member), std::move(before), std::move(after)});
    }

    std::vector<std::array<std::string, 3>> texts_;
    std::vector<vocabulary::ChangeView> views_;
};

/// Whoever makes the organization's key is alone in its scope.
runtime::Task<result::Result<runtime::Gate::Pass>> take_turn_for_clients(Unsealed& house, Asker& asker) {
    std::vector<std::string> keys{gate_key(vocabulary::Scope::organization())};
    auto pass = co_await take_turn(house, asker, std::move(keys));
    if (!pass) co_return refuse(std::move(pass.error()));
    if (auto right = check_keeps_clients(*asker.caller); !right) co_return refuse(std::move(right.error()));
    co_return std::move(pass);
}

runtime::Task<result::Result<>> commit(Unsealed& house, const Asker& asker, Action action,
                                       const vault::OAuthClient& before, vault::ClientChange change,
                                       store::Batch batch) {
    auto record = record_of(asker, action);
    const std::string detail = change.after().service.text();
    const Changes changes(before, change.after());
    record.detail = detail;
    record.fingerprint = change.after().fingerprint;
    record.changes = changes.views();
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    house.vault->apply(std::move(change));
    co_return result::Result<>();
}

Answer answer_of(const Unsealed& house, const vault::OAuthClient& client, bool is_new) {
    Answer answer{.status = is_new ? 201U : 200U, .revision = client.revision};
    if (is_new) answer.location = "/v1/oauth/clients/" + client.service.text();
    wire::JsonWriter writer(answer.body);
    write_oauth_client(writer, house, client);
    return answer;
}

/// `held`: what was there; nullptr: nothing.
runtime::Task<result::Result<Answer>> put_in_place(Unsealed& house, const Asker& asker, OAuthClientRef held,
                                                   vault::NewOAuthClient made) {
    store::Batch batch;
    auto change = house.vault->stage_client(std::move(made), batch);
    if (!change) co_return refuse(std::move(change.error()));
    const Answer answer = answer_of(house, change->after(), !held);
    const vault::OAuthClient before = held ? *held : vault::OAuthClient();
    auto committed =
        co_await commit(house, asker, Action::oauth_client_changed, before, std::move(*change), std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    house.clock_warnings->look_soon();
    co_return answer;
}

} // namespace

result::Result<> check_keeps_clients(const access::Caller& caller) {
    if (caller.organization_admin) return {};
    return refuse({.code = ErrorCode::forbidden,
                   .sentence = "The organization's OAuth clients are kept by operators, and by admins of the workspace "
                               "organization.",
                   .next_step = "Ask one of them, or give the credential a client of its own."});
}

runtime::Task<result::Result<Answer>> put_oauth_client(Unsealed& house, Asker asker, std::string service,
                                                       std::string if_match, wire::PutOAuthClient asked) {
    auto pass = co_await take_turn_for_clients(house, asker);
    if (!pass) co_return refuse(std::move(pass.error()));
    auto made = read_client(house, asker, service, asked);
    if (!made) co_return refuse(std::move(made.error()));
    const auto held = house.vault->find_client(service);
    if (auto match = check_match(if_match, held ? held->revision : 0); !match)
        co_return refuse(std::move(match.error()));
    auto answer = co_await put_in_place(house, asker, held, std::move(*made));
    if (!answer) co_return refuse(std::move(answer.error()));
    house.tasks.start(refresh_failing(house, std::move(service)));
    co_return std::move(*answer);
}

runtime::Task<result::Result<Answer>> edit_oauth_client(Unsealed& house, Asker asker, std::string service,
                                                        std::string if_match, wire::EditOAuthClient asked) {
    auto pass = co_await take_turn_for_clients(house, asker);
    if (!pass) co_return refuse(std::move(pass.error()));
    const auto held = house.vault->find_client(service);
    if (!held) co_return no_client(service);
    if (auto match = check_match(if_match, held->revision); !match) co_return refuse(std::move(match.error()));
    auto made = with_end(house, asker, *held, asked);
    if (!made) co_return refuse(std::move(made.error()));
    co_return co_await put_in_place(house, asker, held, std::move(*made));
}

runtime::Task<result::Result<Answer>> delete_oauth_client(Unsealed& house, Asker asker, std::string service,
                                                          std::string if_match) {
    auto pass = co_await take_turn_for_clients(house, asker);
    if (!pass) co_return refuse(std::move(pass.error()));
    const auto held = house.vault->find_client(service);
    if (!held) co_return no_client(service);
    if (auto match = check_match(if_match, held->revision); !match) co_return refuse(std::move(match.error()));
    store::Batch batch;
    auto change = house.vault->stage_erase_client(*held, batch);
    auto committed =
        co_await commit(house, asker, Action::oauth_client_deleted, *held, std::move(change), std::move(batch));
    if (!committed) co_return refuse(std::move(committed.error()));
    const Answer answer{.status = 204};
    co_return answer;
}

result::Result<OAuthClientRef> find_oauth_client(const Unsealed& house, const Asker& asker, std::string_view service) {
    if (auto right = check_keeps_clients(*asker.caller); !right) return refuse(std::move(right.error()));
    auto client = house.vault->find_client(service);
    if (!client) return no_client(service);
    return client;
}

result::Result<std::vector<OAuthClientRef>> list_oauth_clients(const Unsealed& house, const Asker& asker) {
    if (auto right = check_keeps_clients(*asker.caller); !right) return refuse(std::move(right.error()));
    return house.vault->list_clients();
}

void write_oauth_client(wire::JsonWriter& writer, const Unsealed& house, const vault::OAuthClient& client) {
    writer.object().member("service", client.service.text()).member("auth", client.auth);
    writer.member("client_id", client.client_id);
    writer.key("client_secret").object().member("set", client.has_secret).close();
    writer.member("client_secret_ends_at", client.secret_ends_at).key("fields").object();
    for (const auto& [name, value] : client.fields) writer.member(name, value);
    writer.close().member("redirect_uri", settings::redirect_uri(house.settings().outbound));
    writer.member("revision", client.revision).member("updated_at", client.changed_at);
    writer.member("updated_by", client.changed_by).close();
}

} // namespace credlease::broker
