#pragma once

#include "result/result.hpp"
#include "secret/secret_buffer.hpp"

#include <string>
#include <string_view>

namespace credlease::crypto {

/// 256 random bits as 43 base64url characters (RFC 4648 §5) behind `prefix`, in the arena's `tokens` share.
[[nodiscard]] result::Result<secret::SecretBuffer> make_random_text(secret::Arena& arena, std::string_view prefix = "");

/// BASE64URL(SHA-256(verifier)), 43 characters (RFC 7636 §4.2, S256). It tells nothing of the verifier.
[[nodiscard]] std::string challenge_of(const secret::SecretBuffer& verifier);

/// Compared in constant time; two empty ones do not agree.
[[nodiscard]] bool agree(const secret::SecretBuffer& left, const secret::SecretBuffer& right);

} // namespace credlease::crypto
