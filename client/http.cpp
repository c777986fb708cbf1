#include "client/http.hpp"

#include "client/refusal.hpp"
#include "wire/limits.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace credlease::client {
namespace {

namespace http = boost::beast::http;
using BeastError = boost::beast::error_code;
using BeastText = boost::beast::string_view;

constexpr std::size_t public_answer_most = std::size_t{64} << 20;
constexpr std::size_t secret_answer_most = std::size_t{1} << 20;

/// Visible ASCII: a value that stays on its line.
bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

std::string public_head(const Message& message) {
    std::string head;
    const auto line = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) head.append(name).append(": ").append(value).append("\r\n");
    };
    head.append(message.method).append(" ").append(message.path).append(" HTTP/1.1\r\n");
    line("Host", "credlease");
    line("User-Agent", "libcredlease");
    line("Accept", message.accept);
    line("Last-Event-ID", message.last_event_id);
    line("Credlease-Actor", message.actor);
    line("If-Match", message.if_match);
    line("Idempotency-Key", message.idempotency_key);
    if (message.body_size() > 0) line("Content-Type", "application/json");
    if (message.method != "GET") line("Content-Length", std::to_string(message.body_size()));
    return head;
}

std::string_view text_of(BeastText text) { return {text.data(), text.size()}; }

} // namespace

Result<secret::SecretBuffer> write_head(const Message& message) {
    const std::array<std::pair<const char*, std::string_view>, 6> values = {
        {{"method", message.method},
         {"path", message.path},
         {"actor", message.actor},
         {"if_match", message.if_match},
         {"idempotency_key", message.idempotency_key},
         {"last_event_id", message.last_event_id}}};
    for (const auto& [name, value] : values) {
        if (!is_plain(value)) return not_sent(name, "A request's " + std::string(name) + " holds visible ASCII alone.");
    }
    GrowingSecret head(wire::limits::header_block);
    if (auto added = head.append(public_head(message)); !added) return added.error();
    if (message.grant != nullptr) {
        if (auto added = head.append("Authorization: Bearer "); !added) return added.error();
        const auto added = message.grant->expose(
            [&](std::span<const std::byte> grant) { return head.append(secret::as_text(grant)); });
        if (!added) return added.error();
        if (auto ended = head.append("\r\n"); !ended) return ended.error();
    }
    if (auto ended = head.append("\r\n"); !ended) return ended.error();
    return std::move(head).take();
}

/// Beast's parser, told where to put things: header fields that the library knows, and the body.
class ReplyReader::Parser final : public http::basic_parser<false> {
  public:
    explicit Parser(Body body) : secret_answer_(body == Body::secret), secret_(secret_answer_most) {
        eager(true);
        header_limit(wire::limits::header_block);
        body_limit(secret_answer_ ? secret_answer_most : public_answer_most);
        if (body == Body::stream) body_limit(boost::none);
    }

    Reply take_reply() {
        reply_.keeps_alive = keep_alive();
        if (secret_answer_) reply_.secret = std::move(secret_).take();
        return std::move(reply_);
    }
    [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
    [[nodiscard]] unsigned status() const { return is_header_done() ? reply_.status : 0; }
    std::string take_text() { return std::exchange(reply_.text, {}); }

  private:
    void on_request_impl(http::verb, BeastText, BeastText, int, BeastError&) override {}
    void on_response_impl(int status, BeastText, int, BeastError&) override {
        reply_.status = static_cast<unsigned>(status);
    }
    void on_field_impl(http::field name, BeastText name_text, BeastText value, BeastError&) override {
        if (name == http::field::etag) reply_.etag = text_of(value);
        if (name == http::field::retry_after) read_retry_after(text_of(value));
        if (boost::beast::iequals(name_text, "Credlease-Request-Id")) reply_.request_id = text_of(value);
    }
    void on_header_impl(BeastError&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, BeastError& error) override {
        if (secret_answer_ && length) note(secret_.reserve(static_cast<std::size_t>(*length)), error);
    }
    std::size_t on_body_impl(BeastText body, BeastError& error) override { return keep(body, error); }
    void on_chunk_header_impl(std::uint64_t, BeastText, BeastError&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, BeastText body, BeastError& error) override {
        return keep(body, error);
    }
    void on_finish_impl(BeastError&) override {}

    std::size_t keep(BeastText body, BeastError& error) {
        if (secret_answer_) {
            note(secret_.append(text_of(body)), error);
        } else {
            reply_.text.append(text_of(body));
        }
        return body.size();
    }
    void note(const Result<void>& outcome, BeastError& error) {
        if (outcome) return;
        failure_ = outcome.error();
        error = http::error::body_limit;
    }
    void read_retry_after(std::string_view text) {
        unsigned seconds = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (failed == std::errc{}) reply_.retry_after = std::chrono::seconds(seconds);
    }

    bool secret_answer_;
    GrowingSecret secret_;
    Reply reply_;
    std::optional<Error> failure_;
};

ReplyReader::ReplyReader(Body body) : parser_(std::make_unique<Parser>(body)) {}
ReplyReader::~ReplyReader() = default;

Result<std::size_t> ReplyReader::take(std::string_view bytes) {
    BeastError error;
    const std::size_t taken = parser_->put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (parser_->failure()) return *parser_->failure();
    if (error && error != http::error::need_more) {
        return unexpected("The broker's answer is not one: " + error.message() + ".");
    }
    return taken;
}

bool ReplyReader::is_done() const { return parser_->is_done(); }

unsigned ReplyReader::status() const { return parser_->status(); }

std::string ReplyReader::take_text() { return parser_->take_text(); }

Reply ReplyReader::reply() && { return parser_->take_reply(); }

} // namespace credlease::client
