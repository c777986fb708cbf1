#include "api/api.hpp"
#include "api/long_list.hpp"
#include "broker/credentials.hpp"
#include "broker/cursor.hpp"
#include "broker/find_credential.hpp"
#include "broker/oauth_view.hpp"
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

result::Result<std::optional<vault::Position>> read_place(const broker::Unsealed& house, const broker::Asker& asker,
                                                          const std::string& filters, const std::string& cursor) {
    auto text = read_position(house, asker, filters, cursor);
    if (!text) return refuse(std::move(text.error()));
    if (text->empty()) return std::optional<vault::Position>();
    const auto split = text->find('\n');
    const auto id = vocabulary::CredentialId::find(std::string_view(*text).substr(0, split));
    if (!id) return refuse(invalid("cursor", "The cursor is not of this list."));
    return std::optional(vault::Position{.sort_key = text->substr(split + 1), .id = *id});
}

/// A list that is being made. On lease.sock it holds what the caller may use, else what it may view.
struct Listed {
    vault::Listing listing;
    std::string filters;
    Door door;
};

access::Operation operation_at(Door door) {
    return door == Door::lease ? access::Operation::use : access::Operation::view;
}

bool may_see(const access::Caller& caller, Door door, const vocabulary::Credential& credential) {
    return authorize(caller, operation_at(door), credential.scope, credential.id, credential.service).has_value();
}

/// What the caller may not see is left out while the list is made.
result::Result<Listed> read_list(const broker::Unsealed& house, const broker::Asker& asker, const Request& request) {
    auto query = Query::read(request.query, list_names);
    if (!query) return refuse(std::move(query.error()));
    auto page = read_page(*query);
    if (!page) return refuse(std::move(page.error()));
    auto filter = read_filter(*query, *asker.caller, house.wall());
    if (!filter) return refuse(std::move(filter.error()));
    auto sort = read_sort(*query);
    if (!sort) return refuse(std::move(sort.error()));
    auto filters = filters_of(*query, request.door);
    auto after = read_place(house, asker, filters, page->cursor);
    if (!after) return refuse(std::move(after.error()));

    const auto& caller = *asker.caller;
    auto scopes = request.door == Door::lease
                      ? caller.scopes
                      : view_scopes(caller, caller.every_scope ? house.vault->all_scopes() : caller.scopes);
    filter->keep = [who = asker.caller, door = request.door](const vocabulary::Credential& credential) {
        return may_see(*who, door, credential);
    };
    return Listed{.listing =
                      vault::Listing(std::move(scopes), std::move(*filter), *sort, std::move(*after), page->limit),
                  .filters = std::move(filters),
                  .door = request.door};
}

LongPage page_of(broker::Unsealed& house, Listed listed) {
    auto found = house.vault->page_of(listed.listing);
    std::optional<std::string> next;
    if (found.next) next = found.next->id.text() + '\n' + found.next->sort_key;
    const auto count = found.places.size();
    auto write = [&house, door = listed.door, places = std::move(found.places)](
                     wire::JsonWriter& writer, const broker::Asker& asker, std::size_t i) {
        const auto* entry = house.vault->find({&places[i].scope, 1}, places[i].id);
        if (!entry || !may_see(*asker.caller, door, entry->credential)) return;
        broker::write_credential(writer, house, entry->credential, entry->last_used_at, door == Door::lease);
    };
    return {.list = std::move(listed.filters), .count = count, .write = std::move(write), .next = std::move(next)};
}

runtime::Task<> answer_list(broker::Unsealed& house, broker::Asker asker, Listed listed, Responder responder) {
    do {
        const bool goes_on = co_await next_slice(house, asker, responder);
        if (!goes_on) co_return;
    } while (house.vault->list_on(listed.listing));
    auto page = page_of(house, std::move(listed));
    auto written = answer_long_page(house, std::move(asker), std::move(page), std::move(responder));
    co_await std::move(written);
}

void list(const Request& request, const Parts&, broker::Unsealed& house, broker::Asker asker, Responder responder) {
    auto listed = read_list(house, asker, request);
    if (!listed) {
        responder.refuse(listed.error());
        return;
    }
    house.tasks.start(answer_list(house, std::move(asker), std::move(*listed), std::move(responder)));
}

} // namespace

void Api::add_credential_routes(std::vector<Route>& rows) {
    rows.push_back(row(Method::get, "/v1/credentials", true, list));
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
                const auto more = [&](wire::JsonWriter& writer) { broker::write_authorization(writer, house, entry); };
                responder.answer({.body = broker::credential_json(house, entry.credential, entry.last_used_at, more),
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
    rows.push_back(
        row(Method::post, "/v1/credentials/{id}/refresh", false,
            changing<wire::RefreshCredential>(
                [](broker::Unsealed& house, const broker::Asker& asker, const Request&, const Parts& parts,
                   wire::RefreshCredential) { return broker::refresh_credential(house, asker, parts[0]); })));
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
