// must say: fmt::detail::fallback_formatter<credlease::secret::Secret<TokenKind>>
#include "secret/secret.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

struct TokenKind {};

std::string shown(const credlease::secret::Secret<TokenKind>& token) {
#ifdef MUST_NOT_COMPILE
    return fmt::format("{}", token);
#else
    return fmt::format("{}", token.empty());
#endif
}
