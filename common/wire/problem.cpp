#include "wire/problem.hpp"

#include "vocabulary/lease.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"

#include <charconv>

namespace credlease::wire {
namespace {

namespace json = boost::json;
using result::Error;
using result::ErrorCode;
using result::PublicText;

/// "credential_revoked" → "Credential revoked": the same for every problem of one type (RFC 9457 §3.1.3).
std::string title_of(ErrorCode code) {
    std::string title(name_of(code));
    for (char& c : title) {
        if (c == '_') c = ' ';
    }
    title.front() = static_cast<char>(title.front() - 'a' + 'A');
    return title;
}

/// What a program says of its own surroundings is `internal` to whoever asks over the wire.
ErrorCode sent_code(ErrorCode code) {
    const bool is_of_the_wire = code < ErrorCode::configuration;
    return is_of_the_wire ? code : ErrorCode::internal;
}

void write_additions(JsonWriter& writer, const Error& error) {
    if (!error.field.empty()) writer.member("field", error.field.text());
    if (!error.reason.view().empty()) writer.member("reason", error.reason.view());
    if (!error.candidates.empty()) {
        writer.key(error.code == ErrorCode::credential_in_use ? "references" : "candidates").array();
        for (const PublicText& candidate : error.candidates) writer.value(candidate.text());
        writer.close();
    }
    if (error.current_revision) writer.member("current_etag", "\"" + std::to_string(*error.current_revision) + "\"");
    if (error.retry_after_seconds) writer.member("retry_after", *error.retry_after_seconds);
}

std::string_view text_in(const json::object& object, json::string_view name) {
    const auto* value = object.if_contains(name);
    const auto* text = value != nullptr ? value->if_string() : nullptr;
    return text != nullptr ? std::string_view(text->data(), text->size()) : std::string_view{};
}

void read_candidates(Error& error, const json::object& object) {
    for (const auto* name : {"candidates", "references"}) {
        const auto* value = object.if_contains(name);
        const auto* list = value != nullptr ? value->if_array() : nullptr;
        if (list == nullptr) continue;
        for (const auto& element : *list) {
            const auto* text = element.if_string();
            if (text != nullptr) error.candidates.push_back(PublicText::of({text->data(), text->size()}));
        }
    }
}

void read_additions(Error& error, const json::object& object) {
    error.field = PublicText::of(text_in(object, "field"));
    if (const auto reason = vocabulary::find_end_reason(text_in(object, "reason"))) error.reason = text_of(*reason);
    read_candidates(error, object);

    std::string_view etag = text_in(object, "current_etag");
    if (etag.size() > 2 && etag.front() == '"' && etag.back() == '"') {
        etag = etag.substr(1, etag.size() - 2);
        std::uint64_t revision = 0;
        const auto read = std::from_chars(etag.data(), etag.data() + etag.size(), revision);
        if (read.ec == std::errc{} && read.ptr == etag.data() + etag.size()) error.current_revision = revision;
    }
    if (const auto* seconds = object.if_contains("retry_after")) {
        json::error_code wrong;
        const auto number = seconds->to_number<std::uint32_t>(wrong);
        if (!wrong) error.retry_after_seconds = number;
    }
}

Error not_a_problem(unsigned status) {
    return {.code = ErrorCode::internal,
            .sentence = "The broker answered with something that is not a problem description.",
            .next_step = "Check that the socket is Credlease's.",
            .about = PublicText::of("HTTP status " + std::to_string(status))};
}

} // namespace

unsigned status_of(ErrorCode code) {
    switch (code) {
    case ErrorCode::invalid_request:
    case ErrorCode::secret_required:
        return 400;
    case ErrorCode::unauthenticated:
        return 401;
    case ErrorCode::forbidden:
    case ErrorCode::unseal_refused:
        return 403;
    case ErrorCode::credential_not_found:
    case ErrorCode::lease_not_found:
    case ErrorCode::service_not_found:
    case ErrorCode::grant_not_found:
    case ErrorCode::workspace_not_found:
    case ErrorCode::not_found:
        return 404;
    case ErrorCode::method_not_allowed:
        return 405;
    case ErrorCode::request_timeout:
        return 408;
    case ErrorCode::credential_revoked:
    case ErrorCode::credential_expired:
    case ErrorCode::credential_pending:
    case ErrorCode::name_taken:
    case ErrorCode::name_ambiguous:
    case ErrorCode::credential_in_use:
    case ErrorCode::authorization_in_progress:
    case ErrorCode::idempotency_mismatch:
        return 409;
    case ErrorCode::lease_ended:
        return 410;
    case ErrorCode::version_conflict:
        return 412;
    case ErrorCode::payload_too_large:
        return 413;
    case ErrorCode::unsupported_media_type:
        return 415;
    case ErrorCode::precondition_required:
        return 428;
    case ErrorCode::rate_limited:
        return 429;
    case ErrorCode::header_too_large:
        return 431;
    case ErrorCode::upstream_failed:
        return 502;
    case ErrorCode::refresh_timeout:
        return 504;
    case ErrorCode::sealed:
    case ErrorCode::store_unavailable:
    case ErrorCode::overloaded:
        return 503;
    case ErrorCode::internal:
    case ErrorCode::configuration:
    case ErrorCode::unreachable:
    case ErrorCode::damaged:
        return 500;
    }
    return 500;
}

std::string_view reason_phrase(unsigned status) {
    struct Phrase {
        unsigned status;
        std::string_view text;
    };
    static constexpr Phrase phrases[] = {{200, "OK"},
                                         {201, "Created"},
                                         {202, "Accepted"},
                                         {204, "No Content"},
                                         {302, "Found"},
                                         {400, "Bad Request"},
                                         {401, "Unauthorized"},
                                         {403, "Forbidden"},
                                         {404, "Not Found"},
                                         {405, "Method Not Allowed"},
                                         {408, "Request Timeout"},
                                         {409, "Conflict"},
                                         {410, "Gone"},
                                         {412, "Precondition Failed"},
                                         {413, "Content Too Large"},
                                         {415, "Unsupported Media Type"},
                                         {421, "Misdirected Request"},
                                         {422, "Unprocessable Content"},
                                         {428, "Precondition Required"},
                                         {429, "Too Many Requests"},
                                         {431, "Request Header Fields Too Large"},
                                         {500, "Internal Server Error"},
                                         {502, "Bad Gateway"},
                                         {503, "Service Unavailable"},
                                         {504, "Gateway Timeout"}};
    for (const Phrase& phrase : phrases) {
        if (phrase.status == status) return phrase.text;
    }
    return "Unknown";
}

std::string problem_json(const Error& error, std::string_view request_id) {
    const ErrorCode code = sent_code(error.code);
    std::string text;
    JsonWriter writer(text);
    writer.object()
        .member("type", "urn:credlease:error:" + std::string(name_of(code)))
        .member("title", title_of(code))
        .member("status", status_of(code))
        .member("detail", error.detail())
        .member("code", name_of(code))
        .member("request_id", request_id);
    write_additions(writer, error);
    writer.close();
    return text;
}

Error read_problem(unsigned status, std::string_view body) {
    const auto value = read_json(body, json::storage_ptr());
    const auto* object = value ? value->if_object() : nullptr;
    if (object == nullptr) return not_a_problem(status);
    const auto code = result::find_error_code(text_in(*object, "code"));
    const std::string_view detail = text_in(*object, "detail");
    if (!code && detail.empty()) return not_a_problem(status);

    Error error{.code = code.value_or(ErrorCode::internal), .sentence = "The broker refused."};
    error.about = PublicText::of(detail);
    read_additions(error, *object);
    return error;
}

} // namespace credlease::wire
