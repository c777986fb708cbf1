#pragma once

#include "support/daemon/daemon.hpp"

#include <boost/json/value.hpp>

#include <credlease/client.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::tests {

/// A client of that daemon, as this process.
[[nodiscard]] Client client_of(const Daemon& daemon);
/// The same, with a grant.
[[nodiscard]] Client client_of(const Daemon& daemon, std::string_view grant);

/// One request to admin.sock; status 0 when no answer came. `json` is the body, or the problem.
struct Answered {
    unsigned status = 0;
    std::string code; ///< of a refusal
    boost::json::value json;
    std::string etag;
};
[[nodiscard]] Answered ask(Client& client, const std::string& method, const std::string& path,
                           const std::string& body = {}, Client::Door door = Client::Door::admin);

/// Stores an http-bearer credential in workspace `default`; returns its id.
[[nodiscard]] std::string store_token(Client& client, const std::string& name, std::string_view token);
/// Mints a grant for one credential; returns the token.
[[nodiscard]] std::string mint(Client& client, const std::string& credential, const std::string& more_members = {});

/// What the audit log says, newest first: action names, filtered.
[[nodiscard]] std::vector<boost::json::object> audit_of(Client& client, const std::string& query = {});

/// Runs `work` in a child process under another uid (and no groups); its exit status.
[[nodiscard]] int as_uid(unsigned uid, const std::function<int()>& work);

/// The lease's secret field, as text (tests know their secrets).
[[nodiscard]] std::string secret_of(const Lease& lease, std::string_view field);

} // namespace credlease::tests
