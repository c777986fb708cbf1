// must say: to 'Token' uses deleted function
#include "secret/secret.hpp"

struct TokenKind {};
using Token = credlease::secret::Secret<TokenKind>;

Token taken(Token token) {
#ifdef MUST_NOT_COMPILE
    return Token(token);
#else
    return Token(std::move(token));
#endif
}
