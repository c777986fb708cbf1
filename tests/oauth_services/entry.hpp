#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <iosfwd>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace credlease::tests {

/// A member's text; empty: it has none.
[[nodiscard]] std::string text_in(const boost::json::object& from, std::string_view member);

/// One auth type with OAuth of one entry of the catalog, read as the file says it and not by the catalog's own code.
struct Entry {
    std::string service, auth;
    boost::json::object whole;       ///< the file
    boost::json::object auth_type{}; ///< its member of `auth`
    boost::json::object oauth{};

    [[nodiscard]] std::string mount() const { return "/" + service + "/" + auth; }
    [[nodiscard]] std::vector<std::string> flows() const;
    /// The field's member of `fields`; throws where there is none.
    [[nodiscard]] const boost::json::object& field(std::string_view name) const;
    /// The field that decides `flow`, `client_auth` or `refresh_class`; empty: the entry does.
    [[nodiscard]] std::string chooser_of(std::string_view member) const;
    /// A text member of `oauth`, or empty.
    [[nodiscard]] std::string text(std::string_view member) const;
    [[nodiscard]] std::vector<boost::json::object> answer_fields() const;
    /// One of `clocks`, in seconds.
    [[nodiscard]] std::optional<long> clock(std::string_view name) const;
};
[[nodiscard]] std::vector<Entry> all_entries();

/// An entry's test: a flow that it offers, and what its choosing fields hold where that is not their default.
struct Case {
    Entry entry;
    std::string flow;
    std::map<std::string, std::string> chosen{};

    [[nodiscard]] std::string refresh_class() const;
    [[nodiscard]] bool is_automatic() const { return flow == "client_credentials" || flow == "jwt_bearer"; }
    [[nodiscard]] bool can_refresh() const { return is_automatic() || refresh_class() != "none"; }
};
std::ostream& operator<<(std::ostream& out, const Case& one);
/// Each flow of each entry, and each choice of a class or of a client's authentication once.
[[nodiscard]] std::vector<Case> all_cases();
/// The same, of each entry the first flow alone.
[[nodiscard]] std::vector<Case> cases_of_first_flows();

/// "1h" in seconds.
[[nodiscard]] long seconds_of(std::string_view duration);
/// A template with the values in it; nullopt where one is not set. Throws for what it does not know: then the tests
/// must learn it.
[[nodiscard]] std::optional<std::string> filled(std::string_view pattern,
                                                const std::map<std::string, std::string>& values);
/// The names of all members that entries with OAuth have, by where they stand: "slots.name".
[[nodiscard]] std::set<std::string> members_in_use();

} // namespace credlease::tests
