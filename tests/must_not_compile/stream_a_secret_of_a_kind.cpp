// must say: invalid operands to binary expression
#include "secret/secret.hpp"

#include <ostream>

struct TokenKind {};

void show(std::ostream& out, const credlease::secret::Secret<TokenKind>& token) {
#ifdef MUST_NOT_COMPILE
    out << token;
#else
    out << token.empty();
#endif
}
