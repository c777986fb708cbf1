#include "catalog/read_errors.hpp"

#include "catalog/read_slots.hpp"

#include <algorithm>

namespace credlease::catalog {
namespace {

constexpr std::size_t rules_most = 64;

bool hides(const ErrorRule& first, const ErrorRule& second) {
    return (first.status == 0 || first.status == second.status) &&
           (first.error == "*" || first.error == second.error) &&
           (first.sub_error.empty() || first.sub_error == second.sub_error);
}

ErrorRule read_rule(const EntryNode& node) {
    ErrorRule rule{.error = "*"};
    rule.status = node.number("status", 200, 599).value_or(0);
    if (node.find("error")) rule.error = node.line("error");
    rule.sub_error = node.line("sub_error");
    const auto meaning = find_value<Meaning>(node.line("meaning"));
    if (!meaning) {
        node.refuse("meaning", "It must be definitive, client, transient, rate_limited or too_early.");
        return rule;
    }
    rule.meaning = *meaning;
    if (rule.meaning == Meaning::definitive && rule.status >= 500) {
        node.refuse("meaning", "A status of 500 or more never says that a grant is dead.");
    }
    return rule;
}

/// RFC 6749 §5.2, and RFC 6585 §4.
void add_common(std::vector<ErrorRule>& rules) {
    rules.push_back({.status = 429, .error = "*", .meaning = Meaning::rate_limited});
    rules.push_back({.error = "invalid_grant", .meaning = Meaning::definitive});
    rules.push_back({.error = "invalid_client", .meaning = Meaning::client});
    rules.push_back({.error = "unauthorized_client", .meaning = Meaning::client});
}

void read_rules(const EntryNode& node, Errors& errors) {
    const boost::json::array& items = node.list("rules", 0, rules_most);
    for (std::size_t i = 0; i < items.size(); ++i) {
        const EntryNode item(items[i], node.path_of("rules", i), node.problem(),
                             {.required = {"meaning"}, .optional = {"status", "error", "sub_error"}});
        ErrorRule rule = read_rule(item);
        if (!rule.sub_error.empty() && errors.sub_at.empty()) item.refuse("sub_error", "It needs sub_at.");
        if (std::ranges::any_of(errors.rules, [&](const ErrorRule& before) { return hides(before, rule); })) {
            item.refuse("meaning", "The rule is never reached: one before it fits whatever it fits.");
        }
        errors.rules.push_back(std::move(rule));
    }
}

} // namespace

Errors read_errors(const EntryNode& oauth) {
    Errors errors;
    if (const boost::json::value* value = oauth.find("errors")) {
        const EntryNode node(*value, oauth.path_of("errors"), oauth.problem(),
                             {.required = {}, .optional = {"at", "sub_at", "text_at", "ok_at", "rules"}});
        if (node.find("at")) errors.at = read_pointer(node, "at");
        errors.sub_at = read_pointer(node, "sub_at");
        if (node.find("text_at")) errors.text_at = read_pointer(node, "text_at");
        errors.ok_at = read_pointer(node, "ok_at");
        read_rules(node, errors);
    }
    add_common(errors.rules);
    return errors;
}

} // namespace credlease::catalog
