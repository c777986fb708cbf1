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
                          .min_valid = request.min_valid};
    if (!request.fields.empty()) body.fields = request.fields;
    const Purpose& purpose = request.purpose;
    if (!purpose.workflow.empty() || !purpose.run.empty() || !purpose.node.empty()) {
        body.purpose = wire::PurposeMessage{
            .workflow = given(purpose.workflow), .run = given(purpose.run), .node = given(purpose.node)};
    }
    return wire::write_message(body);
}

Result<client::Reply> request_lease(Session& session, const std::string& body) {
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

std::shared_ptr<Session> Client::State::make_session(client::Place place, client::Grant grant) const {
    return std::make_shared<Session>(Session::Settings{
        .place = std::move(place), .actor = options.actor, .grant = std::move(grant), .timeout = options.timeout});
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
    listening_.erase(lease_door_); // those that listen with the grant before go on as long as their leases
    lease_door_.reset();
}

Result<std::shared_ptr<Session>> Client::State::lease_door() {
    if (lease_door_) return lease_door_;
    auto found = grant();
    if (!found) return found.error();
    lease_door_ = make_session({places.lease_socket, client::lease_variable}, *found);
    return lease_door_;
}

std::shared_ptr<Session> Client::State::admin_door() {
    if (!admin_door_) admin_door_ = make_session({places.admin_socket, client::admin_variable}, nullptr);
    return admin_door_;
}

Result<std::shared_ptr<Session>> Client::State::door(Door which) {
    if (which == Door::admin) return admin_door();
    return lease_door();
}

std::shared_ptr<client::Listening> Client::State::listening_at(const std::shared_ptr<Session>& session) {
    auto& listening = listening_[session];
    if (!listening) listening = std::make_shared<client::Listening>();
    return listening;
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

Result<client::Reply> Client::State::ask_for_lease(const std::string& body, std::shared_ptr<Session>& asked) {
    const auto at_lease = lease_door();
    if (!at_lease) return at_lease.error();
    std::optional<Error> at_admin;
    if (const auto found = grant(); found && !*found) {
        asked = admin_door();
        auto reply = request_lease(*asked, body);
        if (asked->was_reached() && (reply.ok() || reply.error().code != "unauthenticated")) return reply;
        if (!asked->was_reached()) at_admin = reply.error();
    }
    asked = *at_lease;
    auto reply = request_lease(*asked, body);
    if (reply.ok() || asked->was_reached() || !at_admin) return reply;
    return client::unreachable(at_admin->sentence + " " + reply.error().sentence, reply.error().next_step);
}

Result<Lease> Client::lease(const LeaseRequest& request) {
    return client::at_the_boundary([&]() -> Result<Lease> {
        State& state = live();
        // Made before it is asked for: whatever fails once it is issued, it is given back as it dies.
        Lease made;
        made.state_ = std::make_unique<Lease::State>(request);
        auto reply = state.ask_for_lease(body_of(request), made.state_->session);
        if (!reply) return reply.error();
        if (auto taken = made.state_->holding->take_issued(std::move(*reply)); !taken) return taken.error();
        if (request.renew_itself) {
            made.state_->renewals = state.renewals;
            state.renewals->add(made.state_->holding, made.state_->session->another());
        }
        if (request.on_change) {
            made.state_->listening = state.listening_at(made.state_->session);
            made.state_->listening->add(made.state_->holding, made.state_->session, request.on_change,
                                        made.state_->renewals);
        }
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
