#include "api/api.hpp"
#include "broker/cursor.hpp"
#include "broker/read_audit.hpp"
#include "wire/json_writer.hpp"

#include <charconv>

namespace credlease::api {
namespace {

using result::invalid;
using result::refuse;

constexpr std::initializer_list<Query::Known> names = {{.name = "since"},     {.name = "until"},    {.name = "action"},
                                                       {.name = "principal"}, {.name = "workflow"}, {.name = "run"},
                                                       {.name = "limit"},     {.name = "cursor"}};

struct Asked {
    audit::Journal::Query query;
    std::string filters; ///< what a cursor is bound to
};

result::Result<std::optional<vocabulary::Time>> read_when(const Query& query, std::string_view name) {
    const auto text = query.find(name);
    if (!text) return std::optional<vocabulary::Time>();
    auto time = vocabulary::read_time(*text);
    if (!time) return refuse(invalid(name, "Write a time as RFC 3339, with its offset."));
    return std::optional(*time);
}

/// An action's name, or "KIND.*".
bool names_actions(std::string_view text) {
    constexpr std::string_view all = ".*";
    if (!text.ends_with(all)) return vocabulary::find_action(text).has_value();
    return vocabulary::is_action_kind(text.substr(0, text.size() - all.size()));
}

result::Result<Asked> read_asked(const broker::Unsealed& house, const broker::Asker& asker, std::string_view text,
                                 std::string_view of) {
    auto query = Query::read(text, names);
    if (!query) return refuse(std::move(query.error()));
    auto page = read_page(*query);
    if (!page) return refuse(std::move(page.error()));
    auto since = read_when(*query, "since");
    if (!since) return refuse(std::move(since.error()));
    auto until = read_when(*query, "until");
    if (!until) return refuse(std::move(until.error()));
    Asked asked;
    asked.query.since = *since;
    asked.query.until = *until;
    asked.query.action = query->find("action").value_or("");
    if (!asked.query.action.empty() && !names_actions(asked.query.action)) {
        return refuse(invalid("action", "An action is one that a record names, such as lease.issued, or KIND.*."));
    }
    asked.query.principal = query->find("principal").value_or("");
    asked.query.workflow = query->find("workflow").value_or("");
    asked.query.run = query->find("run").value_or("");
    asked.query.limit = page->limit;
    asked.filters = "audit\n" + std::string(of);
    for (const auto& name : names) {
        if (name.name != "limit" && name.name != "cursor") asked.filters += '\n' + query->find(name.name).value_or("");
    }
    if (page->cursor.empty()) return asked;
    auto position = broker::read_cursor(house.cursors, asker, asked.filters, page->cursor, house.wall());
    if (!position) return refuse(std::move(position.error()));
    std::from_chars(position->data(), position->data() + position->size(), asked.query.before);
    return asked;
}

runtime::Task<result::Result<broker::Answer>> audit_page(broker::Unsealed& house, broker::Asker asker,
                                                         std::string filters,
                                                         runtime::Task<result::Result<broker::AuditPage>> read) {
    auto page = co_await std::move(read);
    if (!page) co_return refuse(std::move(page.error()));
    std::optional<std::string> next;
    if (page->before != 0) {
        next = broker::make_cursor(house.cursors, asker, filters, std::to_string(page->before), house.wall());
    }
    co_return broker::Answer{.body = list_reply(std::move(page->items), next).body};
}

runtime::Task<result::Result<broker::Answer>>
answer_verdict(runtime::Task<result::Result<audit::Journal::Verdict>> verify) {
    auto verdict = co_await std::move(verify);
    if (!verdict) co_return refuse(std::move(verdict.error()));
    broker::Answer answer;
    wire::JsonWriter writer(answer.body);
    writer.object().member("ok", verdict->problem.empty()).member("first", verdict->first);
    writer.member("last", verdict->last).member("records", verdict->records).member("first_bad", verdict->first_bad);
    writer.member_or_null("problem", verdict->problem).close();
    co_return answer;
}

result::Result<std::optional<audit::Journal::Anchor>> read_head(std::string_view text) {
    auto query = Query::read(text, {{.name = "head"}});
    if (!query) return refuse(std::move(query.error()));
    const auto head = query->find("head");
    if (!head) return std::optional<audit::Journal::Anchor>();
    auto anchor = audit::Journal::read_anchor(*head);
    if (!anchor) return refuse(invalid("head", "A head is SEQ:HEX, as the broker's own log says it."));
    return anchor;
}

} // namespace

void Api::add_audit_routes(std::vector<Route>& rows) {
    rows.push_back(row(Method::get, "/v1/audit", false,
                       [this](const Request& request, const Parts&, broker::Unsealed& house, broker::Asker asker,
                              Responder responder) {
                           auto asked = read_asked(house, asker, request.query, "");
                           if (!asked) {
                               responder.refuse(asked.error());
                               return;
                           }
                           auto read = broker::read_audit(house, asker, std::move(asked->query));
                           auto page = audit_page(house, asker, std::move(asked->filters), std::move(read));
                           start(house, std::move(asker), std::move(responder), std::move(page));
                       }));
    rows.push_back(row(Method::get, "/v1/credentials/{id}/audit", false,
                       [this](const Request& request, const Parts& parts, broker::Unsealed& house, broker::Asker asker,
                              Responder responder) {
                           auto asked = read_asked(house, asker, request.query, parts[0]);
                           if (!asked) {
                               responder.refuse(asked.error());
                               return;
                           }
                           auto read = broker::read_credential_audit(house, asker, parts[0], std::move(asked->query));
                           auto page = audit_page(house, asker, std::move(asked->filters), std::move(read));
                           start(house, std::move(asker), std::move(responder), std::move(page));
                       }));
    rows.push_back(row(Method::get, "/v1/audit/verify", false,
                       [this](const Request& request, const Parts&, broker::Unsealed& house, broker::Asker asker,
                              Responder responder) {
                           auto head = read_head(request.query);
                           if (!head) {
                               responder.refuse(head.error());
                               return;
                           }
                           auto verdict = answer_verdict(broker::verify_audit(house, asker, *head));
                           start(house, std::move(asker), std::move(responder), std::move(verdict));
                       }));
}

} // namespace credlease::api
