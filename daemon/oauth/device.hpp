#pragma once

#include "oauth/answer.hpp"

namespace credlease::oauth {

/// What a person types where (RFC 8628 §3.2), and what is polled with meanwhile.
struct DeviceGrant {
    secret::SecretBuffer device_code;
    std::string user_code;
    std::string verification_uri;
    std::string verification_uri_complete; ///< with the code in it; empty: not sent
    Time ends_at{};
    std::chrono::seconds interval{5}; ///< between two polls, at least
};
/// `asked.slot` is not looked at.
[[nodiscard]] result::Result<std::variant<DeviceGrant, Refusal>> read_device_answer(const catalog::OAuth& rules,
                                                                                    const Asked& asked,
                                                                                    const outbound::Answer& answer,
                                                                                    secret::Arena& arena);

/// What a poll that brought no tokens means (RFC 8628 §3.5).
enum class Poll : std::uint8_t {
    pending,   ///< poll again
    slow_down, ///< poll again, five seconds later than before, and so ever after
    denied,    ///< the person said no
    expired,   ///< nobody came in time
    failed,    ///< anything else that is final; else it is `pending`
};
[[nodiscard]] Poll poll_of(const Refusal& refusal);

} // namespace credlease::oauth
