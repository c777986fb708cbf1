#pragma once

#include "api/first_answers.hpp"
#include "api/hashed_workers.hpp"
#include "api/rates.hpp"
#include "api/routes.hpp"
#include "broker/authorizations.hpp"
#include "broker/broker.hpp"
#include "broker/change.hpp"
#include "broker/issue_lease.hpp"
#include "runtime/task_group.hpp"
#include "wire/limits.hpp"
#include "wire/mapping.hpp"

#include <boost/json/value.hpp>

#include <functional>
#include <string_view>
#include <vector>

namespace credlease::api {

/// The broker's use cases as routes: decodes requests, finds who asks, encodes answers. Holds nothing but the replies
/// that wait for their record.
class Api {
  public:
    explicit Api(broker::Broker& broker);
    ~Api();
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

    /// The route table: method, path, door, who may (the use case says), function.
    [[nodiscard]] std::vector<Route> routes();
    /// The last seals, unseals and their like end by themselves.
    [[nodiscard]] runtime::Task<> drain() { co_await tasks_.drain(); }
    void set_connections(std::function<std::size_t()> connections) { connections_ = std::move(connections); }

  private:
    // One file a group of routes.
    void add_lease_routes(std::vector<Route>& rows);
    void add_credential_routes(std::vector<Route>& rows);
    void add_grant_routes(std::vector<Route>& rows);
    void add_audit_routes(std::vector<Route>& rows);
    void add_authorization_routes(std::vector<Route>& rows);
    void add_directory_routes(std::vector<Route>& rows);
    void add_oauth_routes(std::vector<Route>& rows);
    void add_event_routes(std::vector<Route>& rows);
    void add_state_routes(std::vector<Route>& rows);
    void add_service_routes(std::vector<Route>& rows);

    using Handler = std::function<void(const Request&, const Parts&, broker::Unsealed&, broker::Asker, Responder)>;
    /// A row whose handler is called with who asks; refusals of strangers are answered and noted here.
    [[nodiscard]] Route row(Method method, std::string_view pattern, bool on_lease, Handler handler);
    /// The handler, called once it can be told who asks.
    [[nodiscard]] HashedWorkers::Handle once_hashed(HashedWorkers::Handle handle);
    void answer_now(const Request& request, const Parts& parts, const Handler& handler, Responder responder);
    [[nodiscard]] result::Result<broker::Asker> find_asker(const Request& request);
    [[nodiscard]] result::Result<> check_rate(const access::Caller& caller);
    void refuse(broker::Unsealed* house, vocabulary::Action action, const broker::Asker& asker, Responder responder,
                const result::Error& error, const broker::RefusedSubject& subject = {});
    /// Starts a change; its answer goes to the responder. Refusals of rights are noted.
    void start(broker::Unsealed& house, broker::Asker asker, Responder responder,
               runtime::Task<result::Result<broker::Answer>> change);
    /// A handler that reads the body as a message and starts the change that `make` makes of it.
    template <class Message, class Make> [[nodiscard]] Handler changing(Make make);

    /// Seal and unseal: for operators, once for each Idempotency-Key. `change` takes what it needs out of the request.
    using ChangePhase =
        std::function<result::Result<runtime::Task<result::Result<>>>(const Request&, const broker::Asker&)>;
    [[nodiscard]] Route phase_row(std::string_view pattern, ChangePhase change);
    [[nodiscard]] runtime::Task<> run_change(broker::Asker asker, mac::Digest digest, Responder responder,
                                             runtime::Task<result::Result<>> change);

    void issue_lease(const Request& request, broker::Unsealed& house, broker::Asker asker, Responder responder);
    void renew_lease(const Request& request, const Parts& parts, broker::Unsealed& house, broker::Asker asker,
                     Responder responder);
    [[nodiscard]] runtime::Task<> issue_with_new_token(broker::Unsealed& house, broker::Asker asker, std::string body,
                                                       broker::TokenWait wait, Responder responder);
    [[nodiscard]] runtime::Task<> renew_with_new_token(broker::Unsealed& house, broker::Asker asker, std::string id,
                                                       wire::RenewLease asked, broker::TokenWait wait,
                                                       Responder responder);
    /// What was staged when its token had been refreshed.
    void answer_later(broker::Unsealed& house, const broker::Asker& asker, const audit::Waiter& waiter,
                      Responder responder, result::Result<broker::StagedReply> reply,
                      const broker::RefusedSubject& subject);
    [[nodiscard]] runtime::Task<> answer_authorization(broker::Unsealed& house, broker::Asker asker,
                                                       Responder responder,
                                                       runtime::Task<result::Result<broker::AuthorizationReply>> work);
    void release_lease(const Parts& parts, broker::Unsealed& house, broker::Asker asker, Responder responder);

    /// Replies whose record is on its way to the log; a slot's number is the waiter's ticket.
    struct Waiting {
        Responder responder;
        broker::StagedReply reply;
        bool with_body = true;
    };
    [[nodiscard]] audit::Waiter wait_slot();
    void fill_slot(const audit::Waiter& waiter, Responder responder, broker::StagedReply reply, bool with_body);
    void free_slot(std::uint64_t ticket);
    static void written(void* self, std::uint64_t ticket, bool is_written);
    void finish(std::uint64_t ticket, bool is_written);

    broker::Broker& broker_;
    runtime::TaskGroup tasks_; ///< what outlives a seal: sealing itself
    runtime::Gate gate_;       ///< one request for each Idempotency-Key of a seal or unseal at a time
    FirstAnswers first_answers_;
    HashedWorkers hashed_workers_;
    Rates rates_;
    std::vector<Waiting> waiting_;
    std::vector<std::uint32_t> free_;
    std::function<std::size_t()> connections_;
};

/// The body as a message; its values lie in the arena and are wiped with it. An empty body is an empty object.
template <class Message> [[nodiscard]] result::Result<Message> read_body(const Request& request, secret::Arena& arena);
[[nodiscard]] result::Result<boost::json::value> read_body_json(const Request& request, secret::Arena& arena);
template <class Message> result::Result<Message> read_body(const Request& request, secret::Arena& arena) {
    auto value = read_body_json(request, arena);
    if (!value) return std::unexpected(std::move(value.error()));
    return wire::read_message<Message>(*value);
}

template <class Message, class Make> Api::Handler Api::changing(Make make) {
    return [this, make](const Request& request, const Parts& parts, broker::Unsealed& house, broker::Asker asker,
                        Responder responder) {
        auto asked = read_body<Message>(request, house.parts.arena);
        if (!asked) {
            responder.refuse(asked.error());
            return;
        }
        auto change = make(house, asker, request, parts, std::move(*asked));
        start(house, std::move(asker), std::move(responder), std::move(change));
    };
}

/// `limit`, `cursor` and `sort` of a list.
struct Page {
    std::size_t limit = wire::limits::page_default;
    std::string cursor;
};
[[nodiscard]] result::Result<Page> read_page(const Query& query);
/// A list's answer: items were written as an array already.
[[nodiscard]] Reply list_reply(std::string items, const std::optional<std::string>& next_cursor);
[[nodiscard]] Reply reply_of(const broker::Answer& answer);

} // namespace credlease::api
