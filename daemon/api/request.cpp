#include "api/request.hpp"

#include "api/intake.hpp"
#include "http/target.hpp"

#include <algorithm>

namespace credlease::api {

using result::refuse;
using result::Result;

Result<secret::SecretBuffer> Request::take_body() const {
    if (kept != nullptr) return std::move(*kept);
    return intake->copy_body(*connection, body);
}

Result<Query> Query::read(std::string_view query, std::initializer_list<Known> known) {
    Query made;
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        if (pair.empty()) continue;

        const std::size_t equals = pair.find('=');
        auto name = http::percent_decoded(pair.substr(0, equals));
        auto value = http::percent_decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
        if (!name || !value) return refuse(result::invalid("query", "The query is not percent-encoded UTF-8."));
        const auto* const row = std::ranges::find(known, std::string_view(*name), &Known::name);
        if (row == known.end()) return refuse(result::invalid(*name, "This query parameter is not known here."));
        if (!row->repeatable && made.find(*name)) {
            return refuse(result::invalid(*name, "This query parameter may be given once only."));
        }
        made.parameters_.emplace_back(std::move(*name), std::move(*value));
    }
    return made;
}

std::optional<std::string> Query::find(std::string_view name) const {
    for (const auto& [given, value] : parameters_) {
        if (given == name) return value;
    }
    return std::nullopt;
}

std::vector<std::string> Query::all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [given, value] : parameters_) {
        if (given == name) values.push_back(value);
    }
    return values;
}

} // namespace credlease::api
