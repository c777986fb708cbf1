#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace credlease::wire::limits {

inline constexpr std::size_t header_block = 16 * 1024;     ///< request line and headers together (bytes)
inline constexpr std::size_t lease_body = 16 * 1024;       ///< a body on lease.sock
inline constexpr std::size_t admin_body = 256 * 1024;      ///< a body on admin.sock
inline constexpr std::size_t provider_answer = 256 * 1024; ///< all that a provider answers one request with, header too
inline constexpr std::size_t usual_answer =
    64 * 1024;                          ///< no token answer is larger: it waits for room to be read as long as it takes
inline constexpr unsigned headers = 64; ///< header fields of one request
inline constexpr std::size_t json_depth = 16;             ///< nesting of a request's JSON
inline constexpr std::size_t notes = 4096;                ///< bytes of a credential's notes
inline constexpr std::size_t field_value = 64 * 1024;     ///< bytes of one field's value
inline constexpr std::size_t fields = 32;                 ///< fields of a service, bits of a field mask
inline constexpr std::size_t map_entries = 64;            ///< entries of a map or list field
inline constexpr std::size_t idempotency_key = 64;        ///< characters of an Idempotency-Key
inline constexpr std::uint32_t page_default = 50;         ///< items of a list without `limit`
inline constexpr std::uint32_t page_most = 500;           ///< items of a list
inline constexpr std::size_t query_text = 256;            ///< bytes of `q`
inline constexpr std::chrono::seconds request_time{10};   ///< from a request's first byte to its last
inline constexpr std::chrono::seconds reply_time{10};     ///< a reader that takes nothing for this long is dropped
inline constexpr std::chrono::minutes idle_time{60};      ///< a connection without a request is closed after this
inline constexpr std::size_t pipelined = 64;              ///< requests of one connection that may wait for a reply
inline constexpr std::chrono::hours idempotency_kept{24}; ///< of a change
inline constexpr std::chrono::minutes lease_idempotency_kept{10};
inline constexpr std::size_t lease_idempotency_most = 4096; ///< per principal
inline constexpr std::chrono::hours cursor_kept{1};
inline constexpr std::chrono::hours ended_lease_known{24};       ///< 410 with its reason
inline constexpr std::chrono::milliseconds log_write_most{1000}; ///< then leases answer `store_unavailable`
inline constexpr std::chrono::milliseconds head_every{100};      ///< the audit head follows the log at least this often
inline constexpr std::chrono::milliseconds sync_shared{
    10}; ///< a change that harms nobody when it is lost is synced within
inline constexpr std::chrono::seconds unseal_delay_most{30};
inline constexpr std::size_t oauth_token = 16 * 1024;    ///< bytes of an access or refresh token
inline constexpr std::size_t oauth_scopes = 256;         ///< granted scopes that are kept
inline constexpr std::size_t oauth_answer_field = 1024;  ///< bytes of a public value that a provider gives
inline constexpr std::size_t oauth_memory = 128 * 1024;  ///< of the arena, for an answer's JSON while it is read
inline constexpr std::size_t oauth_redirect = 16 * 1024; ///< bytes of a redirect's query
inline constexpr std::chrono::hours oauth_lifetime{24 *
                                                   3650};  ///< a token said to live longer is taken to live this long
inline constexpr std::size_t unread_events = 64 * 1024;    ///< bytes beyond what the kernel holds, then it is dropped
inline constexpr std::chrono::seconds event_comment{15};   ///< a comment line as often as this, to every listener
inline constexpr std::size_t events_kept = 10'000;         ///< for listeners that come back …
inline constexpr std::chrono::minutes events_kept_for{15}; ///< … within this time

} // namespace credlease::wire::limits
