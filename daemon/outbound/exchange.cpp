#include "outbound/exchange.hpp"

#include "outbound/is_public.hpp"
#include "runtime/crash_point.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>

namespace credlease::outbound {
namespace {

using namespace std::chrono_literals;
using boost::asio::redirect_error;
using boost::asio::use_awaitable;
using boost::asio::ip::tcp;
using Kind = Step::Kind;

constexpr auto attempt_most = 3000ms; ///< for one address while there are others
constexpr auto room_again = 20ms;
constexpr std::size_t traces_depth = std::size_t{16} << 10; ///< of the stack that a call of OpenSSL may have used

bool is_retry(Kind kind) { return kind == Kind::wants_read || kind == Kind::wants_write; }

} // namespace

Exchange::Exchange(const Parts& parts, std::shared_ptr<const Terms> terms, Url url, secret::SecretBuffer request,
                   AnswerReader answer, bool may_be_repeated, std::string on_behalf_of)
    : parts_(parts), terms_(std::move(terms)), url_(std::move(url)), request_(std::move(request)),
      answer_(std::move(answer)), may_be_repeated_(may_be_repeated), on_behalf_of_(std::move(on_behalf_of)),
      deadline_(parts.loop.context()), pause_(parts.loop.context()) {}

runtime::Task<Outcome> Exchange::run() {
    set_deadline();
    auto done = co_await all_stages();
    deadline_.cancel();
    if (done) part();
    connection_.reset();
    request_.reset();
    secret::wipe_traces(traces_depth);
    if (!done) co_return std::unexpected(Failed{.error = std::move(done.error()), .was_sent = was_sent_});
    co_return answer_.take();
}

runtime::Task<Exchange::Result> Exchange::all_stages() {
    if (may_be_repeated_) connection_ = parts_.kept.take(terms_, origin_of(url_));
    if (connection_) {
        may_begin_anew_ = true;
        Result done = co_await ask();
        const bool is_dropped = !done && may_begin_anew_ && ended_ == End::none;
        if (!is_dropped) co_return done;
        may_begin_anew_ = false;
    }
    Result done = co_await connect_anew();
    if (done) done = co_await ask();
    co_return done;
}

runtime::Task<Exchange::Result> Exchange::connect_anew() {
    Result done = co_await look_up();
    if (done) done = co_await connect();
    if (done && url_.is_tls) done = co_await shake_hands();
    co_return done;
}

runtime::Task<Exchange::Result> Exchange::ask() {
    Result done = co_await send();
    if (done) done = co_await receive();
    co_return done;
}

void Exchange::part() {
    const bool is_kept = may_be_repeated_ && ended_ == End::none && answer_.leaves_open();
    if (!is_kept) return connection_->say_end();
    parts_.kept.keep(terms_, origin_of(url_), std::move(connection_));
}

runtime::Task<Exchange::Result> Exchange::look_up() {
    stage_ = Stage::look_up;
    boost::system::error_code not_one;
    const auto address = boost::asio::ip::make_address(url_.host, not_one);
    auto found = std::make_shared<Addresses>();
    if (!not_one) {
        found->list.push_back(address);
        co_return choose(std::move(*found));
    }
    NameLookups::Ticket ticket{};
    co_await runtime::suspend(parts_.loop, [&](runtime::Resume resume) {
        found_ = resume;
        auto done = [found, resume = std::move(resume)](Addresses those) {
            *found = std::move(those);
            resume();
        };
        ticket = parts_.lookups.start(url_.host, on_behalf_of_, std::move(done));
    });
    found_ = nullptr;
    if (ended_ != End::none) {
        parts_.lookups.give_up(ticket);
        co_return refuse_ended();
    }
    if (found->failure != 0) co_return result::refuse(not_looked_up(url_, found->failure));
    co_return choose(std::move(*found));
}

bool Exchange::may_be_private() const {
    const auto& options = terms_->options;
    return options.allow_private || std::ranges::any_of(options.allowed_hosts, [&](const std::string& host) {
               return std::ranges::equal(host, url_.host, {}, [](char c) { return std::tolower(c); });
           });
}

Exchange::Result Exchange::choose(Addresses found) {
    addresses_ = std::move(found.list);
    if (!may_be_private()) std::erase_if(addresses_, [](const auto& address) { return !is_public(address); });
    if (addresses_.empty()) return result::refuse(not_public(url_));
    // A name may be anyone's word for loopback: only this one is loopback for everybody (RFC 6761 §6.3).
    boost::system::error_code not_one;
    const auto literal = boost::asio::ip::make_address(url_.host, not_one);
    const bool is_named_loopback = not_one ? url_.host == "localhost" : literal.is_loopback();
    const bool is_loopback =
        is_named_loopback && std::ranges::all_of(addresses_, [](const auto& address) { return address.is_loopback(); });
    if (!url_.is_tls && !is_loopback) return result::refuse(not_encrypted(url_));
    return {};
}

runtime::Task<Exchange::Result> Exchange::connect() {
    stage_ = Stage::connect;
    boost::system::error_code failed;
    for (std::size_t at = 0; at < addresses_.size(); ++at) {
        failed = co_await connect_to(addresses_[at], at + 1 == addresses_.size());
        if (ended_ != End::none) co_return refuse_ended();
        if (!failed) co_return Result{};
    }
    co_return result::refuse(not_connected(url_, failed));
}

runtime::Task<boost::system::error_code> Exchange::connect_to(boost::asio::ip::address address, bool is_last) {
    const tcp::endpoint to(address, url_.port);
    boost::system::error_code failed;
    connection_ = std::make_unique<Connection>(parts_.loop, parts_.clock.boot());
    auto& socket = connection_->socket();
    socket.open(to.protocol(), failed);
    if (!failed) socket.native_non_blocking(true, failed);
    if (failed) co_return failed;
    if (!is_last) {
        pause_.expires_after(attempt_most);
        pause_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
            const auto self = weak.lock();
            // Once connected, the timer has been set back: it is too late then to give up on this address.
            const bool is_due = !cancelled && self && self->pause_.expiry() <= std::chrono::steady_clock::now();
            if (is_due) self->connection_->socket().cancel(cancelled);
        });
    }
    co_await socket.async_connect(to, redirect_error(use_awaitable, failed));
    pause_.expires_at(std::chrono::steady_clock::time_point::max());
    co_return failed;
}

runtime::Task<Exchange::Result> Exchange::shake_hands() {
    stage_ = Stage::handshake;
    Tls& tls = connection_->begin_tls(terms_->tls, url_);
    for (;;) {
        const Step step = tls.handshake();
        if (step.kind == Kind::done) co_return Result{};
        if (!is_retry(step.kind)) co_return result::refuse(tls.failure(url_));
        const bool is_ready = co_await is_ready_for(step.kind);
        if (!is_ready) co_return refuse_ended();
    }
}

runtime::Task<Exchange::Result> Exchange::send() {
    stage_ = Stage::request;
    std::size_t sent = 0;
    was_sent_ = true; // here, and nowhere before: from now on the provider may have what the request carries
    while (sent < request_.size()) {
        const Step step =
            request_.expose([&](std::span<const std::byte> all) { return connection_->write(all.subspan(sent)); });
        sent += step.count;
        if (step.kind == Kind::done) continue;
        if (!is_retry(step.kind)) co_return refuse_dropped();
        const bool is_ready = co_await is_ready_for(step.kind);
        if (!is_ready) co_return refuse_ended();
    }
    if (!may_begin_anew_) request_.reset();
    runtime::crash_point("request sent");
    co_return Result{};
}

runtime::Task<Exchange::Result> Exchange::receive() {
    stage_ = Stage::answer;
    for (;;) {
        if (!answer_.has_room()) {
            auto made = co_await make_room();
            if (!made) co_return made;
        }
        const Step step = answer_.fill([this](std::span<std::byte> room) { return connection_->read(room); });
        if (step.kind == Kind::done) {
            may_begin_anew_ = false;
            request_.reset();
            const auto progress = answer_.go_on();
            if (!progress) co_return result::refuse(bad_answer(url_, progress.error()));
            if (*progress == AnswerReader::Progress::whole) co_return Result{};
            continue;
        }
        if (step.kind == Kind::closed && answer_.ends_here()) co_return Result{};
        if (!is_retry(step.kind)) co_return refuse_dropped();
        const bool is_ready = co_await is_ready_for(step.kind);
        if (!is_ready) co_return refuse_ended();
    }
}

// What others hold of the arena they give back soon, and this answer may be the only copy of a token.
runtime::Task<Exchange::Result> Exchange::make_room() {
    for (;;) {
        const auto grown = answer_.grow();
        if (!grown) co_return result::refuse(bad_answer(url_, grown.error()));
        if (*grown) co_return Result{};
        boost::system::error_code ignored;
        pause_.expires_after(room_again);
        co_await pause_.async_wait(redirect_error(use_awaitable, ignored));
        if (ended_ != End::none) co_return refuse_ended();
    }
}

runtime::Task<bool> Exchange::is_ready_for(Kind wanted) {
    const auto what = wanted == Kind::wants_write ? tcp::socket::wait_write : tcp::socket::wait_read;
    boost::system::error_code failed; // what is the matter with a socket the next step tells
    co_await connection_->socket().async_wait(what, redirect_error(use_awaitable, failed));
    co_return ended_ == End::none;
}

Exchange::Result Exchange::refuse_dropped() const { return result::refuse(dropped(url_, stage_, answer_.received())); }

void Exchange::set_deadline() {
    deadline_.expires_after(terms_->options.timeout);
    deadline_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
        const auto self = weak.lock();
        if (!cancelled && self) self->end(End::late);
    });
}

void Exchange::end(End why) {
    if (ended_ != End::none) return;
    ended_ = why;
    boost::system::error_code ignored;
    if (connection_ && connection_->socket().is_open()) connection_->socket().cancel(ignored);
    pause_.cancel();
    if (found_) found_();
}

Exchange::Result Exchange::refuse_ended() const {
    return result::refuse(ended_ == End::late ? late(url_, stage_) : stopped(url_));
}

} // namespace credlease::outbound
