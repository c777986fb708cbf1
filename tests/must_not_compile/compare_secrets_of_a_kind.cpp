// must say: invalid operands to binary expression
#include "secret/secret.hpp"

struct TokenKind {};
using Token = credlease::secret::Secret<TokenKind>;

bool same(const Token& left, const Token& right) {
#ifdef MUST_NOT_COMPILE
    return left == right;
#else
    return left.empty() == right.empty();
#endif
}
