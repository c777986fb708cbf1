#include "api/api.hpp"
#include "api/long_list.hpp"
#include "broker/cursor.hpp"
#include "broker/grants.hpp"
#include "broker/views.hpp"

#include <algorithm>

namespace credlease::api {
namespace {

constexpr std::string_view list_name = "grants";

struct ListedGrants {
    vocabulary::GrantId after{};
    std::size_t limit = 0;
};

result::Result<ListedGrants> read_list(const broker::Unsealed& house, const broker::Asker& asker,
                                       std::string_view text) {
    auto query = Query::read(text, {{.name = "limit"}, {.name = "cursor"}});
    if (!query) return result::refuse(std::move(query.error()));
    auto page = read_page(*query);
    if (!page) return result::refuse(std::move(page.error()));
    ListedGrants listed{.limit = page->limit};
    auto position = read_position(house, asker, list_name, page->cursor);
    if (!position) return result::refuse(std::move(position.error()));
    listed.after = vocabulary::GrantId::find(*position).value_or(vocabulary::GrantId());
    return listed;
}

LongPage page_of(broker::Unsealed& house, const access::Caller& caller, const ListedGrants& listed) {
    const bool all = caller.is_operator();
    const auto minted_by = all ? std::string_view() : std::string_view(caller.principal);
    std::vector<vocabulary::GrantId> ids;
    const auto keep = [&](const vocabulary::Grant& grant) {
        return broker::is_theirs(caller, grant.minted_by, grant.on_behalf_of);
    };
    for (const auto* grant : house.grants->list(minted_by, listed.after, listed.limit + 1, keep)) {
        ids.push_back(grant->id);
    }
    LongPage page{.list = std::string(list_name), .count = std::min(ids.size(), listed.limit), .write = {}};
    if (ids.size() > listed.limit) page.next = ids[listed.limit - 1].text();
    page.write = [&house, ids = std::move(ids)](wire::JsonWriter& writer, const broker::Asker& asker, std::size_t i) {
        const auto* grant = house.grants->find(ids[i]);
        if (grant != nullptr && broker::is_theirs(*asker.caller, grant->minted_by, grant->on_behalf_of))
            broker::write_grant(writer, *grant);
    };
    return page;
}

runtime::Task<> answer_list(broker::Unsealed& house, broker::Asker asker, ListedGrants listed, Responder responder) {
    const bool goes_on = co_await next_slice(house, asker, responder);
    if (!goes_on) co_return;
    auto page = page_of(house, *asker.caller, listed);
    auto written = answer_long_page(house, std::move(asker), std::move(page), std::move(responder));
    co_await std::move(written);
}

void list(const Request& request, const Parts&, broker::Unsealed& house, broker::Asker asker, Responder responder) {
    auto listed = read_list(house, asker, request.query);
    if (!listed) {
        responder.refuse(listed.error());
        return;
    }
    house.tasks.start(answer_list(house, std::move(asker), *listed, std::move(responder)));
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
    rows.push_back(row(Method::get, "/v1/grants", false, list));
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
