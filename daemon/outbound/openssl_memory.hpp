#pragma once

namespace credlease::outbound {

/// From now on OpenSSL overwrites whatever it frees. To be called before anything of OpenSSL is used, since it cannot
/// be done later: `main` calls it first, and without it no Client is made. False where it was too late; true again
/// when it has been done already.
[[nodiscard]] bool wipe_what_openssl_frees();

} // namespace credlease::outbound
