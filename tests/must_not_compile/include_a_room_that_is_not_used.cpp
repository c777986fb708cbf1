// must say: 'vocabulary/ulid.hpp' file not found
// refused in secret, accepted in crypto
#include "vocabulary/ulid.hpp"
