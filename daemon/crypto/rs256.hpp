#pragma once

#include "result/result.hpp"
#include "secret/secret_buffer.hpp"

namespace credlease::crypto {

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3) over `text`, in the arena's `tokens` share. `pem`: an RSA key of at
/// least 2048 bits, unencrypted, in PKCS #8 or PKCS #1; its line breaks may have become `\n` in a JSON file, as those
/// of Google's key files do. `invalid_request` naming "private_key" for anything else.
[[nodiscard]] result::Result<secret::SecretBuffer> sign_rs256(const secret::SecretBuffer& pem,
                                                              const secret::SecretBuffer& text, secret::Arena& arena);

} // namespace credlease::crypto
