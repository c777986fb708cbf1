#include "client/client_state.hpp"
#include "client/refusal.hpp"
#include "client/secret_text.hpp"
#include "wire/mapping.hpp"

namespace credlease {
namespace {

using client::Session;

std::string body_of(const LeaseRequest& request) {
    const auto given = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); };
    wire::IssueLease body{.credential = request.credential,
                          .workspace = given(request.workspace),
                          .ttl = request.ttl,
                          .fields = std::nullopt,
                          .purpose = std::nullopt,
                          .bind = request.bound_to_process ? std::nullopt : std::optional<std::string>("none"),
                          .min_valid = std::nullopt};
    if (!request.fields.empty()) body.fields = request.fields;
    const Purpose& purpose = request.purpose;
    if (!purpose.workflow.empty() || !purpose.run.empty() || !purpose.node.empty()) {
        body.purpose = wire::PurposeMessage{
            .workflow = given(purpose.workflow), .run = given(purpose.run), .node = given(purpose.node)};
    }
    return wire::write_message(body);
}

Result<client::Reply> ask_for_lease(Session& session, const std::string& body) {
    const std::string key = client::make_idempotency_key();
    return session.exchange(
        {.method = "POST", .path = "/v1/leases", .idempotency_key = key, .body = body, .secret_answer = true});
}

} // namespace

Client::State::State(Options chosen) : options(std::move(chosen)), places(client::find_places(options)) {}

std::shared_ptr<Client::State> Client::State::for_child() const {
    auto made = std::make_shared<State>(options);
    if (grant_from_ != GrantFrom::environment) made->grant_from_ = GrantFrom::lost_by_fork;
    return made;
}

std::shared_ptr<Session> Client::State::make_session(const std::string& path, client::Grant grant) const {
    return std::make_shared<Session>(
        Session::Settings{.path = path, .actor = options.actor, .grant = std::move(grant), .timeout = options.timeout});
}

Result<client::Grant> Client::State::grant() {
    if (grant_from_ == GrantFrom::lost_by_fork) {
        return client::misconfigured("The grant was set before this process was forked, and is gone here.",
                                     "Call use_grant in the child.");
    }
    if (!grant_) grant_ = options.grant_from_environment ? client::read_grant_of_environment() : client::Grant();
    return *grant_;
}

void Client::State::use_grant(SecretText text) {
    grant_ = client::take_grant(Access::take(std::move(text)));
    grant_from_ = GrantFrom::caller;
    lease_door_.reset();
}

Result<std::shared_ptr<Session>> Client::State::lease_door() {
    if (lease_door_) return lease_door_;
    auto found = grant();
    if (!found) return found.error();
    lease_door_ = make_session(places.lease_socket, *found);
    return lease_door_;
}

std::shared_ptr<Session> Client::State::admin_door() {
    if (!admin_door_) admin_door_ = make_session(places.admin_socket, nullptr);
    return admin_door_;
}

Result<std::shared_ptr<Session>> Client::State::door(Door which) {
    if (which == Door::admin) return admin_door();
    return lease_door();
}

Client::Client(Options options) : state_(std::make_shared<State>(std::move(options))) {}
Client::~Client() {
    if (state_ && state_->process != client::this_process()) client::abandon(state_);
}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&& other) noexcept {
    const Client old(std::move(*this));
    state_ = std::move(other.state_);
    return *this;
}

Client::State& Client::live() {
    if (!state_) state_ = std::make_shared<State>(Options{});
    if (state_->process != client::this_process()) {
        auto fresh = state_->for_child();
        client::abandon(state_);
        state_ = std::move(fresh);
    }
    return *state_;
}

void Client::use_grant(SecretText grant) { live().use_grant(std::move(grant)); }

Result<Lease> Client::lease(const LeaseRequest& request) {
    return client::at_the_boundary([&]() -> Result<Lease> {
        State& state = live();
        auto session = state.lease_door();
        if (!session) return session.error();
        const std::string body = body_of(request);
        auto reply = [&] {
            if (*state.grant()) return ask_for_lease(**session, body);
            auto at_admin = ask_for_lease(*state.admin_door(), body);
            const bool is_let_in =
                state.admin_door()->was_reached() && (at_admin.ok() || at_admin.error().code != "unauthenticated");
            if (is_let_in) {
                session = state.admin_door();
                return at_admin;
            }
            return ask_for_lease(**session, body);
        }();
        if (!reply) return reply.error();
        auto holding = client::Holding::read(std::move(*reply), request.ttl);
        if (!holding) return holding.error();
        if (request.renew_itself) state.renewals->add(*holding, (*session)->another());
        Lease made;
        made.state_ = std::make_unique<Lease::State>(std::move(*holding), std::move(*session),
                                                     request.renew_itself ? state.renewals : nullptr);
        return made;
    });
}

const Options& Client::options() const {
    static const Options none;
    return state_ ? state_->options : none;
}

std::string Client::lease_socket() const { return state_ ? state_->places.lease_socket : std::string(); }

std::string Client::admin_socket() const { return state_ ? state_->places.admin_socket : std::string(); }

} // namespace credlease
