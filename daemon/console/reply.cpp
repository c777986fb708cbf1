#include "console/reply.hpp"

#include "wire/problem.hpp"

#include <algorithm>

namespace credlease::console {
namespace {

constexpr std::string_view style = "body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;"
                                   "padding:0 1.5em;color:#222;background:#fff}h1{font-size:1.5em}"
                                   "@media(prefers-color-scheme:dark){body{color:#ddd;background:#222}}";
constexpr std::string_view script =
    R"(history.replaceState(null,"",location.pathname);setTimeout(()=>window.close(),3000))";

/// Style and script by their SHA-256; tests/console/reply_test.cpp computes them anew.
constexpr std::string_view policy =
    "default-src 'none'; style-src 'sha256-rYcJAYbOckq8FMbJznqXkZX3TeAlJrbPViToA1QnyMo='; "
    "script-src 'sha256-ctnEzlEk/HmbiYkdyCCvBurszMXct20WXHDYUIWpRQY='; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string escaped(std::string_view text) {
    std::string made;
    for (const char c : text) {
        switch (c) {
        case '&':
            made += "&amp;";
            break;
        case '<':
            made += "&lt;";
            break;
        case '>':
            made += "&gt;";
            break;
        case '"':
            made += "&quot;";
            break;
        case '\'':
            made += "&#39;";
            break;
        default:
            made += c;
        }
    }
    return made;
}

std::string html_of(const Page& page) {
    std::string html = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                       "<meta name=\"viewport\" content=\"width=device-width\">";
    html.append("<title>").append(escaped(page.title)).append(" – Credlease</title>");
    html.append("<style>").append(style).append("</style></head>\n<body><h1>");
    html.append(escaped(page.title)).append("</h1>\n");
    for (const auto& paragraph : page.paragraphs) html.append("<p>").append(escaped(paragraph)).append("</p>\n");
    if (page.closes_itself) html.append("<script>").append(script).append("</script>");
    return html.append("</body></html>\n");
}

std::string head_of(unsigned status, std::size_t body_size) {
    std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
    head.append(wire::reason_phrase(status));
    if (status == 405) head.append("\r\nAllow: GET, HEAD");
    head.append("\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: ").append(std::to_string(body_size));
    head.append("\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff");
    head.append("\r\nContent-Security-Policy: ").append(policy);
    return head.append("\r\nConnection: close\r\n");
}

/// Writes into a buffer that has room for all of it.
class Lines {
  public:
    explicit Lines(std::span<std::byte> room) : room_(room) {}
    Lines& text(std::string_view text) {
        std::ranges::copy(secret::as_bytes(text), room_.subspan(size_).begin());
        size_ += text.size();
        return *this;
    }
    Lines& text(const secret::SecretBuffer& secret) {
        secret.expose([this](std::span<const std::byte> bytes) { text(secret::as_text(bytes)); });
        return *this;
    }
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    std::span<std::byte> room_;
    std::size_t size_ = 0;
};

} // namespace

Reply reply_with(const Page& page, bool without_body) {
    const auto html = html_of(page);
    auto text = head_of(page.status, html.size()) + "\r\n";
    if (!without_body) text += html;
    return {.text = std::move(text)};
}

result::Result<Reply> redirect_to(const secret::SecretBuffer& address, const NewCookie& cookie, secret::Arena& arena) {
    constexpr std::size_t own_words = 256;
    const std::size_t room = own_words + address.size() + cookie.name.size() + cookie.value.size() + cookie.path.size();
    auto secret = secret::SecretBuffer::make(arena, room, secret::Share::tokens);
    if (!secret) return result::refuse(std::move(secret.error()));
    const auto size = secret->expose_to_write([&](std::span<std::byte> bytes) {
        Lines lines(bytes);
        lines.text("Location: ").text(address);
        if (!cookie.value.empty()) {
            lines.text("\r\nSet-Cookie: ").text(cookie.name).text("=").text(cookie.value);
            lines.text("; Path=").text(cookie.path).text("; Max-Age=600; HttpOnly; SameSite=Lax");
            if (cookie.is_secure) lines.text("; Secure");
        }
        return lines.text("\r\n\r\n").size();
    });
    secret->shrink(size);
    return Reply{.text = head_of(302, 0), .secret = std::move(*secret)};
}

} // namespace credlease::console
