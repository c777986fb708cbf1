#pragma once

#include "outbound/answer_reader.hpp"
#include "outbound/kept_connections.hpp"
#include "outbound/name_lookups.hpp"
#include "outbound/outbound.hpp"
#include "runtime/suspend.hpp"

#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <vector>

namespace credlease::outbound {

/// What holds for an exchange from its beginning to its end.
struct Terms {
    Options options;
    std::shared_ptr<TlsContext> tls; ///< used on the thread alone
};

/// What exchanges share, on the thread; outlives them.
struct Parts {
    runtime::Loop& loop;
    runtime::Clock& clock;
    NameLookups& lookups;
    KeptConnections& kept;
};

/// One request and its answer, on the loop that it was made for; its deadline holds for all of it.
class Exchange : public std::enable_shared_from_this<Exchange> {
  public:
    Exchange(const Parts& parts, std::shared_ptr<const Terms> terms, Url url, secret::SecretBuffer request,
             AnswerReader answer, bool may_be_repeated, std::string on_behalf_of);

    /// Once.
    [[nodiscard]] runtime::Task<Outcome> run();
    /// The broker stops: `run` ends in a later turn.
    void stop() { end(End::stopped); }

  private:
    enum class End : std::uint8_t { none, late, stopped };
    using Result = result::Result<>;

    [[nodiscard]] runtime::Task<Result> all_stages();
    [[nodiscard]] runtime::Task<Result> connect_anew();
    [[nodiscard]] runtime::Task<Result> ask();
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
    [[nodiscard]] Result refuse_dropped() const;
    /// After an answer: the connection waits for the next request, or ends.
    void part();

    void set_deadline();
    void end(End why);
    /// The same failure whatever was waited for: too late, or stopped.
    [[nodiscard]] Result refuse_ended() const;

    const Parts& parts_;
    std::shared_ptr<const Terms> terms_;
    Url url_;
    secret::SecretBuffer request_; ///< until nothing can make it leave once more
    AnswerReader answer_;
    const bool may_be_repeated_;
    const std::string on_behalf_of_;

    std::vector<boost::asio::ip::address> addresses_{}; ///< that were found fit to connect to
    std::unique_ptr<Connection> connection_{};
    boost::asio::steady_timer deadline_;
    boost::asio::steady_timer pause_; ///< of one attempt to connect, and for room in the arena
    runtime::Resume found_{};         ///< while a name is looked up
    Stage stage_ = Stage::look_up;
    End ended_ = End::none;
    bool was_sent_ = false;
    bool may_begin_anew_ = false; ///< on a connection that was kept, before a byte of an answer came
};

} // namespace credlease::outbound
