#include "api/api.hpp"
#include "api/rows.hpp"
#include "attestation/peer.hpp"
#include "broker/oauth_view.hpp"
#include "broker/views.hpp"

#include <array>
#include <cstring>

namespace credlease::api {
namespace {

using result::ErrorCode;
using result::refuse;

result::Error operators_only() {
    return {.code = ErrorCode::forbidden,
            .sentence = "Operators seal and unseal.",
            .next_step = "Do it on admin.sock as one of [access] operators."};
}

void write_config(wire::JsonWriter& writer, const broker::Broker& broker) {
    const auto& rules = broker.rules();
    writer.key("config").object().member("file", rules.settings->places.config_file.native());
    writer.member("loaded_at", rules.loaded_at);
    if (!broker.refused_reload().empty()) writer.member("error", broker.refused_reload().text());
    writer.close();
}

Reply status_reply(broker::Broker& broker, const broker::Asker* asker) {
    Reply reply;
    const auto& settings = *broker.rules().settings;
    wire::JsonWriter writer(reply.body);
    writer.object().member("state", broker::name_of(broker.phase())).member("version", CREDLEASE_VERSION);
    writer.key("api").object().member("version", 1).key("features").array();
    for (const auto* feature : {"leases", "grants", "audit", "workspaces", "revoke", "events", "oauth"})
        writer.value(feature);
    writer.close().close();
    writer.member("seal_method", settings::name_of(settings.seal.method)).member("root_key", broker.root_key_word());
    writer.member("arena", secret::name_of(broker.parts().arena.backing()));
    writer.member("peer", attestation::peer_key_here() == attestation::PeerKey::pidfd ? "pidfd" : "pid");
    auto* house = broker.house();
    writer.key("store").object().member("engine", "rocksdb");
    if (house != nullptr) {
        writer.member("healthy", house->journal->is_healthy())
            .member("damaged", std::uint64_t{house->store.damaged().size()});
    }
    writer.close();
    if (house != nullptr && asker != nullptr && asker->caller->is_operator()) {
        writer.member("credentials", std::uint64_t{house->vault->size()})
            .member("leases", std::uint64_t{house->book.size()});
        writer.member("grants", std::uint64_t{house->grants->size()}).member("audit_head", house->journal->head_text());
        broker::write_oauth_status(writer, *house);
    }
    if (asker != nullptr && asker->caller->is_operator()) write_config(writer, broker);
    writer.close();
    return reply;
}

Reply whoami_reply(const broker::Asker& asker) {
    const auto& caller = *asker.caller;
    const auto& peer = *asker.peer;
    Reply reply;
    wire::JsonWriter writer(reply.body);
    writer.object().member("principal", caller.principal).member_or_null("on_behalf_of", caller.on_behalf_of);
    writer.key("peer").object().member("pid", peer.pid).member("uid", std::uint32_t{peer.uid});
    writer.member_or_null("exe", peer.executable_path).member_or_null("unit", peer.unit).close();
    writer.key("scopes").array();
    for (const auto& scope : caller.scopes) broker::write_scope(writer, scope);
    writer.close();
    std::string_view role;
    for (const auto& [workspace, held] : caller.roles) role = settings::name_of(held);
    if (caller.is_operator()) role = "operator";
    writer.member_or_null("role", role).close();
    return reply;
}

/// These take no parameters: whether that is what the client was told.
bool has_query(const Request& request, Responder& responder) {
    const auto query = Query::read(request.query, {});
    if (query) return false;
    responder.refuse(query.error());
    return true;
}

/// A passphrase from JSON in the arena into a buffer of its own.
result::Result<secret::SecretBuffer> take_passphrase(const wire::Unseal& asked, secret::Arena& arena) {
    if (!asked.passphrase || asked.passphrase->is_null()) return secret::SecretBuffer();
    const auto* text = asked.passphrase->if_string();
    if (text == nullptr || text->empty()) return refuse(result::invalid("passphrase", "A passphrase is a text."));
    return secret::SecretBuffer::copy(arena, std::string_view(text->data(), text->size()), secret::Share::keys);
}

} // namespace

Route Api::phase_row(std::string_view pattern, ChangePhase change) {
    return {.method = Method::post,
            .pattern = pattern,
            .on_lease = false,
            .while_sealed = true,
            .handle = [this, change = std::move(change)](const Request& request, const Parts&, Responder responder) {
                auto asker = find_asker(request); // a stranger's refusal is noted there
                if (!asker) {
                    responder.refuse(asker.error());
                    return;
                }
                if (!asker->caller->is_operator()) {
                    refuse(broker_.house(), vocabulary::Action::access_refused, *asker, std::move(responder),
                           operators_only());
                    return;
                }
                auto task = change(request, *asker);
                if (!task) {
                    responder.refuse(task.error());
                    return;
                }
                const auto digest = first_answers_.digest_of(request);
                tasks_.start(run_change(std::move(*asker), digest, std::move(responder), std::move(*task)));
            }};
}

runtime::Task<> Api::run_change(broker::Asker asker, mac::Digest digest, Responder responder,
                                runtime::Task<result::Result<>> change) {
    runtime::Gate::Pass pass;
    if (!asker.idempotency_key.empty()) {
        std::vector<std::string> keys{asker.caller->principal + '\n' + asker.idempotency_key};
        pass = co_await gate_.enter(std::move(keys));
        if (const auto caller = broker_.find_caller(*asker.peer, {})) asker.caller = *caller;
        if (!asker.caller->is_operator()) { // a reload came in between
            refuse(broker_.house(), vocabulary::Action::access_refused, asker, std::move(responder), operators_only());
            co_return;
        }
    }
    auto first = first_answers_.find(asker, digest, broker_.parts().clock.boot());
    if (!first) {
        responder.refuse(first.error());
        co_return;
    }
    if (*first) {
        responder.answer(std::move(**first));
        co_return;
    }
    auto changed = co_await std::move(change);
    if (!changed) {
        responder.refuse(changed.error());
        co_return;
    }
    auto reply = status_reply(broker_, &asker);
    first_answers_.keep(asker, digest, reply, broker_.parts().clock.boot());
    responder.answer(std::move(reply));
}

void Api::add_state_routes(std::vector<Route>& rows) {
    rows.push_back({.method = Method::get,
                    .pattern = "/v1/status",
                    .on_lease = true,
                    .while_sealed = true,
                    .handle = [this](const Request& request, const Parts&, Responder responder) {
                        if (has_query(request, responder)) return;
                        // Anyone that reaches the socket may ask how the broker is; counts are for operators.
                        auto caller =
                            broker_.find_caller(*request.peer, {.on_lease_socket = request.door == Door::lease,
                                                                .grant = request.grant,
                                                                .actor = request.actor});
                        const broker::Asker asker{.caller = caller ? *caller : nullptr, .peer = request.peer};
                        responder.answer(status_reply(broker_, caller ? &asker : nullptr));
                    }});
    rows.push_back({.method = Method::get,
                    .pattern = "/v1/whoami",
                    .on_lease = true,
                    .while_sealed = true,
                    .handle = once_hashed([this](const Request& request, const Parts&, Responder responder) {
                        if (has_query(request, responder)) return;
                        const auto asker = find_asker(request);
                        asker ? responder.answer(whoami_reply(*asker)) : responder.refuse(asker.error());
                    })});
    rows.push_back(phase_row(
        "/v1/seal",
        [this](const Request& request, const broker::Asker& asker) -> result::Result<runtime::Task<result::Result<>>> {
            auto asked = read_body<wire::Seal>(request, broker_.parts().arena);
            if (!asked) return result::refuse(std::move(asked.error()));
            return broker_.seal(asker, asked->now.value_or(false));
        }));
    rows.push_back(phase_row(
        "/v1/unseal",
        [this](const Request& request, const broker::Asker& asker) -> result::Result<runtime::Task<result::Result<>>> {
            auto asked = read_body<wire::Unseal>(request, broker_.parts().arena);
            if (!asked) return result::refuse(std::move(asked.error()));
            auto passphrase = take_passphrase(*asked, broker_.parts().arena);
            if (!passphrase) return result::refuse(std::move(passphrase.error()));
            return broker_.unseal(asker, std::move(*passphrase));
        }));
}

void Api::add_service_routes(std::vector<Route>& rows) {
    rows.push_back(row(Method::get, "/v1/services", true,
                       [](const Request& request, const Parts&, broker::Unsealed& house, const broker::Asker& asker,
                          Responder responder) {
                           std::vector<const catalog::Service*> all;
                           for (const auto& [id, service] : house.rules.catalog->all()) all.push_back(&service);
                           answer_page(
                               house, asker, request,
                               {.list = "services",
                                .count = all.size(),
                                .key = [&](std::size_t i) { return std::string(all[i]->id.text()); },
                                .write = [&](wire::JsonWriter& writer, std::size_t i) { writer.raw(all[i]->json); }},
                               std::move(responder));
                       }));
    rows.push_back(
        row(Method::get, "/v1/services/{id}", true,
            [](const Request&, const Parts& parts, broker::Unsealed& house, const broker::Asker&, Responder responder) {
                const auto* service = house.rules.catalog->find(parts[0]);
                if (service != nullptr) {
                    responder.answer({.body = service->json});
                    return;
                }
                responder.refuse({.code = ErrorCode::service_not_found,
                                  .sentence = "The catalog has no such service.",
                                  .next_step = "See what there is with GET /v1/services (credlease services)."});
            }));
}

} // namespace credlease::api
