#pragma once

#include "broker/asker.hpp"
#include "mac/mac.hpp"
#include "result/result.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace credlease::broker {

/// `idempotency_mismatch`
[[nodiscard]] result::Failure sent_before_with_another_request();

/// First outcomes of changes, by principal and Idempotency-Key: for 24 h, in the batch of the change itself. In memory
/// lies only which keys there are; the answers are read from the store when they are asked for.
class Outcomes {
  public:
    struct Outcome {
        std::array<std::uint8_t, 16> body_digest{};
        vocabulary::Time at{};
        unsigned status = 200;
        std::string location{};
        std::uint64_t revision = 0; ///< for the ETag; 0: none
        std::string body{};         ///< JSON text without secrets
    };

    /// The stored record of a key: nullopt when the key is new (or none was sent).
    [[nodiscard]] std::optional<std::string> find_key(const Asker& asker) const;
    /// Reads it. Blocks: a `bulk` worker's job. `idempotency_mismatch` when the body was another.
    [[nodiscard]] static result::Result<Outcome> read(const store::Store& store, const std::string& key,
                                                      const Asker& asker);

    /// Puts the outcome into the change's batch, in the place of an earlier one of the same key, and drops a few that
    /// are older than 24 h. `apply` once it is durable.
    void stage(const Asker& asker, const Outcome& outcome, store::Batch& batch);
    void apply(const Asker& asker, vocabulary::Time at);

    [[nodiscard]] result::Result<> accept(const store::Record& record); ///< Table::idempotency
    /// A record that was taken turned out to be damaged.
    void forget(const std::string& key) { known_.erase(key); }

  private:
    [[nodiscard]] static std::string key_of(const Asker& asker);

    std::unordered_map<std::string, std::uint64_t> known_; ///< revisions of their records
    std::multimap<vocabulary::Time, std::string> oldest_first_;
};

} // namespace credlease::broker
