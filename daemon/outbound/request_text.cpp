#include "outbound/request_text.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace credlease::outbound {
namespace {

using Bytes = std::span<const std::byte>;

bool is_token(std::string_view text) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || marks.contains(c);
    });
}

/// No control character, line ends above all: they would begin another header.
bool is_value(Bytes value) {
    return std::ranges::all_of(value, [](std::byte byte) { return byte >= std::byte{' '} && byte != std::byte{0x7f}; });
}

/// The ones that are written here.
bool is_own(std::string_view name) {
    static constexpr std::array own = {std::string_view("host"),       std::string_view("user-agent"),
                                       std::string_view("connection"), std::string_view("accept-encoding"),
                                       std::string_view("te"),         std::string_view("content-length"),
                                       std::string_view("expect"),     std::string_view("transfer-encoding"),
                                       std::string_view("upgrade"),    std::string_view("content-type")};
    return std::ranges::any_of(own, [&](std::string_view each) {
        return std::ranges::equal(each, name, {}, {}, [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    });
}

/// Counts bytes first, then writes the same into a buffer of that size.
class Sink {
  public:
    explicit Sink(std::span<std::byte> out = {}) : out_(out) {}

    void put(Bytes bytes) {
        if (!out_.empty()) std::ranges::copy(bytes, out_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += bytes.size();
    }
    void put(std::string_view text) { put(secret::as_bytes(text)); }
    void line(std::string_view name, std::string_view value) {
        for (const auto part : {name, std::string_view(": "), value, std::string_view("\r\n")}) put(part);
    }
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    std::span<std::byte> out_;
    std::size_t size_ = 0;
};

std::string_view name_of(Method method) {
    switch (method) {
    case Method::get:
        return "GET ";
    case Method::post:
        return "POST ";
    case Method::del:
        break;
    }
    return "DELETE ";
}

void write(Sink& sink, const Request& request, const Url& url) {
    const bool is_post = request.method == Method::post;
    sink.put(name_of(request.method));
    sink.put(url.target);
    sink.put(" HTTP/1.1\r\n");
    sink.line("Host", url.authority);
    sink.line("User-Agent", "credlease/" CREDLEASE_VERSION);
    sink.line("Accept-Encoding", "identity");
    if (!request.may_be_repeated) sink.line("Connection", "close");
    if (!request.content_type.empty()) sink.line("Content-Type", request.content_type);
    if (is_post || !request.body.empty()) sink.line("Content-Length", std::to_string(request.body.size()));
    for (const Header& header : request.headers) {
        sink.put(header.name);
        sink.put(": ");
        header.value.expose([&](Bytes value) { sink.put(value); });
        sink.put("\r\n");
    }
    sink.put("\r\n");
    request.body.expose([&](Bytes body) { sink.put(body); });
}

} // namespace

result::Result<secret::SecretBuffer> write_request(secret::Arena& arena, const Request& request, const Url& url) {
    const auto is_right = [](const Header& header) {
        return is_token(header.name) && !is_own(header.name) && header.value.expose(is_value);
    };
    if (!std::ranges::all_of(request.headers, is_right) || !is_value(secret::as_bytes(request.content_type))) {
        return result::refuse({.code = result::ErrorCode::invalid_request,
                               .sentence = "A request to the provider cannot carry one of its headers.",
                               .next_step = "Check the credential's fields and the service's entry for line ends."});
    }
    Sink counted;
    write(counted, request, url);
    auto text = secret::SecretBuffer::make(arena, counted.size(), secret::Share::tokens);
    if (!text) return text;
    text->expose_to_write([&](std::span<std::byte> out) {
        Sink sink(out);
        write(sink, request, url);
    });
    secret::wipe_traces();
    return text;
}

} // namespace credlease::outbound
