// must say: 'crypto/crypto.hpp' file not found
// refused in vocabulary, accepted in crypto
#include "crypto/crypto.hpp"
