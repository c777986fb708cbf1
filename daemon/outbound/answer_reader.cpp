#include "outbound/answer_reader.hpp"

#include "outbound/http_date.hpp"
#include "wire/limits.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace credlease::outbound {
namespace {

namespace http = boost::beast::http;
namespace limits = wire::limits;
using boost::beast::iequals;
using Text = boost::beast::string_view;
using Code = boost::beast::error_code;

constexpr std::size_t first_size = 8 * 1024; ///< holds what a token endpoint usually answers
constexpr std::chrono::hours wait_most{24 * 365};

std::string_view view(Text text) { return {text.data(), text.size()}; }

std::chrono::sys_seconds now() { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); }

/// "application/json; charset=utf-8" → "application/json". Empty where it is none of these: else what a provider puts
/// there, a token too, would lie outside the arena.
std::string_view media_type(Text text) {
    static constexpr std::array<std::string_view, 4> known = {"application/json", "application/x-www-form-urlencoded",
                                                              "text/plain", "text/html"};
    text = text.substr(0, text.find_first_of("; \t"));
    const auto* found = std::ranges::find_if(known, [&](std::string_view type) { return iequals(text, type); });
    return found == known.end() ? std::string_view() : *found;
}

/// Retry-After (RFC 9110 §10.2.3): a number of seconds, or a date.
struct RetryAfter {
    std::chrono::seconds wait{0};
    std::optional<std::chrono::sys_seconds> until{};
};

RetryAfter read_retry_after(std::string_view text) {
    std::uint64_t seconds = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) {
        constexpr std::uint64_t most = std::chrono::seconds(wait_most).count();
        return {.wait = std::chrono::seconds(std::min(seconds, most))};
    }
    return {.until = read_http_date(text)};
}

BadAnswer reason_of(Code failed) {
    if (failed == http::error::header_limit) return BadAnswer::header_too_large;
    return failed == http::error::body_limit ? BadAnswer::too_large : BadAnswer::not_http;
}

/// For reading one answer: what has come, and may be the only copy of a token, is never stuck behind what is to come.
std::size_t room_of(const secret::Arena& arena) {
    const std::size_t all = arena.share_size(secret::Share::tokens);
    return all - std::min(limits::oauth_memory, all / 4);
}
bool leaves_room(const secret::Arena& arena, std::size_t more) {
    return arena.used(secret::Share::tokens) + more <= room_of(arena);
}

result::Error no_room() {
    return {.code = result::ErrorCode::overloaded,
            .sentence = "The memory for token requests is full.",
            .next_step = "Ask again in a moment.",
            .retry_after_seconds = 1};
}

} // namespace

/// Beast's parser, of which nothing but the few headers that matter is kept.
class AnswerReader::Parser final : public http::basic_parser<false> {
  public:
    Parser() {
        eager(true);
        header_limit(limits::header_block);
        body_limit(limits::provider_answer);
    }

    [[nodiscard]] std::size_t body_size() const { return body_size_; }
    [[nodiscard]] bool is_encoded() const { return is_encoded_; }
    [[nodiscard]] bool leaves_open() const { return version_ == 11 && keep_alive(); }
    [[nodiscard]] unsigned status() const { return status_; }
    /// True for "100 Continue" and its like, after which the answer still comes. 101 is not one: nobody asked for it.
    [[nodiscard]] bool is_interim() const { return status_ / 100 == 1 && status_ != 101; }

    /// `put` reads `unparsed`, which lies in `all`, and gathers the body at the front of that.
    [[nodiscard]] std::size_t put_in(std::span<std::byte> all, std::span<const std::byte> unparsed, Code& failed) {
        all_ = all;
        return put(boost::asio::const_buffer(unparsed.data(), unparsed.size()), failed);
    }
    [[nodiscard]] Answer make_answer() const {
        Answer answer;
        answer.status = status_;
        answer.content_type = content_type_;
        answer.date_ahead = date_ ? *date_ - now() : std::chrono::seconds(0);
        // A date is the server's: what its own clock shows counts, where it says so.
        const auto wait = retry_.until ? *retry_.until - date_.value_or(now()) : retry_.wait;
        answer.retry_after = std::clamp<std::chrono::seconds>(wait, std::chrono::seconds(0), wait_most);
        return answer;
    }

  private:
    void on_request_impl(http::verb, Text, Text, int, Code&) override {}
    void on_response_impl(int status, Text, int version, Code& failed) override {
        status_ = static_cast<unsigned>(status);
        version_ = version;
        if (status_ < 100) failed = http::error::bad_status;
    }
    void on_field_impl(http::field name, Text name_text, Text value, Code& failed) override {
        if (is_header_complete_) return; // a trailer
        head_size_ += name_text.size() + value.size() + std::string_view(": \r\n").size();
        if (head_size_ > limits::header_block) failed = http::error::header_limit;
        if (name == http::field::content_encoding) is_encoded_ |= !value.empty() && !iequals(value, "identity");
        if (name == http::field::transfer_encoding) is_encoded_ |= !iequals(value, "chunked");
        if (name == http::field::content_type) content_type_ = media_type(value);
        if (name == http::field::retry_after) retry_ = read_retry_after(view(value));
        if (name == http::field::date) date_ = read_http_date(view(value));
    }
    void on_header_impl(Code&) override { is_header_complete_ = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
    std::size_t on_body_impl(Text body, Code&) override {
        // The body moves to the front, over what was parsed before it.
        std::memmove(all_.data() + body_size_, body.data(), body.size());
        body_size_ += body.size();
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, Text, Code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, Text body, Code& failed) override {
        return on_body_impl(body, failed);
    }
    void on_finish_impl(Code&) override {}

    std::span<std::byte> all_{}; ///< while it is exposed
    std::size_t body_size_ = 0;
    std::size_t head_size_ = 0;
    unsigned status_ = 0;
    int version_ = 0;
    bool is_encoded_ = false;
    bool is_header_complete_ = false;
    std::string content_type_{};
    RetryAfter retry_{};
    std::optional<std::chrono::sys_seconds> date_{};
};

AnswerReader::AnswerReader(secret::Arena& arena, secret::SecretBuffer buffer)
    : arena_(&arena), buffer_(std::move(buffer)), parser_(std::make_unique<Parser>()) {}
AnswerReader::AnswerReader(AnswerReader&&) noexcept = default;
AnswerReader::~AnswerReader() = default;

result::Result<AnswerReader> AnswerReader::make(secret::Arena& arena) {
    auto buffer = secret::SecretBuffer::make(arena, first_size, secret::Share::tokens);
    if (!buffer) return result::refuse(std::move(buffer.error()));
    if (!leaves_room(arena, 0)) return result::refuse(no_room());
    return AnswerReader(arena, std::move(*buffer));
}

bool AnswerReader::has_room_in(const secret::Arena& arena) { return leaves_room(arena, 2 * first_size); }

std::size_t AnswerReader::room_in(const secret::Arena& arena) { return room_of(arena); }

bool AnswerReader::has_room() const { return filled_ < buffer_.size(); }

std::expected<bool, BadAnswer> AnswerReader::grow() {
    const std::size_t size = 2 * buffer_.size();
    if (size > limits::provider_answer) return std::unexpected(BadAnswer::too_large);
    if (size + buffer_.size() > arena_->share_size(secret::Share::tokens))
        return std::unexpected(BadAnswer::too_large_for_arena);
    // Large answers do not keep usual ones of others from being asked for.
    const std::size_t others = arena_->used(secret::Share::tokens) - buffer_.size();
    const std::size_t for_others = std::min(others, room_of(*arena_) / 8);
    if (size <= limits::usual_answer && !leaves_room(*arena_, size + for_others)) return false;
    auto larger = secret::SecretBuffer::make(*arena_, size, secret::Share::tokens);
    if (!larger) return false;
    larger->expose_to_write([&](std::span<std::byte> to) {
        buffer_.expose([&](std::span<const std::byte> from) { std::ranges::copy(from, to.begin()); });
    });
    buffer_ = std::move(*larger);
    return true;
}

AnswerReader::Read AnswerReader::go_on() {
    if (received_ > limits::provider_answer) return std::unexpected(BadAnswer::too_large);
    return buffer_.expose_to_write([&](std::span<std::byte> all) { return parse(all); });
}

AnswerReader::Read AnswerReader::parse(std::span<std::byte> all) {
    while (!parser_->is_done() && parser_->body_size() < filled_) {
        const auto unparsed = all.subspan(parser_->body_size(), filled_ - parser_->body_size());
        Code failed;
        const auto rest = unparsed.subspan(parser_->put_in(all, unparsed, failed));
        std::memmove(all.data() + parser_->body_size(), rest.data(), rest.size());
        filled_ = parser_->body_size() + rest.size();
        if (parser_->is_encoded()) return std::unexpected(BadAnswer::encoded);
        if (failed == http::error::need_more) break;
        if (failed) return std::unexpected(reason_of(failed));
        if (parser_->is_done() && parser_->is_interim()) parser_ = std::make_unique<Parser>();
    }
    if (!parser_->is_done()) return Progress::more;
    if (parser_->status() < 200) return std::unexpected(BadAnswer::not_http);
    return Progress::whole;
}

bool AnswerReader::ends_here() {
    if (!parser_->got_some()) return false;
    Code failed;
    if (!parser_->is_done()) parser_->put_eof(failed);
    return !failed && parser_->status() >= 200;
}

bool AnswerReader::leaves_open() const { return parser_->leaves_open() && filled_ == parser_->body_size(); }

Answer AnswerReader::take() {
    Answer answer = parser_->make_answer();
    buffer_.shrink(parser_->body_size());
    if (!buffer_.empty()) answer.body = std::move(buffer_);
    buffer_ = {};
    return answer;
}

} // namespace credlease::outbound
