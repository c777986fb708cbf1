#include "api/api.hpp"
#include "api/rows.hpp"
#include "broker/grants.hpp"
#include "broker/views.hpp"

#include <algorithm>

namespace credlease::api {
namespace {

/// By id; an operator sees all, others their own.
std::vector<const vocabulary::Grant*> visible(const broker::Unsealed& house, const broker::Asker& asker) {
    const auto& caller = *asker.caller;
    const bool all = caller.kind == access::CallerKind::operator_;
    auto grants = house.grants->minted_by(all ? std::string_view() : std::string_view(caller.principal));
    if (!all && !caller.on_behalf_of.empty()) {
        std::erase_if(grants, [&](const auto* grant) { return grant->on_behalf_of != caller.on_behalf_of; });
    }
    std::ranges::sort(grants, {}, [](const auto* grant) { return grant->id; });
    return grants;
}

} // namespace

void Api::add_grant_routes(std::vector<Route>& rows) {
    rows.push_back(
        row(Method::post, "/v1/grants", false,
            [this](const Request& request, const Parts&, broker::Unsealed& house, broker::Asker asker,
                   Responder responder) {
                auto asked = read_body<wire::MintGrant>(request, house.parts.arena);
                if (!asked) {
                    responder.refuse(asked.error());
                    return;
                }
                auto run = [](Api& api, broker::Unsealed& open, broker::Asker who, Responder reply_to,
                              wire::MintGrant what) -> runtime::Task<> {
                    auto minted = co_await broker::mint_grant(open, who, std::move(what));
                    if (minted) {
                        reply_to.answer_secret(201, std::move(minted->body));
                    } else {
                        api.refuse(&open, vocabulary::Action::access_refused, who, std::move(reply_to), minted.error());
                    }
                };
                house.tasks.start(run(*this, house, std::move(asker), std::move(responder), std::move(*asked)));
            }));
    rows.push_back(row(Method::get, "/v1/grants", false,
                       [](const Request& request, const Parts&, broker::Unsealed& house, const broker::Asker& asker,
                          Responder responder) {
                           const auto grants = visible(house, asker);
                           answer_page(house, asker, request,
                                       {.list = "grants",
                                        .count = grants.size(),
                                        .key = [&](std::size_t i) { return grants[i]->id.text(); },
                                        .write = [&](wire::JsonWriter& writer,
                                                     std::size_t i) { broker::write_grant(writer, *grants[i]); }},
                                       std::move(responder));
                       }));
    rows.push_back(row(Method::get, "/v1/grants/{id}", false,
                       [this](const Request&, const Parts& parts, broker::Unsealed& house, const broker::Asker& asker,
                              Responder responder) {
                           const auto grant = broker::find_grant(house, asker, parts[0]);
                           if (!grant) {
                               refuse(&house, vocabulary::Action::access_refused, asker, std::move(responder),
                                      grant.error());
                               return;
                           }
                           Reply reply;
                           wire::JsonWriter writer(reply.body);
                           broker::write_grant(writer, **grant);
                           responder.answer(std::move(reply));
                       }));
    rows.push_back(row(
        Method::del, "/v1/grants/{id}", false,
        [this](const Request&, const Parts& parts, broker::Unsealed& house, broker::Asker asker, Responder responder) {
            auto change = broker::withdraw_grant(house, asker, parts[0]);
            start(house, std::move(asker), std::move(responder), std::move(change));
        }));
}

} // namespace credlease::api
