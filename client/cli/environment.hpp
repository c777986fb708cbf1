#pragma once

#include "cli/invocation.hpp"

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
[[nodiscard]] Result<Leases> take_leases(const Invocation& invocation, Client& client,
                                         const std::vector<Wanted>& wanted, const std::string& workspace,
                                         const Purpose& purpose);

/// A descriptor that a command inherits; closed with this object.
class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    [[nodiscard]] int number() const { return number_; }

  private:
    int number_;
};

/// What the command gets besides this program's own environment.
struct Environment {
    SecretText variables;              ///< "VAR=value\0VAR=value\0", in locked memory
    std::vector<std::string> replaced; ///< names of this program's variables that it does not get
    std::vector<Descriptor> files;     ///< sealed memory, kept open over exec
};
[[nodiscard]] Result<Environment> make_environment(const std::vector<Wanted>& wanted, const Leases& leases);

} // namespace credlease::cli
