#pragma once

#include "cli/invocation.hpp"
#include "cli/secret_file.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace credlease::cli {

/// One --env or --file: which field of which credential goes into which variable.
struct Wanted {
    std::string variable;
    std::string credential;
    std::string field; ///< empty: the only secret one
    bool as_file = false;
};

/// `VAR=C` or `VAR=C:FIELD`. A scope's word before a colon belongs to the name ("workspace:Acme Slack").
[[nodiscard]] Result<std::vector<Wanted>> read_wanted(const std::vector<std::string>& environment,
                                                      const std::vector<std::string>& files);

/// One lease a credential, of the fields that are wanted, which renews itself.
using Leases = std::map<std::string, Lease>;
/// How they are taken; `on_change` may be empty.
struct Terms {
    std::string workspace;
    Purpose purpose;
    std::function<void(const LeaseChange&)> on_change{};
};
[[nodiscard]] Result<Leases> take_leases(const Invocation& invocation, Client& client,
                                         const std::vector<Wanted>& wanted, const Terms& terms);
/// One of them, taken anew: of the credential by that name.
[[nodiscard]] Result<Lease> take_lease(Client& client, const std::vector<Wanted>& wanted, const std::string& credential,
                                       const Terms& terms);

/// What the command gets besides this program's own environment.
struct Environment {
    SecretText variables;              ///< "VAR=value\0VAR=value\0", in locked memory
    std::vector<std::string> replaced; ///< names of this program's variables that it does not get
    std::vector<SecretFile> files;     ///< kept open over exec, in the order in which they are wanted
};
[[nodiscard]] Result<Environment> make_environment(const std::vector<Wanted>& wanted, const Leases& leases,
                                                   SecretFile::Kind files);
/// The leases hold other secrets now: what the command reads in its (replaceable) files is theirs.
[[nodiscard]] Result<void> replace_files(Environment& environment, const std::vector<Wanted>& wanted,
                                         const Leases& leases);

} // namespace credlease::cli
