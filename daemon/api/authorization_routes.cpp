#include "api/api.hpp"
#include "broker/authorizations.hpp"

namespace credlease::api {
namespace {

using vocabulary::Action;

/// An address that a person pasted, or an engine received, out of JSON in the arena.
result::Result<secret::SecretBuffer> take_address(const wire::CompleteAuthorization& asked, secret::Arena& arena) {
    const auto* text = asked.redirect_url.if_string();
    if (text == nullptr || text->empty()) {
        return result::refuse(result::invalid("redirect_url", "It is the address that the browser was sent to."));
    }
    return secret::SecretBuffer::copy(arena, std::string_view(text->data(), text->size()), secret::Share::tokens);
}

} // namespace

runtime::Task<> Api::answer_authorization(broker::Unsealed& house, broker::Asker asker, Responder responder,
                                          runtime::Task<result::Result<broker::AuthorizationReply>> work) {
    auto reply = co_await std::move(work);
    if (reply) {
        responder.answer_secret(reply->status, std::move(reply->body));
    } else {
        refuse(&house, Action::access_refused, asker, std::move(responder), reply.error());
    }
}

void Api::add_authorization_routes(std::vector<Route>& rows) {
    rows.push_back(row(Method::post, "/v1/oauth/authorizations", false,
                       [this](const Request& request, const Parts&, broker::Unsealed& house, broker::Asker asker,
                              Responder responder) {
                           auto asked = read_body<wire::BeginAuthorization>(request, house.parts.arena);
                           if (!asked) {
                               responder.refuse(asked.error());
                               return;
                           }
                           auto work = broker::begin_authorization(house, asker, std::move(*asked));
                           house.tasks.start(
                               answer_authorization(house, std::move(asker), std::move(responder), std::move(work)));
                       }));
    rows.push_back(
        row(Method::post, "/v1/oauth/authorizations/{id}/complete", false,
            [this](const Request& request, const Parts& parts, broker::Unsealed& house, broker::Asker asker,
                   Responder responder) {
                auto asked = read_body<wire::CompleteAuthorization>(request, house.parts.arena);
                auto address = asked ? take_address(*asked, house.parts.arena)
                                     : result::Result<secret::SecretBuffer>(result::refuse(std::move(asked.error())));
                if (!address) {
                    responder.refuse(address.error());
                    return;
                }
                auto work = broker::complete_authorization(house, asker, parts[0], std::move(*address));
                house.tasks.start(answer_authorization(house, std::move(asker), std::move(responder), std::move(work)));
            }));
    rows.push_back(row(Method::get, "/v1/oauth/authorizations/{id}", false,
                       [this](const Request&, const Parts& parts, broker::Unsealed& house, const broker::Asker& asker,
                              Responder responder) {
                           auto reply = broker::show_authorization(house, asker, parts[0]);
                           if (reply) {
                               responder.answer_secret(reply->status, std::move(reply->body));
                           } else {
                               refuse(&house, Action::access_refused, asker, std::move(responder), reply.error());
                           }
                       }));
    rows.push_back(row(Method::del, "/v1/oauth/authorizations/{id}", false,
                       [this](const Request&, const Parts& parts, broker::Unsealed& house, const broker::Asker& asker,
                              Responder responder) {
                           auto dropped = broker::drop_authorization(house, asker, parts[0]);
                           if (dropped) {
                               responder.answer({.status = 204});
                           } else {
                               refuse(&house, Action::access_refused, asker, std::move(responder), dropped.error());
                           }
                       }));
}

} // namespace credlease::api
