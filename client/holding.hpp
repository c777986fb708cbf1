#pragma once

#include "client/lease_answer.hpp"
#include "client/session.hpp"
#include "secret/secret_buffer.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace credlease::client {

/// Which secret of a credential: its version and, of OAuth, the generation within it.
using Delivery = std::pair<std::uint64_t, std::uint64_t>;

/// A lease that this process holds: what the broker's last answers said. Shared between its Lease and the thread that
/// renews it.
class Holding {
  public:
    explicit Holding(std::optional<std::chrono::milliseconds> ttl) : ttl_(ttl) {}

    /// Takes the answer of an issued lease. Its id is known even when the rest of the answer cannot be used.
    Result<void> take_issued(Reply reply);

    /// Asks for more time over `session`; takes the new secret where it has changed.
    Result<void> renew(Session& session, std::optional<std::chrono::milliseconds> ttl);
    Result<void> release(Session& session, std::optional<std::chrono::milliseconds> timeout = std::nullopt);

    /// `tell` is called after each renewal that worked, by the thread that asked for it.
    void on_renewed(std::function<void()> tell);

    [[nodiscard]] const LeaseFacts& issued() const { return issued_; } ///< id, credential and service never change
    [[nodiscard]] LeaseFacts facts() const;
    [[nodiscard]] LeaseTimes times() const;
    [[nodiscard]] Delivery delivery() const;
    [[nodiscard]] std::optional<Error> last_error() const;
    [[nodiscard]] std::optional<std::chrono::milliseconds> ttl() const { return ttl_; }
    /// The broker told that it has ended. False: that was known, or the program gave it back itself.
    bool note_ended(const std::string& reason);
    /// Never issued, released, or ended by the broker: there is nothing to renew or release any more.
    [[nodiscard]] bool is_over() const;

    /// The answer that brought the secret, as it came.
    void expose_json(const std::function<void(std::string_view)>& use) const;
    /// Its members, in locked memory for the time of `use`.
    void expose_members(const std::function<void(const boost::json::value&)>& use) const;

  private:
    Result<void> ask_renewal(Session& session, std::optional<std::chrono::milliseconds> ttl);
    Result<void> exchange_renewal(Session& session, std::optional<std::chrono::milliseconds> ttl);
    [[nodiscard]] bool is_secret_lost() const;
    Result<void> take(Reply reply);

    LeaseFacts issued_;
    std::optional<std::chrono::milliseconds> ttl_;
    mutable std::mutex lock_; ///< of what follows
    LeaseFacts facts_;
    LeaseTimes times_;
    std::shared_ptr<const secret::SecretBuffer> json_;
    bool is_secret_lost_ = false; ///< the broker takes a newer one to be here: its answer did not arrive
    std::optional<Error> last_error_;
    std::shared_ptr<const std::function<void()>> on_renewed_; ///< shared: a copy of it can't fail
    bool is_over_ = false;
    bool is_end_known_ = false; ///< the program was told, or released it
};

} // namespace credlease::client
