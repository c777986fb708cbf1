#include "broker/ask_for_fields.hpp"

#include "broker/change.hpp"
#include "broker/events.hpp"
#include "broker/find_credential.hpp"
#include "broker/send_in_share.hpp"
#include "broker/token_exchange.hpp"
#include "oauth/answer_fields.hpp"

#include <algorithm>

namespace credlease::broker {
namespace {

using vocabulary::PublicFields;

const vault::Entry* find(const Unsealed& house, const Refreshed& what) {
    return house.vault->find({&what.scope, 1}, what.id);
}

bool is_asked_for(const catalog::AnswerField& field) { return field.url.has_value(); }

runtime::Task<PublicFields> ask_one(Unsealed& house, const TokenClient& client, std::string url) {
    auto& arena = house.parts.arena;
    const auto asking = client.client(arena);
    const auto* token = client.access_token(client.rules().slots.front().name);
    if (token == nullptr) co_return PublicFields();
    auto prepared = oauth::field_request(asking, url, *token);
    if (!prepared) co_return PublicFields();
    auto answer = co_await send_in_share(house, client.owner(), std::move(prepared->request));
    if (!answer) co_return PublicFields();
    const auto texts = oauth::read_fields(client.rules(), asking.values, url, prepared->secrets, *answer, arena);
    co_return texts ? public_fields(client, *texts) : PublicFields();
}

/// The log says who told the broker so.
runtime::Task<> keep(Unsealed& house, const Refreshed& what, const TokenClient& client, std::uint32_t version,
                     const PublicFields& told) {
    std::vector<std::string> keys{gate_key(what.id)};
    auto pass = co_await house.gate.enter(std::move(keys));
    const auto* entry = find(house, what);
    if (entry == nullptr || house.is_closing || entry->credential.version != version) co_return;
    store::Batch batch;
    auto change = house.vault->stage_answer_fields(*entry, client.auth(), told, batch);
    if (!change || batch.empty()) co_return;
    vocabulary::AuditRecord record;
    record.action = vocabulary::Action::credential_edited;
    record.principal = vocabulary::by_itself;
    record.detail = "asked of the service with the new token";
    concern(record, entry->credential);
    auto committed = co_await house.journal->commit(record, std::move(batch));
    if (!committed) co_return;
    house.vault->apply(std::move(*change));
    house.events->credential_updated(find(house, what)->credential);
}

} // namespace

runtime::Task<> ask_for_fields(Unsealed& house, Refreshed what) {
    const auto* entry = find(house, what);
    if (entry == nullptr || !entry->tokens || house.is_closing) co_return;
    const auto version = entry->credential.version;
    const auto kind = kind_of(house, entry->credential);
    if (!kind || std::ranges::none_of(kind->auth->oauth->answer_fields, is_asked_for)) co_return;
    const auto client = TokenClient::open(house, *entry);
    if (!client) co_return;
    const auto urls = oauth::field_urls(client->rules(), client->client(house.parts.arena).values);
    PublicFields told;
    for (const auto& url : urls) {
        auto fields = co_await ask_one(house, *client, url);
        told.merge(fields);
    }
    if (!told.empty()) co_await keep(house, what, *client, version, told);
}

} // namespace credlease::broker
