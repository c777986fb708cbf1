#include "api/api.hpp"

#include "secret/arena_resource.hpp"
#include "wire/json_reader.hpp"

#include <charconv>

namespace credlease::api {
namespace {

using result::ErrorCode;

/// JSON values take several times the text they are read from; a body of many tiny values is refused before it fills
/// the share.
constexpr std::size_t json_most = std::size_t{768} * 1024;

/// The refusals that the audit log keeps: of who may not, not of who mistyped.
bool is_of_rights(ErrorCode code) {
    switch (code) {
    case ErrorCode::unauthenticated:
    case ErrorCode::forbidden:
    case ErrorCode::unseal_refused:
    case ErrorCode::credential_not_found:
    case ErrorCode::grant_not_found:
    case ErrorCode::workspace_not_found:
        return true;
    default:
        return false;
    }
}

} // namespace

Api::Api(broker::Broker& broker)
    : broker_(broker), tasks_(broker.parts().loop), gate_(broker.parts().loop), first_answers_(broker.parts().arena),
      hashed_workers_(broker) {}
Api::~Api() = default;

std::vector<Route> Api::routes() {
    std::vector<Route> rows;
    add_lease_routes(rows);
    add_credential_routes(rows);
    add_grant_routes(rows);
    add_audit_routes(rows);
    add_authorization_routes(rows);
    add_directory_routes(rows);
    add_oauth_routes(rows);
    add_event_routes(rows);
    add_state_routes(rows);
    add_service_routes(rows);
    return rows;
}

result::Result<broker::Asker> Api::find_asker(const Request& request) {
    broker::Asker asker{.caller = {}, .peer = request.peer, .request = request.id};
    auto caller = broker_.find_caller(
        *request.peer,
        {.on_lease_socket = request.door == Door::lease, .grant = request.grant, .actor = request.actor});
    if (!caller) {
        if (auto* house = broker_.house()) {
            house->refusals->note(vocabulary::Action::access_refused, asker, result::name_of(caller.error().code));
        }
        return std::unexpected(std::move(caller.error()));
    }
    asker.caller = std::move(*caller);
    if (auto may = check_rate(*asker.caller); !may) return std::unexpected(std::move(may.error()));
    if (!request.idempotency_key.empty()) {
        asker.idempotency_key = request.idempotency_key;
        if (auto* house = broker_.house()) {
            const auto digest = house->digests.of({mac::bytes_of(name_of(request.method)), mac::bytes_of(request.path),
                                                   mac::bytes_of(request.query), mac::bytes_of(request.body)});
            std::copy_n(digest.begin(), asker.body_digest.size(), asker.body_digest.begin());
        }
    }
    return asker;
}

/// Operators are never kept from their broker.
result::Result<> Api::check_rate(const access::Caller& caller) {
    if (caller.is_operator()) return {};
    const auto per_second = broker_.rules().settings->limits.requests_per_second;
    const auto wait = rates_.must_wait(caller.principal, per_second, broker_.parts().clock.boot());
    if (!wait) return {};
    return result::refuse({.code = ErrorCode::rate_limited,
                           .sentence = "You ask more often than [limits] requests_per_second allows.",
                           .next_step = "Ask again after the time in Retry-After.",
                           .retry_after_seconds = *wait});
}

Route Api::row(Method method, std::string_view pattern, bool on_lease, Handler handler) {
    return {.method = method,
            .pattern = pattern,
            .on_lease = on_lease,
            .while_sealed = false,
            .handle = once_hashed(
                [this, handler = std::move(handler)](const Request& request, const Parts& parts, Responder responder) {
                    answer_now(request, parts, handler, std::move(responder));
                })};
}

HashedWorkers::Handle Api::once_hashed(HashedWorkers::Handle handle) {
    return [this, handle = std::move(handle)](const Request& request, const Parts& parts, Responder responder) {
        hashed_workers_.call(request, parts, std::move(responder), handle);
    };
}

void Api::answer_now(const Request& request, const Parts& parts, const Handler& handler, Responder responder) {
    auto* house = broker_.house();
    if (house == nullptr) { // sealed while the request waited
        responder.refuse(sealed());
        return;
    }
    auto asker = find_asker(request);
    if (!asker) {
        responder.refuse(asker.error());
        return;
    }
    handler(request, parts, *house, std::move(*asker), std::move(responder));
}

void Api::refuse(broker::Unsealed* house, vocabulary::Action action, const broker::Asker& asker, Responder responder,
                 const result::Error& error, const broker::RefusedSubject& subject) {
    if (house != nullptr && (action == vocabulary::Action::lease_refused || is_of_rights(error.code))) {
        house->refusals->note(action, asker, result::name_of(error.code), subject);
    }
    responder.refuse(error);
}

void Api::start(broker::Unsealed& house, broker::Asker asker, Responder responder,
                runtime::Task<result::Result<broker::Answer>> change) {
    auto run = [](Api& api, broker::Unsealed& open, broker::Asker who, Responder reply_to,
                  runtime::Task<result::Result<broker::Answer>> work) -> runtime::Task<> {
        auto answer = co_await std::move(work);
        if (answer) {
            reply_to.answer(reply_of(*answer));
        } else {
            api.refuse(&open, vocabulary::Action::access_refused, who, std::move(reply_to), answer.error());
        }
    };
    house.tasks.start(run(*this, house, std::move(asker), std::move(responder), std::move(change)));
}

result::Result<boost::json::value> read_body_json(const Request& request, secret::Arena& arena) {
    const auto most = std::min(json_most, arena.share_size(secret::Share::work));
    auto memory = boost::json::make_shared_resource<secret::ArenaResource>(arena, secret::Share::work, most);
    return wire::read_json(request.body.empty() ? std::string_view("{}") : request.body, std::move(memory));
}

result::Result<Page> read_page(const Query& query) {
    Page page;
    if (const auto limit = query.find("limit")) {
        const auto* end = limit->data() + limit->size();
        const auto read = std::from_chars(limit->data(), end, page.limit);
        if (read.ec != std::errc() || read.ptr != end || page.limit < 1 || page.limit > wire::limits::page_most) {
            return result::refuse(result::invalid("limit", "A limit is a number from 1 to 500."));
        }
    }
    page.cursor = query.find("cursor").value_or("");
    return page;
}

Reply list_reply(std::string items, const std::optional<std::string>& next_cursor) {
    Reply reply;
    reply.body = R"({"items":)" + items + R"(,"next_cursor":)";
    reply.body += next_cursor ? '"' + *next_cursor + '"' : std::string("null");
    reply.body += '}';
    return reply;
}

Reply reply_of(const broker::Answer& answer) {
    Reply reply{.status = answer.status, .body = answer.body, .location = answer.location};
    if (answer.revision != 0) reply.etag = answer.revision;
    return reply;
}

} // namespace credlease::api
