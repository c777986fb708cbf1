#include "api/api.hpp"
#include "api/long_list.hpp"
#include "broker/cursor.hpp"
#include "broker/expiry.hpp"
#include "broker/gone_lease.hpp"
#include "broker/held_lease.hpp"
#include "broker/lease_listing.hpp"
#include "broker/renew_lease.hpp"
#include "broker/views.hpp"

namespace credlease::api {
namespace {

using result::ErrorCode;
using vocabulary::Action;

result::Error not_written() {
    return {.code = ErrorCode::store_unavailable,
            .sentence = "The audit record could not be written, so nothing was handed out.",
            .next_step = "Try again; an operator sees to the disk."};
}

result::Result<leases::Which> read_which(const Query& query, std::vector<std::string>& texts) {
    leases::Which which{};
    if (const auto credential = query.find("credential")) {
        which.credential = vocabulary::CredentialId::find(*credential);
        if (!which.credential) return result::refuse(result::invalid("credential", "This is not a credential's id."));
    }
    if (const auto grant = query.find("grant")) {
        which.grant = vocabulary::GrantId::find(*grant);
        if (!which.grant) return result::refuse(result::invalid("grant", "This is not a grant's id."));
    }
    texts.push_back(query.find("workflow").value_or(""));
    texts.push_back(query.find("run").value_or(""));
    which.workflow = texts[0];
    which.run = texts[1];
    return which;
}

constexpr std::initializer_list<Query::Known> which_names = {{.name = "credential"}, {.name = "grant"},
                                                             {.name = "workflow"},   {.name = "run"},
                                                             {.name = "limit"},      {.name = "cursor"}};

std::string filters_of(const leases::Which& which) {
    return "leases\n" + (which.credential ? which.credential->text() : "") + '\n' +
           (which.grant ? which.grant->text() : "") + '\n' + std::string(which.workflow) + '\n' +
           std::string(which.run);
}

struct ListedLeases {
    leases::Which which{};
    std::vector<std::string> texts{}; ///< that `which` views
    vocabulary::LeaseId after{};
    std::size_t limit = 0;
};

result::Result<ListedLeases> read_list(const broker::Unsealed& house, const broker::Asker& asker,
                                       std::string_view text) {
    auto query = Query::read(text, which_names);
    if (!query) return result::refuse(std::move(query.error()));
    auto page = read_page(*query);
    if (!page) return result::refuse(std::move(page.error()));
    ListedLeases listed{.limit = page->limit};
    listed.texts.reserve(2);
    auto which = read_which(*query, listed.texts);
    if (!which) return result::refuse(std::move(which.error()));
    listed.which = *which;
    auto position = read_position(house, asker, filters_of(*which), page->cursor);
    if (!position) return result::refuse(std::move(position.error()));
    listed.after = vocabulary::LeaseId::find(*position).value_or(vocabulary::LeaseId());
    return listed;
}

LongPage page_of(broker::Unsealed& house, const ListedLeases& listed, const broker::LeaseListing& listing) {
    const auto& ids = listing.found();
    LongPage page{.list = filters_of(listed.which), .count = ids.size(), .write = {}};
    if (listing.has_more()) page.next = ids.back().text();
    page.write = [&house, ids](wire::JsonWriter& writer, const broker::Asker& asker, std::size_t i) {
        if (const auto lease = broker::find_listed(house, asker, ids[i])) broker::write_lease(writer, house, *lease);
    };
    return page;
}

runtime::Task<> answer_list(broker::Unsealed& house, broker::Asker asker, ListedLeases listed, Responder responder) {
    bool goes_on = co_await next_slice(house, asker, responder);
    if (!goes_on) co_return;
    broker::LeaseListing listing(house, asker, listed.which, listed.after, listed.limit);
    while (listing.look_on(house, asker)) {
        goes_on = co_await next_slice(house, asker, responder);
        if (!goes_on) co_return;
    }
    auto page = page_of(house, listed, listing);
    auto written = answer_long_page(house, std::move(asker), std::move(page), std::move(responder));
    co_await std::move(written);
}

void list(const Request& request, const Parts&, broker::Unsealed& house, broker::Asker asker, Responder responder) {
    auto listed = read_list(house, asker, request.query);
    if (!listed) {
        responder.refuse(listed.error());
        return;
    }
    house.tasks.start(answer_list(house, std::move(asker), std::move(*listed), std::move(responder)));
}

result::Result<std::size_t> end_asked(broker::Unsealed& house, const broker::Asker& asker, std::string_view text) {
    auto query = Query::read(text, {{.name = "credential"}, {.name = "grant"}, {.name = "workflow"}, {.name = "run"}});
    if (!query) return result::refuse(std::move(query.error()));
    std::vector<std::string> texts;
    texts.reserve(2);
    auto which = read_which(*query, texts);
    if (!which) return result::refuse(std::move(which.error()));
    if (!which->credential && !which->grant && which->workflow.empty() && which->run.empty()) {
        return result::refuse(result::invalid("run", "Say which leases: run, workflow, credential or grant."));
    }
    return broker::end_matching(house, asker, *which);
}

/// Answered once the log has it, also where it was an earlier request that ended them.
void end_many(broker::Unsealed& house, const broker::Asker& asker, std::string_view text, Responder responder) {
    auto count = end_asked(house, asker, text);
    if (!count) {
        responder.refuse(count.error());
        return;
    }
    auto run = [](broker::Unsealed& open, Responder reply_to, std::size_t ended) -> runtime::Task<> {
        auto written = co_await broker::write_ends(open);
        if (written) {
            reply_to.answer({.body = R"({"ended":)" + std::to_string(ended) + '}'});
        } else {
            reply_to.refuse(written.error());
        }
    };
    house.tasks.start(run(house, std::move(responder), *count));
}

/// A lease may have been ended while its record was on the way to the log: then its secret stays here.
result::Result<> check_live(const broker::Unsealed* house, const vocabulary::LeaseId& lease) {
    if (house != nullptr) return broker::check_live(*house, lease);
    return result::refuse(broker::lease_ended(vocabulary::EndReason::sealed));
}

using TellWhy = std::function<void(const broker::Asker&, Responder, const result::Error&)>;

/// Of a lease that is not live the log may know why: then it is asked before the caller is told.
void refuse_lease(broker::Unsealed& house, broker::Asker asker, Responder responder, const result::Error& error,
                  std::string_view lease, TellWhy tell) {
    if (error.code != ErrorCode::lease_not_found || !broker::must_look_up(house, lease)) {
        tell(asker, std::move(responder), error);
        return;
    }
    auto run = [](broker::Unsealed& open, broker::Asker who, Responder reply_to, std::string id,
                  TellWhy tell_why) -> runtime::Task<> {
        const auto why = co_await broker::look_up_ended(open, who, std::move(id));
        tell_why(who, std::move(reply_to), why);
    };
    house.tasks.start(run(house, std::move(asker), std::move(responder), std::string(lease), std::move(tell)));
}

void show_lease(const Parts& parts, broker::Unsealed& house, broker::Asker asker, Responder responder) {
    const auto lease = broker::find_lease(house, asker, parts[0]);
    if (!lease) {
        refuse_lease(house, std::move(asker), std::move(responder), lease.error(), parts[0],
                     [](const broker::Asker&, Responder reply_to, const result::Error& why) { reply_to.refuse(why); });
        return;
    }
    Reply reply;
    wire::JsonWriter writer(reply.body);
    broker::write_lease(writer, house, *lease);
    responder.answer(std::move(reply));
}

} // namespace

void Api::add_lease_routes(std::vector<Route>& rows) {
    rows.push_back(
        row(Method::post, "/v1/leases", true,
            [this](const Request& request, const Parts&, broker::Unsealed& house, broker::Asker asker,
                   Responder responder) { issue_lease(request, house, std::move(asker), std::move(responder)); }));
    rows.push_back(row(
        Method::post, "/v1/leases/{id}/renew", true,
        [this](const Request& request, const Parts& parts, broker::Unsealed& house, broker::Asker asker,
               Responder responder) { renew_lease(request, parts, house, std::move(asker), std::move(responder)); }));
    rows.push_back(
        row(Method::del, "/v1/leases/{id}", true,
            [this](const Request&, const Parts& parts, broker::Unsealed& house, broker::Asker asker,
                   Responder responder) { release_lease(parts, house, std::move(asker), std::move(responder)); }));
    rows.push_back(row(Method::get, "/v1/leases/{id}", true,
                       [](const Request&, const Parts& parts, broker::Unsealed& house, broker::Asker asker,
                          Responder responder) { show_lease(parts, house, std::move(asker), std::move(responder)); }));
    rows.push_back(row(Method::get, "/v1/leases", true, list));
    rows.push_back(row(Method::del, "/v1/leases", false,
                       [](const Request& request, const Parts&, broker::Unsealed& house, const broker::Asker& asker,
                          Responder responder) { end_many(house, asker, request.query, std::move(responder)); }));
}

void Api::issue_lease(const Request& request, broker::Unsealed& house, broker::Asker asker, Responder responder) {
    if (broker::is_counted(asker)) {
        // It waits for the disk, so what it asks for is kept: names and a purpose, no secret.
        auto run = [](Api& api, broker::Unsealed& open, broker::Asker who, Responder reply_to,
                      std::string body) -> runtime::Task<> {
            wire::IssueLeaseView asked;
            if (auto read = wire::read_issue_lease(body, asked); !read) {
                reply_to.refuse(read.error());
                co_return;
            }
            auto reply = co_await broker::issue_counted(open, who, asked);
            if (reply) {
                reply_to.answer_secret(reply->status, std::move(reply->body));
            } else {
                api.refuse(&open, Action::lease_refused, who, std::move(reply_to), reply.error(),
                           broker::subject_of(open, who, asked));
            }
        };
        house.tasks.start(run(*this, house, std::move(asker), std::move(responder), std::string(request.body)));
        return;
    }
    wire::IssueLeaseView asked;
    if (auto read = wire::read_issue_lease(request.body, asked); !read) {
        responder.refuse(read.error());
        return;
    }
    const auto waiter = wait_slot();
    auto reply = broker::stage_issue(house, asker, asked, waiter);
    if (reply && reply->wait) {
        free_slot(waiter.ticket);
        house.tasks.start(issue_with_new_token(house, std::move(asker), std::string(request.body),
                                               std::move(*reply->wait), std::move(responder)));
        return;
    }
    if (!reply) {
        free_slot(waiter.ticket);
        refuse(&house, Action::lease_refused, asker, std::move(responder), reply.error(),
               broker::subject_of(house, asker, asked));
        return;
    }
    fill_slot(waiter, std::move(responder), std::move(*reply), true);
}

/// The token has ended: it is refreshed first. What is asked for is kept: names and a purpose, no secret.
runtime::Task<> Api::issue_with_new_token(broker::Unsealed& house, broker::Asker asker, std::string body,
                                          broker::TokenWait wait, Responder responder) {
    wire::IssueLeaseView asked;
    std::ignore = wire::read_issue_lease(body, asked); // it was read before
    auto refreshed = co_await broker::wait_for_token(house, asker, std::move(wait));
    const auto waiter = wait_slot();
    auto reply = refreshed ? broker::stage_issue(house, asker, asked, waiter, true)
                           : result::Result<broker::StagedReply>(result::refuse(std::move(refreshed.error())));
    answer_later(house, asker, waiter, std::move(responder), std::move(reply), broker::subject_of(house, asker, asked));
}

runtime::Task<> Api::renew_with_new_token(broker::Unsealed& house, broker::Asker asker, std::string id,
                                          wire::RenewLease asked, broker::TokenWait wait, Responder responder) {
    auto refreshed = co_await broker::wait_for_token(house, asker, std::move(wait));
    const auto waiter = wait_slot();
    auto reply = refreshed ? broker::stage_renew(house, asker, id, asked, waiter, true)
                           : result::Result<broker::StagedReply>(result::refuse(std::move(refreshed.error())));
    answer_later(house, asker, waiter, std::move(responder), std::move(reply), broker::subject_of(house, asker, id));
}

void Api::answer_later(broker::Unsealed& house, const broker::Asker& asker, const audit::Waiter& waiter,
                       Responder responder, result::Result<broker::StagedReply> reply,
                       const broker::RefusedSubject& subject) {
    if (reply) {
        fill_slot(waiter, std::move(responder), std::move(*reply), true);
        house.journal->flush(); // the turn in which it was asked for has ended
        return;
    }
    free_slot(waiter.ticket);
    refuse(&house, Action::lease_refused, asker, std::move(responder), reply.error(), subject);
}

void Api::renew_lease(const Request& request, const Parts& parts, broker::Unsealed& house, broker::Asker asker,
                      Responder responder) {
    auto asked = read_body<wire::RenewLease>(request, house.parts.arena);
    if (!asked) {
        responder.refuse(asked.error());
        return;
    }
    const auto waiter = wait_slot();
    const auto subject = broker::subject_of(house, asker, parts[0]);
    auto reply = broker::stage_renew(house, asker, parts[0], *asked, waiter);
    if (reply && reply->wait) {
        free_slot(waiter.ticket);
        house.tasks.start(renew_with_new_token(house, std::move(asker), parts[0], *asked, std::move(*reply->wait),
                                               std::move(responder)));
        return;
    }
    if (!reply) {
        free_slot(waiter.ticket);
        refuse_lease(house, std::move(asker), std::move(responder), reply.error(), parts[0],
                     [this, &house, subject](const broker::Asker& who, Responder reply_to, const result::Error& why) {
                         refuse(&house, Action::lease_refused, who, std::move(reply_to), why, subject);
                     });
        return;
    }
    fill_slot(waiter, std::move(responder), std::move(*reply), true);
}

void Api::release_lease(const Parts& parts, broker::Unsealed& house, broker::Asker asker, Responder responder) {
    const auto waiter = wait_slot();
    auto released = broker::stage_release(house, asker, parts[0], waiter);
    if (released && *released) {
        fill_slot(waiter, std::move(responder), std::move(**released), false);
        return;
    }
    free_slot(waiter.ticket);
    if (released) {
        responder.answer({.status = 204});
    } else {
        refuse_lease(house, std::move(asker), std::move(responder), released.error(), parts[0],
                     [](const broker::Asker&, Responder reply_to, const result::Error& why) {
                         if (why.code == ErrorCode::lease_ended) {
                             reply_to.answer({.status = 204});
                         } else {
                             reply_to.refuse(why);
                         }
                     });
    }
}

audit::Waiter Api::wait_slot() {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(waiting_.size()));
        waiting_.emplace_back();
    }
    const auto slot = free_.back();
    free_.pop_back();
    return {.call = &Api::written, .self = this, .ticket = slot};
}

void Api::fill_slot(const audit::Waiter& waiter, Responder responder, broker::StagedReply reply, bool with_body) {
    auto& waiting = waiting_[waiter.ticket];
    waiting.responder = std::move(responder);
    waiting.reply = std::move(reply);
    waiting.with_body = with_body;
}

void Api::free_slot(std::uint64_t ticket) { free_.push_back(static_cast<std::uint32_t>(ticket)); }

void Api::written(void* self, std::uint64_t ticket, bool is_written) {
    static_cast<Api*>(self)->finish(ticket, is_written);
}

void Api::finish(std::uint64_t ticket, bool is_written) {
    auto waiting = std::move(waiting_[ticket]);
    free_slot(ticket);
    auto* house = broker_.house();
    if (!is_written) {
        if (house != nullptr) broker::undo(*house, waiting.reply);
        waiting.responder.refuse(not_written());
    } else if (!waiting.with_body) {
        waiting.responder.answer({.status = 204});
    } else if (auto live = check_live(house, waiting.reply.lease); !live) {
        waiting.responder.refuse(live.error());
    } else {
        waiting.responder.answer_secret(waiting.reply.status, std::move(waiting.reply.body));
    }
}

} // namespace credlease::api
