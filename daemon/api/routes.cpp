#include "api/routes.hpp"

#include "http/target.hpp"

#include <algorithm>
#include <ranges>

namespace credlease::api {
namespace {

using result::ErrorCode;

std::vector<std::string_view> segments_of(std::string_view path) {
    std::vector<std::string_view> segments;
    while (!path.empty()) {
        path.remove_prefix(1); // the '/'
        segments.push_back(path.substr(0, path.find('/')));
        path.remove_prefix(segments.back().size());
    }
    return segments;
}

bool is_part(std::string_view segment) { return segment.starts_with('{'); }

/// Whether the segments match, with what each "{…}" matched.
bool matches(const std::vector<std::string_view>& pattern, const std::vector<std::string_view>& path, Parts& parts) {
    if (pattern.size() != path.size()) return false;
    parts.clear();
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (!is_part(pattern[i])) {
            if (pattern[i] != path[i]) return false;
            continue;
        }
        auto part = http::percent_decoded(path[i]);
        if (!part || part->empty()) return false;
        parts.push_back(std::move(*part));
    }
    return true;
}

bool is_served(const Route& row, Door door) { return door == Door::admin || row.on_lease; }

void refuse_method(Responder& responder, const std::vector<const Route*>& rows, Door door) {
    Reply reply = problem_reply({.code = ErrorCode::method_not_allowed,
                                 .sentence = "This path does not take that method.",
                                 .next_step = "Use one of those that the Allow header lists."},
                                responder.request());
    for (const Route* row : rows) {
        if (!is_served(*row, door)) continue;
        if (!reply.allow.empty()) reply.allow += ", ";
        reply.allow += name_of(row->method);
    }
    responder.answer(std::move(reply));
}

void refuse_path(Responder& responder) {
    responder.refuse({.code = ErrorCode::not_found,
                      .sentence = "There is nothing at this path.",
                      .next_step = "Look the route up in docs/interface.md; some are served on admin.sock only."});
}

} // namespace

result::Error sealed() {
    return {.code = ErrorCode::sealed,
            .sentence = "The broker is sealed.",
            .next_step = "Ask an operator to run `credlease unseal`."};
}

Routes::Routes(std::vector<Route> rows) : rows_(std::move(rows)) {
    for (const Route& row : rows_) add(row);
}

void Routes::add(const Route& row) {
    auto segments = segments_of(row.pattern);
    if (std::ranges::none_of(segments, is_part)) {
        fixed_[std::string(row.pattern)].push_back(&row);
        return;
    }
    const auto same = [&segments](const Pattern& pattern) {
        return std::ranges::equal(pattern.segments, segments, [](std::string_view left, std::string_view right) {
            return left == right || (is_part(left) && is_part(right));
        });
    };
    auto pattern = std::ranges::find_if(patterns_, same);
    if (pattern == patterns_.end()) pattern = patterns_.insert(pattern, Pattern{std::move(segments), {}});
    pattern->rows.push_back(&row);
}

const Routes::RowsOfPath* Routes::find(std::string_view path, Parts& parts) const {
    if (const auto fixed = fixed_.find(path); fixed != fixed_.end()) return &fixed->second;
    const auto segments = segments_of(path);
    for (const Pattern& pattern : patterns_) {
        if (matches(pattern.segments, segments, parts)) return &pattern.rows;
    }
    return nullptr;
}

void Routes::dispatch(const Request& request, Responder responder, bool sealed) const {
    Parts parts;
    const RowsOfPath* const rows = find(request.path, parts);
    const auto served = [&](const Route* row) { return is_served(*row, request.door); };
    if (rows == nullptr || std::ranges::none_of(*rows, served)) return refuse_path(responder);

    const auto wanted = [&](const Route* row) { return served(row) && row->method == request.method; };
    const auto row = std::ranges::find_if(*rows, wanted);
    if (row == rows->end()) return refuse_method(responder, *rows, request.door);
    if (sealed && !(*row)->while_sealed) {
        responder.refuse(api::sealed());
        return;
    }
    (*row)->handle(request, parts, std::move(responder));
}

} // namespace credlease::api
