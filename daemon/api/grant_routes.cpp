#include "api/api.hpp"
#include "broker/cursor.hpp"
#include "broker/grants.hpp"
#include "broker/views.hpp"

#include <algorithm>

namespace credlease::api {
namespace {

using result::refuse;

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

result::Result<Reply> list(const broker::Unsealed& house, const broker::Asker& asker, std::string_view text) {
    auto query = Query::read(text, {{.name = "limit"}, {.name = "cursor"}});
    if (!query) return refuse(std::move(query.error()));
    auto page = read_page(*query);
    if (!page) return refuse(std::move(page.error()));
    std::string position;
    if (!page->cursor.empty()) {
        auto read = broker::read_cursor(house.cursors, asker, "grants", page->cursor, house.wall());
        if (!read) return refuse(std::move(read.error()));
        position = std::move(*read);
    }
    std::string items;
    std::string last;
    std::size_t count = 0;
    std::optional<std::string> next;
    wire::JsonWriter writer(items);
    writer.array();
    for (const auto* grant : visible(house, asker)) {
        auto id = grant->id.text();
        if (!position.empty() && id <= position) continue;
        if (count++ == page->limit) {
            next = broker::make_cursor(house.cursors, asker, "grants", last, house.wall());
            break;
        }
        broker::write_grant(writer, *grant);
        last = std::move(id);
    }
    writer.close();
    return list_reply(std::move(items), next);
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
                           auto reply = list(house, asker, request.query);
                           reply ? responder.answer(std::move(*reply)) : responder.refuse(reply.error());
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
