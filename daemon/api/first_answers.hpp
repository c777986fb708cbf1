#pragma once

#include "api/reply.hpp"
#include "api/request.hpp"
#include "broker/asker.hpp"
#include "mac/mac.hpp"
#include "runtime/boot_time.hpp"
#include "secret/arena.hpp"

#include <deque>
#include <map>

namespace credlease::api {

/// First answers to seal and unseal, by caller and Idempotency-Key: for 24 h, and in memory alone, since nothing can be
/// stored while sealed. A body, which may hold a passphrase, is known by its digest under a key that dies with the
/// process.
class FirstAnswers {
  public:
    /// Throws std::bad_alloc when the arena has no room for the key.
    explicit FirstAnswers(secret::Arena& arena);

    [[nodiscard]] mac::Digest digest_of(const Request& request) const;
    /// nullopt: the key is new, or none was sent. `idempotency_mismatch`: it came with another request before.
    [[nodiscard]] result::Result<std::optional<Reply>> find(const broker::Asker& asker, const mac::Digest& digest,
                                                            runtime::BootTime now);
    void keep(const broker::Asker& asker, const mac::Digest& digest, const Reply& reply, runtime::BootTime now);

  private:
    struct Known {
        std::string key;
        mac::Digest digest;
        std::string body;
        runtime::BootTime at;
    };
    static constexpr std::size_t most = 1024; ///< of a caller; then the oldest is forgotten

    mac::DigestMac digests_;
    std::map<std::string, std::deque<Known>> known_; ///< by principal, oldest first
};

} // namespace credlease::api
