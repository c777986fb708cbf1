#pragma once

#include "secret/secret_buffer.hpp"

namespace credlease::secret {

/// A SecretBuffer of one kind, so that a root key is never given where an access token belongs.
template <class Kind> class Secret {
  public:
    Secret() = default;
    explicit Secret(SecretBuffer buffer) : buffer_(std::move(buffer)) {}

    [[nodiscard]] const SecretBuffer& buffer() const { return buffer_; }
    [[nodiscard]] bool empty() const { return buffer_.empty(); }
    /// For what holds it under another kind, or none.
    [[nodiscard]] SecretBuffer take() && { return std::move(buffer_); }
    template <class Use> decltype(auto) expose(Use&& use) const { return buffer_.expose(std::forward<Use>(use)); }

  private:
    SecretBuffer buffer_;
};

} // namespace credlease::secret
