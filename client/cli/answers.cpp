#include "cli/answers.hpp"

#include "cli/invocation.hpp"
#include "cli/terminal.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <unistd.h>

namespace credlease::cli {
namespace {

constexpr std::size_t page_most = 500;

/// RFC 3986 §2.3: what needs no encoding.
bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~").contains(c);
}

std::string encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_unreserved(c)) {
            out += c;
        } else {
            out += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return out;
}

/// Nobody listens, the file system says no, or the broker knows no operator, engine or user of this uid.
bool is_shut_out(const Error& error) { return error.code == unreachable_code || error.code == "unauthenticated"; }

Error not_understood() {
    return {.code = "internal",
            .sentence = "The broker's answer is not understood.",
            .next_step = "Compare the versions of credlease and credleased."};
}

} // namespace

Target& Target::segment(std::string_view text) {
    text_ += "/" + encoded(text);
    return *this;
}

Target& Target::query(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    text_ += has_query_ ? '&' : '?';
    text_.append(name).append("=").append(encoded(value));
    has_query_ = true;
    return *this;
}

Result<json::value> read_json(const Answer& answer) {
    if (answer.json.empty()) return json::value(json::object());
    boost::json::error_code failed;
    auto value = json::parse(answer.json, failed);
    if (failed) return not_understood();
    return value;
}

Target& Target::also_for_workers() {
    is_for_workers_ = true;
    return *this;
}

Result<json::value> get(Client& client, const Target& target) {
    auto door = Client::Door::admin;
    return get(client, target, door);
}

Result<json::value> get(Client& client, const Target& target, Client::Door& door) {
    auto answer = client.send({.door = door, .path = target.text()});
    const bool has_other_door = door == Client::Door::admin && client.lease_socket() != client.admin_socket();
    if (!answer && target.is_for_workers() && has_other_door && is_shut_out(answer.error())) {
        auto at_lease = client.send({.door = Client::Door::lease, .path = target.text()});
        if (at_lease || at_lease.error().code != unreachable_code) {
            door = Client::Door::lease;
            answer = std::move(at_lease);
        }
    }
    if (!answer) return answer.error();
    return read_json(*answer);
}

Result<List> get_all(Client& client, const Target& target, std::size_t most) {
    List all;
    auto door = Client::Door::admin; // a cursor is good at one door alone
    std::string cursor;
    do {
        const std::size_t wanted = most == 0 ? page_most : std::min(most - all.items.size(), page_most);
        auto page = get(client, Target(target).query("limit", std::to_string(wanted)).query("cursor", cursor), door);
        if (!page) return page.error();
        auto* object = page->if_object();
        auto* items = object == nullptr ? nullptr : object->if_contains("items");
        if (items == nullptr || !items->is_array()) return not_understood();
        for (auto& item : items->get_array()) all.items.push_back(std::move(item));
        cursor = text_at(*page, {"next_cursor"});
    } while (!cursor.empty() && (most == 0 || all.items.size() < most));
    all.has_more = !cursor.empty();
    return all;
}

const json::value* find_at(const json::value& value, std::initializer_list<std::string_view> path) {
    const json::value* at = &value;
    for (const std::string_view name : path) {
        const auto* object = at->if_object();
        at = object == nullptr ? nullptr : object->if_contains(name);
        if (at == nullptr) return nullptr;
    }
    return at;
}

std::string text_at(const json::value& value, std::initializer_list<std::string_view> path) {
    const auto* found = find_at(value, path);
    if (found == nullptr || found->is_null()) return {};
    if (const auto* text = found->if_string()) return {text->begin(), text->end()};
    return json::serialize(*found);
}

bool is_true_at(const json::value& value, std::initializer_list<std::string_view> path) {
    const auto* found = find_at(value, path);
    return found != nullptr && found->is_bool() && found->get_bool();
}

std::string time_at(const json::value& value, std::initializer_list<std::string_view> path) {
    std::string text = text_at(value, path);
    const auto fraction = text.find('.');
    if (fraction != std::string::npos && text.ends_with('Z')) text.replace(fraction, std::string::npos, "Z");
    return text;
}

std::string scope_at(const json::value& value) {
    const std::string kind = text_at(value, {"scope", "kind"});
    const std::string whose = text_at(value, {"scope", kind == "personal" ? "user" : "workspace"});
    return whose.empty() ? kind : kind + ":" + whose;
}

void print_json(const json::value& value) { write_all(STDOUT_FILENO, json::serialize(value) + "\n"); }

void print_items(json::array items) { print_json(json::object{{"items", std::move(items)}, {"next_cursor", nullptr}}); }

void say_whether_more(const List& list) {
    if (!list.has_more || isatty(STDERR_FILENO) != 1) return;
    write_all(STDERR_FILENO, std::to_string(list.items.size()) + " shown; --limit 0 for all.\n");
}

} // namespace credlease::cli
