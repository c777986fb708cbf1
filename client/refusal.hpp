#pragma once

#include "credlease/client.hpp"
#include "result/error.hpp"

#include <exception>
#include <new>
#include <string>
#include <string_view>

namespace credlease::client {

struct Reply;

/// No answer came.
[[nodiscard]] Error unreachable(std::string sentence, std::string next_step);
/// The caller's surroundings are wrong: a variable, a file, a limit.
[[nodiscard]] Error misconfigured(std::string sentence, std::string next_step);
/// A request that is wrong before it is sent; `field` names the member.
[[nodiscard]] Error not_sent(std::string_view field, std::string sentence);
[[nodiscard]] Error unexpected(std::string sentence);
[[nodiscard]] Error from(const result::Error& error);

/// The error in an answer of status 400 or above (RFC 9457); an answer that is no problem document gets a sentence and
/// a next step of its own.
[[nodiscard]] Error read_refusal(const Reply& reply);

/// "ENOENT" as a person reads it.
[[nodiscard]] std::string text_of_errno(int error);

/// Nothing leaves the library as an exception.
template <class Use> auto at_the_boundary(Use&& use) -> decltype(use()) {
    try {
        return use();
    } catch (const std::bad_alloc&) {
        return unexpected("Memory ran out.");
    } catch (const std::exception& thrown) {
        return unexpected(std::string("The client library failed: ") + thrown.what() + ".");
    }
}

} // namespace credlease::client
