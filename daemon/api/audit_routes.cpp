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

runtime::Task<> answer_page(broker::Unsealed& house, broker::Asker asker, Responder responder, std::string filters,
                            runtime::Task<result::Result<broker::AuditPage>> read) {
    auto page = co_await std::move(read);
    if (!page) {
        responder.refuse(page.error());
        co_return;
    }
    std::optional<std::string> next;
    if (page->before != 0) {
        next = broker::make_cursor(house.cursors, asker, filters, std::to_string(page->before), house.wall());
    }
    responder.answer(list_reply(std::move(page->items), next));
}

Reply verdict_reply(const audit::Journal::Verdict& verdict) {
    Reply reply;
    wire::JsonWriter writer(reply.body);
    writer.object().member("ok", verdict.problem.empty()).member("first", verdict.first).member("last", verdict.last);
    writer.member("records", verdict.records).member("first_bad", verdict.first_bad);
    writer.member_or_null("problem", verdict.problem).close();
    return reply;
}

} // namespace

void Api::add_audit_routes(std::vector<Route>& rows) {
    rows.push_back(row(
        Method::get, "/v1/audit", false,
        [](const Request& request, const Parts&, broker::Unsealed& house, broker::Asker asker, Responder responder) {
            auto asked = read_asked(house, asker, request.query, "");
            if (!asked) {
                responder.refuse(asked.error());
                return;
            }
            auto read = broker::read_audit(house, asker, std::move(asked->query));
            house.tasks.start(
                answer_page(house, std::move(asker), std::move(responder), std::move(asked->filters), std::move(read)));
        }));
    rows.push_back(row(Method::get, "/v1/credentials/{id}/audit", false,
                       [](const Request& request, const Parts& parts, broker::Unsealed& house, broker::Asker asker,
                          Responder responder) {
                           auto asked = read_asked(house, asker, request.query, parts[0]);
                           if (!asked) {
                               responder.refuse(asked.error());
                               return;
                           }
                           auto read = broker::read_credential_audit(house, asker, parts[0], std::move(asked->query));
                           house.tasks.start(answer_page(house, std::move(asker), std::move(responder),
                                                         std::move(asked->filters), std::move(read)));
                       }));
    rows.push_back(row(
        Method::get, "/v1/audit/verify", false,
        [](const Request& request, const Parts&, broker::Unsealed& house, broker::Asker asker, Responder responder) {
            auto query = Query::read(request.query, {{.name = "head"}});
            if (!query) {
                responder.refuse(query.error());
                return;
            }
            auto run = [](broker::Unsealed& open, broker::Asker who, Responder reply_to,
                          std::optional<std::string> anchor) -> runtime::Task<> {
                auto verdict = co_await broker::verify_audit(open, std::move(who), std::move(anchor));
                verdict ? reply_to.answer(verdict_reply(*verdict)) : reply_to.refuse(verdict.error());
            };
            house.tasks.start(run(house, std::move(asker), std::move(responder), query->find("head")));
        }));
}

} // namespace credlease::api
