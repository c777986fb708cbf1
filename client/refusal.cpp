#include "client/refusal.hpp"

#include "client/http.hpp"
#include "client/memory.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <array>
#include <cstring>

namespace credlease::client {
namespace {

namespace json = boost::json;

/// What a status means when the answer itself does not say, and what to do about it.
struct Meaning {
    unsigned status;
    const char* code;
    const char* sentence;
    const char* next_step;
};
constexpr std::array meanings = {
    Meaning{401, "unauthenticated", "The broker does not know you.",
            "Set CREDLEASE_GRANT_FILE to a grant's file, or ask the operator for a [[worker]] rule."},
    Meaning{403, "forbidden", "You may not do this.", "Ask someone with the role that it needs."},
    Meaning{404, "not_found", "There is no such thing, or it is not yours to see.",
            "Look at what there is with: credlease list."},
    Meaning{409, "conflict", "This is not possible as things stand.", "Look at it with: credlease show."},
    Meaning{410, "lease_ended", "The lease has ended.", "Take a new one."},
    Meaning{412, "version_conflict", "It was changed by someone else in the meantime.", "Look at it, then try again."},
    Meaning{429, "rate_limited", "Too many requests.", "Try again in a moment."},
    Meaning{503, "overloaded", "The broker cannot serve this now.", "Try again in a moment."},
};

Meaning meaning_of(unsigned status) {
    for (const Meaning& meaning : meanings) {
        if (meaning.status == status) return meaning;
    }
    return {status, "internal", "The broker answered with an error.", "Look into the broker's log."};
}

std::string text_at(const json::object& problem, std::string_view member) {
    const auto* found = problem.if_contains(member);
    const auto* text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr ? std::string() : std::string(text->begin(), text->end());
}

void read_texts(const json::object& problem, std::string_view member, std::vector<std::string>& out) {
    const auto* found = problem.if_contains(member);
    const auto* list = found == nullptr ? nullptr : found->if_array();
    if (list == nullptr) return;
    for (const auto& each : *list) {
        if (const auto* text = each.if_string()) out.emplace_back(text->begin(), text->end());
    }
}

void read_problem(const json::object& problem, Error& error) {
    if (auto code = text_at(problem, "code"); !code.empty()) error.code = std::move(code);
    if (auto detail = text_at(problem, "detail"); !detail.empty()) {
        error.sentence = std::move(detail);
        error.next_step.clear(); // `detail` says it
    }
    error.field = text_at(problem, "field");
    error.reason = text_at(problem, "reason");
    error.current_etag = text_at(problem, "current_etag");
    read_texts(problem, "candidates", error.candidates);
    read_texts(problem, "references", error.candidates);
}

} // namespace

Error unreachable(std::string sentence, std::string next_step) {
    return {.code = "unreachable", .sentence = std::move(sentence), .next_step = std::move(next_step)};
}

Error misconfigured(std::string sentence, std::string next_step) {
    return {.code = "configuration", .sentence = std::move(sentence), .next_step = std::move(next_step)};
}

Error not_sent(std::string_view field, std::string sentence) {
    return {.code = "invalid_request", .sentence = std::move(sentence), .field = std::string(field)};
}

Error unexpected(std::string sentence) { return {.code = "internal", .sentence = std::move(sentence)}; }

Error from(const result::Error& error) {
    return {.code = std::string(name_of(error.code)),
            .sentence = std::string(error.sentence.view()),
            .next_step = std::string(error.next_step.view()),
            .field = error.field.text()};
}

Error read_refusal(const Reply& reply) {
    const Meaning meaning = meaning_of(reply.status);
    Error error{.code = meaning.code, .sentence = meaning.sentence, .next_step = meaning.next_step};
    reply.expose([&](std::string_view body) {
        // A body that is no problem document leaves the meaning as it is.
        [[maybe_unused]] const auto read = with_json(body, [&](const json::value& value) -> Result<void> {
            if (const auto* problem = value.if_object()) read_problem(*problem, error);
            return {};
        });
    });
    error.status = reply.status;
    error.request_id = reply.request_id;
    error.retry_after = reply.retry_after;
    return error;
}

std::string text_of_errno(int error) {
    std::array<char, 256> room{};
    return strerror_r(error, room.data(), room.size());
}

} // namespace credlease::client
