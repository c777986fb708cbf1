#pragma once

#include "broker/change.hpp"
#include "wire/json_writer.hpp"

namespace credlease::broker {

// The organization's OAuth clients: for operators, and admins of the reserved workspace `organization`. Others are
// `forbidden`, to look at them too.

using OAuthClientRef = std::shared_ptr<const vault::OAuthClient>;

/// PUT /v1/oauth/clients/{service}: in the place of what is there, with nothing of it, so that a secret never comes to
/// hosts that it was not given with.
[[nodiscard]] runtime::Task<result::Result<Answer>> put_oauth_client(Unsealed& house, Asker asker, std::string service,
                                                                     std::string if_match, wire::PutOAuthClient asked);
/// PATCH /v1/oauth/clients/{service}: when its secret ends, and nothing else of it. `not_found` where there is none.
[[nodiscard]] runtime::Task<result::Result<Answer>>
edit_oauth_client(Unsealed& house, Asker asker, std::string service, std::string if_match, wire::EditOAuthClient asked);
/// DELETE /v1/oauth/clients/{service}: `not_found` where there is none.
[[nodiscard]] runtime::Task<result::Result<Answer>> delete_oauth_client(Unsealed& house, Asker asker,
                                                                        std::string service, std::string if_match);

/// Whoever may keep them, and so knows their secrets.
[[nodiscard]] result::Result<> check_keeps_clients(const access::Caller& caller);

[[nodiscard]] result::Result<OAuthClientRef> find_oauth_client(const Unsealed& house, const Asker& asker,
                                                               std::string_view service);
[[nodiscard]] result::Result<std::vector<OAuthClientRef>> list_oauth_clients(const Unsealed& house, const Asker& asker);
/// With the URI to register at the provider; without the secret.
void write_oauth_client(wire::JsonWriter& writer, const Unsealed& house, const vault::OAuthClient& client);

} // namespace credlease::broker
