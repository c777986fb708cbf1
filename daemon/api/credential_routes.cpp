#include "api/api.hpp"
#include "broker/credentials.hpp"
#include "broker/cursor.hpp"
#include "broker/find_credential.hpp"
#include "broker/views.hpp"

#include <array>

namespace credlease::api {
namespace {

using result::invalid;
using result::refuse;

constexpr std::initializer_list<Query::Known> list_names = {{.name = "q"},      {.name = "service", .repeatable = true},
                                                            {.name = "scope"},  {.name = "auth"},
                                                            {.name = "status"}, {.name = "sort"},
                                                            {.name = "limit"},  {.name = "cursor"}};

/// "personal", "workspace:W", "organization".
result::Result<vocabulary::Scope> read_scope_text(std::string_view text, const access::Caller& caller) {
    if (text == "personal" && caller.user) return vocabulary::Scope::of(*caller.user);
    if (const auto scope = vocabulary::Scope::find(text)) return *scope;
    return refuse(invalid("scope", "A scope is personal, workspace:W or organization."));
}

result::Result<vault::Filter> read_filter(const Query& query, const access::Caller& caller, vocabulary::Time now) {
    vault::Filter filter{.now = now};
    filter.text = query.find("q").value_or("");
    if (filter.text.size() > wire::limits::query_text) return refuse(invalid("q", "A search is at most 256 bytes."));
    filter.services = query.all("service");
    filter.auth = query.find("auth").value_or("");
    if (const auto text = query.find("scope")) {
        auto scope = read_scope_text(*text, caller);
        if (!scope) return refuse(std::move(scope.error()));
        filter.scope = std::move(*scope);
    }
    if (const auto text = query.find("status")) {
        filter.status = vocabulary::find_status(*text);
        if (!filter.status) {
            return refuse(invalid("status", "A status is active, expired, failing, revoked or pending."));
        }
    }
    return filter;
}

result::Result<vault::Sort> read_sort(const Query& query) {
    const auto text = query.find("sort").value_or("name");
    if (text == "name") return vault::Sort::name;
    if (text == "created_at") return vault::Sort::created_at;
    if (text == "updated_at") return vault::Sort::updated_at;
    if (text == "last_used_at") return vault::Sort::last_used_at;
    return refuse(invalid("sort", "Sort by name, created_at, updated_at or last_used_at."));
}

/// What was asked, without the page: a cursor is good for this list alone.
std::string filters_of(const Query& query, Door door) {
    std::string text = door == Door::lease ? "usable" : "credentials";
    for (const auto name : {"q", "scope", "auth", "status", "sort"}) text += '\n' + query.find(name).value_or("");
    for (const auto& service : query.all("service")) text += '\n' + service;
    return text;
}

result::Result<std::optional<vault::Vault::Position>> read_position(const broker::Unsealed& house,
                                                                    const broker::Asker& asker,
                                                                    const std::string& filters,
                                                                    const std::string& cursor) {
    if (cursor.empty()) return std::optional<vault::Vault::Position>();
    auto text = broker::read_cursor(house.cursors, asker, filters, cursor, house.wall());
    if (!text) return refuse(std::move(text.error()));
    const auto split = text->find('\n');
    const auto id = vocabulary::CredentialId::find(std::string_view(*text).substr(0, split));
    if (!id) return refuse(invalid("cursor", "The cursor is not of this list."));
    return std::optional(vault::Vault::Position{.sort_key = text->substr(split + 1), .id = *id});
}

/// What a caller views; on lease.sock what it may use. One pass: what it may not is left out while the list is made.
std::vector<const vault::Entry*> page_of(broker::Unsealed& house, const access::Caller& caller, Door door,
                                         vault::Filter filter, vault::Sort sort,
                                         const std::optional<vault::Vault::Position>& after, std::size_t limit) {
    const auto operation = door == Door::lease ? access::Operation::use : access::Operation::view;
    const auto scopes = door == Door::lease
                            ? caller.scopes
                            : view_scopes(caller, caller.every_scope ? house.vault->all_scopes() : caller.scopes);
    filter.keep = [&](const vocabulary::Credential& credential) {
        return authorize(caller, operation, credential.scope, credential.id, credential.service).has_value();
    };
    return house.vault->list(scopes, filter, sort, after, limit);
}

result::Result<Reply> list(broker::Unsealed& house, const broker::Asker& asker, const Request& request) {
    auto query = Query::read(request.query, list_names);
    if (!query) return refuse(std::move(query.error()));
    auto page = read_page(*query);
    if (!page) return refuse(std::move(page.error()));
    auto filter = read_filter(*query, *asker.caller, house.wall());
    if (!filter) return refuse(std::move(filter.error()));
    auto sort = read_sort(*query);
    if (!sort) return refuse(std::move(sort.error()));
    const auto filters = filters_of(*query, request.door);
    auto after = read_position(house, asker, filters, page->cursor);
    if (!after) return refuse(std::move(after.error()));

    const auto found = page_of(house, *asker.caller, request.door, std::move(*filter), *sort, *after, page->limit + 1);
    const auto shown = std::min(found.size(), page->limit);
    std::string items;
    wire::JsonWriter writer(items);
    writer.array();
    for (std::size_t i = 0; i < shown; ++i) {
        broker::write_credential(writer, house, found[i]->credential, found[i]->last_used_at,
                                 request.door == Door::lease);
    }
    writer.close();
    std::optional<std::string> next;
    if (found.size() > shown) {
        const auto& last = *found[shown - 1];
        const auto position = last.credential.id.text() + '\n' + vault::Vault::sort_key(last, *sort);
        next = broker::make_cursor(house.cursors, asker, filters, position, house.wall());
    }
    return list_reply(std::move(items), next);
}

} // namespace

void Api::add_credential_routes(std::vector<Route>& rows) {
    rows.push_back(row(Method::get, "/v1/credentials", true,
                       [](const Request& request, const Parts&, broker::Unsealed& house, const broker::Asker& asker,
                          Responder responder) {
                           auto reply = list(house, asker, request);
                           reply ? responder.answer(std::move(*reply)) : responder.refuse(reply.error());
                       }));
    rows.push_back(row(Method::post, "/v1/credentials", false,
                       changing<wire::CreateCredential>([](broker::Unsealed& house, const broker::Asker& asker,
                                                           const Request&, const Parts&, wire::CreateCredential asked) {
                           return broker::create_credential(house, asker, std::move(asked));
                       })));
    rows.push_back(
        row(Method::get, "/v1/credentials/{id}", false,
            [this](const Request&, const Parts& parts, broker::Unsealed& house, const broker::Asker& asker,
                   Responder responder) {
                const auto found = broker::find_viewed(house, *asker.caller, access::Operation::view, parts[0]);
                if (!found) {
                    refuse(&house, vocabulary::Action::access_refused, asker, std::move(responder), found.error());
                    return;
                }
                const auto& entry = **found;
                responder.answer({.body = broker::credential_json(house, entry.credential, entry.last_used_at),
                                  .etag = entry.credential.revision});
            }));
    rows.push_back(
        row(Method::patch, "/v1/credentials/{id}", false,
            changing<wire::EditCredential>([](broker::Unsealed& house, const broker::Asker& asker,
                                              const Request& request, const Parts& parts, wire::EditCredential asked) {
                return broker::edit_credential(house, asker, parts[0], std::string(request.if_match), std::move(asked));
            })));
    rows.push_back(row(
        Method::post, "/v1/credentials/{id}/revoke", false,
        changing<wire::RevokeCredential>([](broker::Unsealed& house, const broker::Asker& asker, const Request& request,
                                            const Parts& parts, wire::RevokeCredential asked) {
            return broker::revoke_credential(house, asker, parts[0], std::string(request.if_match), asked);
        })));
    rows.push_back(
        row(Method::post, "/v1/credentials/{id}/restore", false,
            changing<wire::RestoreCredential>([](broker::Unsealed& house, const broker::Asker& asker,
                                                 const Request& request, const Parts& parts, wire::RestoreCredential) {
                return broker::restore_credential(house, asker, parts[0], std::string(request.if_match));
            })));
    rows.push_back(row(Method::del, "/v1/credentials/{id}", false,
                       [this](const Request& request, const Parts& parts, broker::Unsealed& house, broker::Asker asker,
                              Responder responder) {
                           auto query = Query::read(request.query, {{.name = "force"}});
                           if (!query) {
                               responder.refuse(query.error());
                               return;
                           }
                           const auto force = query->find("force").value_or("false");
                           if (force != "true" && force != "false") {
                               responder.refuse(invalid("force", "force is true or false."));
                               return;
                           }
                           auto change = broker::delete_credential(house, asker, parts[0],
                                                                   std::string(request.if_match), force == "true");
                           start(house, std::move(asker), std::move(responder), std::move(change));
                       }));
}

} // namespace credlease::api
