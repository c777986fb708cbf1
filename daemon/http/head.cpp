#include "http/head.hpp"

#include "http/target.hpp"
#include "wire/limits.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace credlease::http {
namespace {

namespace beast_http = boost::beast::http;
namespace limits = wire::limits;
using boost::beast::iequals;
using Code = boost::system::error_code;
using Text = boost::beast::string_view;
using result::Error;
using result::ErrorCode;
using result::refuse;
using result::Result;
using result::StaticText;

std::string_view view(Text text) { return {text.data(), text.size()}; }

Method method_of(beast_http::verb verb) {
    switch (verb) {
    case beast_http::verb::get:
        return Method::get;
    case beast_http::verb::post:
        return Method::post;
    case beast_http::verb::put:
        return Method::put;
    case beast_http::verb::patch:
        return Method::patch;
    case beast_http::verb::delete_:
        return Method::del;
    default:
        return Method::other;
    }
}

/// Headers that mean something here. Each may come once.
enum class Known : std::uint8_t {
    none,
    host,
    content_length,
    content_type,
    authorization,
    cookie,
    actor,
    idempotency_key,
    if_match,
    last_event_id,
    expect,
    transfer_encoding,
    upgrade,
};

Known known_of(beast_http::field field, Text name) {
    switch (field) {
    case beast_http::field::host:
        return Known::host;
    case beast_http::field::content_length:
        return Known::content_length;
    case beast_http::field::content_type:
        return Known::content_type;
    case beast_http::field::authorization:
        return Known::authorization;
    case beast_http::field::cookie:
        return Known::cookie;
    case beast_http::field::if_match:
        return Known::if_match;
    case beast_http::field::expect:
        return Known::expect;
    case beast_http::field::transfer_encoding:
        return Known::transfer_encoding;
    case beast_http::field::upgrade:
        return Known::upgrade;
    default:
        break;
    }
    if (iequals(name, "Credlease-Actor")) return Known::actor;
    if (iequals(name, "Idempotency-Key")) return Known::idempotency_key;
    if (iequals(name, "Last-Event-ID")) return Known::last_event_id;
    return Known::none;
}

/// What a page's request is read for.
bool is_for_pages(Known known) {
    return known == Known::host || known == Known::cookie || known == Known::content_length ||
           known == Known::transfer_encoding;
}

/// Beast's parser reads the grammar; this looks at what it finds. Nothing is copied or allocated.
class Parser final : public beast_http::basic_parser<true> {
  public:
    explicit Parser(Sender sender) : sender_(sender) {
        header_limit(limits::header_block);
        skip(true); // it ends with the head: the body is read by Intake
    }

    [[nodiscard]] Result<Head> read(std::string_view block) {
        Code code;
        put(boost::asio::const_buffer(block.data(), block.size()), code);
        if (refused_) return refuse(std::move(*refused_));
        if (code || !is_done()) return refuse(malformed());
        head_.keep_alive = is_http_11_ && keep_alive();
        return check();
    }

  private:
    void on_request_impl(beast_http::verb verb, Text, Text target, int version, Code& code) override {
        head_.method = method_of(verb);
        head_.without_body = verb == beast_http::verb::head;
        is_http_11_ = version == 11;
        auto split = read_target(view(target), sender_ == Sender::browser ? Queries::visible : Queries::encoded);
        if (!split) return stop(code, std::move(split.error()));
        head_.path = split->path;
        head_.query = split->query;
    }
    void on_field_impl(beast_http::field field, Text name, Text value, Code& code) override {
        if (++fields_ > limits::headers) {
            return stop(code, {.code = ErrorCode::header_too_large,
                               .sentence = "The request has too many headers.",
                               .next_step = "Send at most 64."});
        }
        const Known known = known_of(field, name);
        if (known == Known::none || (sender_ == Sender::browser && !is_for_pages(known))) return;
        const unsigned bit = 1U << static_cast<unsigned>(known);
        if ((seen_ & bit) != 0) return stop(code, result::invalid(view(name), "This header may be sent once only."));
        seen_ |= bit;
        take(known, view(value), code);
    }
    void take(Known known, std::string_view value, Code& code);
    void take_length(std::string_view value, Code& code);
    void take_authorization(std::string_view value, Code& code);
    void take_key(std::string_view value, Code& code);
    [[nodiscard]] Result<Head> check() const;
    [[nodiscard]] bool has(Known known) const { return (seen_ & (1U << static_cast<unsigned>(known))) != 0; }

    void stop(Code& code, Error error) {
        refused_ = std::move(error);
        code = beast_http::error::bad_value;
    }
    static Error malformed() {
        return {.code = ErrorCode::invalid_request,
                .sentence = "The request is not well-formed HTTP/1.1.",
                .next_step = "Send it as RFC 9112 says."};
    }

    void on_response_impl(int, Text, int, Code&) override {}
    void on_header_impl(Code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
    std::size_t on_body_impl(Text text, Code&) override { return text.size(); }
    void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, Text text, Code&) override { return text.size(); }
    void on_finish_impl(Code&) override {}

    Sender sender_;
    Head head_;
    std::optional<Error> refused_;
    std::string_view content_type_;
    unsigned fields_ = 0;
    unsigned seen_ = 0; ///< one bit a known header
    bool is_http_11_ = false;
};

void Parser::take(Known known, std::string_view value, Code& code) {
    switch (known) {
    case Known::content_length:
        return take_length(value, code);
    case Known::content_type:
        content_type_ = value;
        return;
    case Known::authorization:
        return take_authorization(value, code);
    case Known::actor:
        head_.actor = value;
        if (value.empty()) stop(code, result::invalid("Credlease-Actor", "This header must name a user."));
        return;
    case Known::idempotency_key:
        return take_key(value, code);
    case Known::if_match:
        head_.if_match = value;
        return;
    case Known::last_event_id:
        head_.last_event_id = value;
        return;
    case Known::expect:
        head_.expects_continue = true;
        if (!iequals(value, "100-continue")) {
            stop(code, result::invalid("Expect", "Of this header only 100-continue is understood."));
        }
        return;
    case Known::transfer_encoding:
        head_.chunked = iequals(value, "chunked");
        if (!head_.chunked) {
            stop(code, result::invalid("Transfer-Encoding", "Of the transfer codings only chunked is understood."));
        }
        return;
    case Known::upgrade:
        return stop(code, result::invalid("Upgrade", "Only HTTP/1.1 is spoken here."));
    case Known::host:
        head_.host = value;
        return;
    case Known::cookie:
        head_.cookie = value;
        return;
    case Known::none:
        return;
    }
}

/// Digits alone: no sign, no list (RFC 9110 §8.6). Beside Transfer-Encoding, in either order, Beast refuses it: it
/// could hide a second request (RFC 9112 §6.3).
void Parser::take_length(std::string_view value, Code& code) {
    const auto read = std::from_chars(value.data(), value.data() + value.size(), head_.content_length);
    if (read.ec == std::errc::result_out_of_range) {
        head_.content_length = SIZE_MAX; // refused where the limit is known
        return;
    }
    if (read.ec != std::errc{} || read.ptr != value.data() + value.size()) {
        stop(code, result::invalid("Content-Length", "This header must be a number of bytes."));
    }
}

/// `Bearer TOKEN` (RFC 6750 §2.1). Anything else is no identity, and never falls back to another.
void Parser::take_authorization(std::string_view value, Code& code) {
    constexpr std::string_view scheme = "bearer ";
    constexpr std::size_t longest = 256;
    const std::string_view token = value.substr(std::min(scheme.size(), value.size()));
    const bool is_bearer = iequals(value.substr(0, scheme.size()), scheme);
    if (is_bearer && !token.empty() && token.size() <= longest && token.find(' ') == std::string_view::npos) {
        head_.grant = token;
        return;
    }
    stop(code, {.code = ErrorCode::unauthenticated,
                .sentence = "The Authorization header does not hold a grant.",
                .next_step = "Send `Authorization: Bearer clg_…`, or none."});
}

void Parser::take_key(std::string_view value, Code& code) {
    head_.idempotency_key = value;
    if (value.empty() || value.size() > limits::idempotency_key) {
        stop(code, result::invalid("Idempotency-Key", "This header must have 1 to 64 characters."));
    }
}

Result<Head> Parser::check() const {
    if (is_http_11_ && !has(Known::host)) {
        return refuse(result::invalid("Host", "This header is required (RFC 9112 §3.2)."));
    }
    if (head_.chunked && !is_http_11_) { // RFC 9112 §6.1
        return refuse(result::invalid("Transfer-Encoding", "HTTP/1.0 has no chunks: send a Content-Length."));
    }
    constexpr std::string_view json = "application/json";
    const std::string_view type = content_type_.substr(0, content_type_.find_first_of("; \t"));
    if ((head_.content_length > 0 || head_.chunked) && has(Known::content_type) && !iequals(type, json)) {
        return refuse({.code = ErrorCode::unsupported_media_type,
                       .sentence = "The body is not said to be JSON.",
                       .next_step = "Send `Content-Type: application/json`."});
    }
    Head head = head_;
    head.expects_continue = head.expects_continue && is_http_11_; // RFC 9110 §10.1.1
    return head;
}

Error bad_line(StaticText sentence) {
    return {.code = ErrorCode::invalid_request, .sentence = sentence, .next_step = "Send it as RFC 9112 says."};
}

} // namespace

std::string_view name_of(Method method) {
    switch (method) {
    case Method::get:
        return "GET";
    case Method::post:
        return "POST";
    case Method::put:
        return "PUT";
    case Method::patch:
        return "PATCH";
    case Method::del:
        return "DELETE";
    case Method::other:
        return "";
    }
    return "";
}

Result<std::optional<std::size_t>> find_head(std::string_view bytes) {
    std::size_t line = 0; // where the line begins that is looked at
    for (;;) {
        const std::size_t end = bytes.find('\n', line);
        if (end == std::string_view::npos) return std::nullopt;
        if (end == line || bytes[end - 1] != '\r')
            return refuse(bad_line("A line of the request does not end in CR LF."));
        const bool is_empty = end == line + 1;
        if (is_empty && line > 0) return end + 1;
        if (is_empty) return refuse(bad_line("The request begins with an empty line."));
        if (line > 0 && (bytes[line] == ' ' || bytes[line] == '\t')) return refuse(bad_line("A header is folded."));
        line = end + 1;
    }
}

Result<Head> read_head(std::string_view block, Sender sender) {
    Parser parser(sender);
    return parser.read(block);
}

} // namespace credlease::http
