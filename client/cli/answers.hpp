#pragma once

#include "credlease/client.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace credlease::cli {

namespace json = boost::json;

/// A request's target: percent-encoded path segments, then a query (RFC 3986).
class Target {
  public:
    explicit Target(std::string path) : text_(std::move(path)) {}
    Target& segment(std::string_view text);
    /// Empty values are left out.
    Target& query(std::string_view name, std::string_view value);
    /// lease.sock serves it too: who may not use admin.sock reads it there.
    Target& also_for_workers();
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] bool is_for_workers() const { return is_for_workers_; }

  private:
    std::string text_;
    bool has_query_ = false;
    bool is_for_workers_ = false;
};

/// The answer's JSON; an empty object for an answer without a body.
[[nodiscard]] Result<json::value> read_json(const Answer& answer);

[[nodiscard]] Result<json::value> get(Client& client, const Target& target);

/// Asks at `door` first, and leaves there which one answered.
[[nodiscard]] Result<json::value> get(Client& client, const Target& target, Client::Door& door);

struct List {
    json::array items;
    bool has_more = false; ///< the broker has some that were not asked for
};
/// The items of a list, page after page, until there are `most` (0: all).
[[nodiscard]] Result<List> get_all(Client& client, const Target& target, std::size_t most);

/// The text at a path of member names; a number, a boolean or a structure as JSON, null and absent as "".
[[nodiscard]] std::string text_at(const json::value& value, std::initializer_list<std::string_view> path);
[[nodiscard]] const json::value* find_at(const json::value& value, std::initializer_list<std::string_view> path);
[[nodiscard]] bool is_true_at(const json::value& value, std::initializer_list<std::string_view> path);

/// A point in time to the second: "2026-11-22T10:00:00Z".
[[nodiscard]] std::string time_at(const json::value& value, std::initializer_list<std::string_view> path);
/// "personal", "workspace:acme", "organization".
[[nodiscard]] std::string scope_at(const json::value& value);

/// Prints JSON and a newline on standard output.
void print_json(const json::value& value);
/// `{"items": […], "next_cursor": null}`: a whole list in one answer.
void print_items(json::array items);
/// Behind a table: tells a person that it is not the whole list.
void say_whether_more(const List& list);

} // namespace credlease::cli
