#pragma once

#include "outbound/answer_reader.hpp"
#include "outbound/name_lookups.hpp"
#include "outbound/outbound.hpp"
#include "outbound/tls.hpp"
#include "runtime/suspend.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace credlease::outbound {

/// What holds for an exchange from its beginning to its end.
struct Terms {
    Options options;
    std::shared_ptr<TlsContext> tls; ///< used on the thread alone
};

/// One request and its answer, on the loop that it was made for; its deadline holds for all of it.
class Exchange : public std::enable_shared_from_this<Exchange> {
  public:
    Exchange(runtime::Loop& loop, NameLookups& lookups, std::shared_ptr<const Terms> terms, Url url,
             secret::SecretBuffer request, AnswerReader answer);

    /// Once.
    [[nodiscard]] runtime::Task<Outcome> run();
    /// The broker stops: `run` ends in a later turn.
    void stop() { end(End::stopped); }

  private:
    enum class End : std::uint8_t { none, late, stopped };
    using Result = result::Result<>;

    [[nodiscard]] runtime::Task<Result> all_stages();
    [[nodiscard]] runtime::Task<Result> look_up();
    [[nodiscard]] runtime::Task<Result> connect();
    [[nodiscard]] runtime::Task<boost::system::error_code> connect_to(boost::asio::ip::address address, bool is_last);
    [[nodiscard]] runtime::Task<Result> shake_hands();
    [[nodiscard]] runtime::Task<Result> send();
    [[nodiscard]] runtime::Task<Result> receive();
    [[nodiscard]] runtime::Task<Result> make_room();

    [[nodiscard]] Result choose(Addresses found);
    [[nodiscard]] bool may_be_private() const;
    /// Waits until the step may be tried again; false once the exchange has ended.
    [[nodiscard]] runtime::Task<bool> is_ready_for(Step::Kind wanted);
    [[nodiscard]] Step read(std::span<std::byte> into);
    [[nodiscard]] Step write(std::span<const std::byte> from);
    [[nodiscard]] Result refuse_dropped() const;

    void set_deadline();
    void end(End why);
    /// The same failure whatever was waited for: too late, or stopped.
    [[nodiscard]] Result refuse_ended() const;

    runtime::Loop& loop_;
    NameLookups& lookups_;
    std::shared_ptr<const Terms> terms_;
    Url url_;
    secret::SecretBuffer request_;
    AnswerReader answer_;

    std::vector<boost::asio::ip::address> addresses_{}; ///< that were found fit to connect to
    boost::asio::ip::tcp::socket socket_;
    std::optional<Tls> tls_{};
    boost::asio::steady_timer deadline_;
    boost::asio::steady_timer pause_; ///< of one attempt to connect, and for room in the arena
    runtime::Resume found_{};         ///< while a name is looked up
    Stage stage_ = Stage::look_up;
    End ended_ = End::none;
    bool was_sent_ = false;
};

} // namespace credlease::outbound
