#pragma once

#include "secret/secret_buffer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace credlease::console {

/// What is sent: the text, then what is secret of it. It is the connection's last.
struct Reply {
    std::string text{};
    secret::SecretBuffer secret{};
};

/// A page of plain words. It loads nothing, runs nothing but its own two lines, and tells nobody where it was.
struct Page {
    unsigned status = 200;
    std::string title{};
    std::vector<std::string> paragraphs{}; ///< plain text: escaped here
    bool closes_itself = false;            ///< and takes its address, with what was in it, out of the history
};
[[nodiscard]] Reply reply_with(const Page& page, bool without_body = false);

/// A cookie that goes back to the daemon's own pages alone.
struct NewCookie {
    std::string name;
    const secret::SecretBuffer& value;
    std::string path; ///< "/oauth", behind the proxy with what comes before it there
    bool is_secure = false;
};
/// 302 to an address that holds a state; without a value no cookie is set. `overloaded` when the arena is full.
[[nodiscard]] result::Result<Reply> redirect_to(const secret::SecretBuffer& address, const NewCookie& cookie,
                                                secret::Arena& arena);

} // namespace credlease::console
