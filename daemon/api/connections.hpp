#pragma once

#include "api/chunks.hpp"
#include "api/request.hpp"
#include "http/head.hpp"
#include "runtime/boot_time.hpp"
#include "secret/secret_buffer.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace credlease::api {

inline constexpr std::uint32_t no_slot = ~std::uint32_t{0};

/// What one uid has in use.
struct Account {
    std::uint32_t uid = 0;
    std::uint32_t connections = 0;
    std::uint32_t listeners = 0;    ///< connections that are sent events
    std::size_t received = 0;       ///< bytes of Share::bodies
    std::size_t unsent_text = 0;    ///< bytes of replies that their readers have not taken yet
    std::size_t unsent_secrets = 0; ///< the same of those with secrets, in the arena
    std::uint64_t turn = 0;         ///< the last in which it was visited,
    std::uint32_t visits = 0;       ///< and how often
};

/// The head of a request whose body is still to come. Only the grant is secret.
struct KeptHead {
    http::Head head;
    std::string texts;
    secret::SecretBuffer grant;
    std::optional<ChunkReader> chunks{}; ///< of a chunked body
};

/// What the kernel has not taken yet of a reply.
struct Unsent {
    std::string text{};
    std::size_t text_sent = 0;
    secret::SecretBuffer secret{};
    std::size_t secret_sent = 0;
    std::size_t text_charged = 0; ///< to the account, as is the secret, until all is sent
    std::size_t secret_charged = 0;
};

/// What a listener of events was not sent yet. The texts are shared by all who are sent them.
struct Streaming {
    std::deque<std::shared_ptr<const std::string>> texts{};
    std::size_t sent = 0;            ///< bytes of the first text
    std::size_t unsent = 0;          ///< bytes in all
    bool is_blocked = false;         ///< the kernel takes no more for now
    bool is_last = false;            ///< nothing follows: when all is sent, the connection is closed
    std::function<void()> drained{}; ///< told when all is sent
    std::function<void()> closed{};  ///< told once, when the client has gone or was dropped
};

enum class Phase : std::uint8_t {
    closed,
    reading_head,
    reading_body,
    answering, ///< a handler has the request
    sending,   ///< the reader is slower than we are
    streaming, ///< it is sent events until it goes
    draining,  ///< the last reply is sent; what still comes is thrown away
};
enum class AfterReply : std::uint8_t { keep, close, drain };
enum class Waiting : std::uint8_t { nothing, request, reply, idle, comment };

/// One client's connection. Small: ten thousand idle ones are cheap and hold no arena memory.
struct Connection {
    attestation::Descriptor socket;
    std::uint32_t slot = no_slot;
    std::uint32_t generation = 0;
    std::uint32_t interest = 0; ///< what epoll watches for
    std::shared_ptr<const attestation::Peer> peer;
    Account* account = nullptr;

    secret::SecretBuffer held; ///< bytes that were read and belong to requests to come
    secret::SecretBuffer body; ///< of the request that is being read; where it is chunked, grown as it comes
    std::unique_ptr<KeptHead> head;
    std::unique_ptr<Unsent> unsent;
    std::unique_ptr<Streaming> stream;
    std::uint32_t body_received = 0;
    std::uint32_t body_charged = 0; ///< to the account's `received`, until the reply
    std::uint32_t drained = 0;

    std::uint64_t last_visit = 0; ///< its number among all visits; of a new one, that of the last visit to anybody
    runtime::BootTime deadline{};
    std::uint32_t before = no_slot; ///< neighbors in the list of deadlines
    std::uint32_t after = no_slot;
    Waiting waiting = Waiting::nothing;

    Door door = Door::lease;
    Phase phase = Phase::closed;
    AfterReply after_reply = AfterReply::keep;
    bool without_body = false;    ///< the request was HEAD
    bool has_more = false;        ///< `held` begins with bytes that were not looked at yet
    bool is_queued = false;       ///< will be visited without the socket becoming readable
    std::uint16_t turn_class = 0; ///< connections of one class share a part of each turn
};
static_assert(sizeof(Connection) <= 300);

inline constexpr std::size_t turn_classes = 4096;
/// Within a uid connections of one grant share a part of each turn.
[[nodiscard]] std::uint16_t turn_class_of(std::uint32_t uid, std::string_view grant);

/// The bytes that a buffer is charged with: its slot.
[[nodiscard]] inline std::size_t charge_of(const secret::SecretBuffer& buffer) {
    return buffer.empty() ? 0 : secret::Arena::slot_size(buffer.size());
}

/// Drops what waits for the reader; it is charged no longer.
void forget_unsent(Connection& connection);

/// All connections, at places that do not move. A slot is used again under the next generation.
class Connections {
  public:
    Connection& open(attestation::Descriptor socket, Door door, attestation::Peer peer);
    void close(Connection& connection);

    /// nullptr when that connection has gone.
    [[nodiscard]] Connection* find(std::uint32_t slot, std::uint32_t generation);
    [[nodiscard]] Connection& at(std::uint32_t slot) { return slots_[slot]; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::uint32_t of_uid(std::uint32_t uid) const;
    void for_each(const std::function<void(Connection&)>& visit);

  private:
    std::deque<Connection> slots_;
    std::vector<std::uint32_t> free_;
    std::unordered_map<std::uint32_t, Account> accounts_;
    std::size_t size_ = 0;
};

} // namespace credlease::api
