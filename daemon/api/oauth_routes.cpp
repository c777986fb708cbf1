#include "api/api.hpp"
#include "api/rows.hpp"
#include "broker/oauth_clients.hpp"

namespace credlease::api {

void Api::add_oauth_routes(std::vector<Route>& rows) {
    constexpr std::string_view client = "/v1/oauth/clients/{service}";
    rows.push_back(row(
        Method::put, client, false,
        changing<wire::PutOAuthClient>([](broker::Unsealed& house, const broker::Asker& asker, const Request& request,
                                          const Parts& parts, wire::PutOAuthClient asked) {
            return broker::put_oauth_client(house, asker, parts[0], std::string(request.if_match), std::move(asked));
        })));
    rows.push_back(row(
        Method::patch, client, false,
        changing<wire::EditOAuthClient>([](broker::Unsealed& house, const broker::Asker& asker, const Request& request,
                                           const Parts& parts, wire::EditOAuthClient asked) {
            return broker::edit_oauth_client(house, asker, parts[0], std::string(request.if_match), std::move(asked));
        })));
    rows.push_back(row(Method::del, client, false,
                       [this](const Request& request, const Parts& parts, broker::Unsealed& house, broker::Asker asker,
                              Responder responder) {
                           auto change =
                               broker::delete_oauth_client(house, asker, parts[0], std::string(request.if_match));
                           start(house, std::move(asker), std::move(responder), std::move(change));
                       }));
    rows.push_back(row(Method::get, client, false,
                       [this](const Request&, const Parts& parts, broker::Unsealed& house, const broker::Asker& asker,
                              Responder responder) {
                           const auto found = broker::find_oauth_client(house, asker, parts[0]);
                           if (!found) {
                               refuse(&house, vocabulary::Action::access_refused, asker, std::move(responder),
                                      found.error());
                               return;
                           }
                           Reply reply{.etag = (*found)->revision};
                           wire::JsonWriter writer(reply.body);
                           broker::write_oauth_client(writer, house, **found);
                           responder.answer(std::move(reply));
                       }));
    rows.push_back(row(Method::get, "/v1/oauth/clients", false,
                       [this](const Request& request, const Parts&, broker::Unsealed& house, const broker::Asker& asker,
                              Responder responder) {
                           const auto all = broker::list_oauth_clients(house, asker);
                           if (!all) {
                               refuse(&house, vocabulary::Action::access_refused, asker, std::move(responder),
                                      all.error());
                               return;
                           }
                           const auto write = [&](wire::JsonWriter& writer, std::size_t i) {
                               broker::write_oauth_client(writer, house, *(*all)[i]);
                           };
                           answer_page(house, asker, request,
                                       {.list = "oauth clients",
                                        .count = all->size(),
                                        .key = [&](std::size_t i) { return (*all)[i]->service.text(); },
                                        .write = write},
                                       std::move(responder));
                       }));
}

} // namespace credlease::api
