#include "api/traffic.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace credlease::api {
namespace {

int made(int descriptor, const char* call) {
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), call);
    return descriptor;
}

} // namespace

Traffic::Traffic(runtime::Loop& loop, runtime::Clock& clock, secret::Arena& arena, const Routes& routes,
                 Listener::Options options)
    : loop_(loop), clock_(clock), routes_(routes), options_(std::move(options)),
      wake_(made(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      outlet_({.secrets = arena.share_size(secret::Share::leases) / 16}) {
    epoll_.emplace(loop.context().get_executor(), made(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
    epoll_event event = event_of(EPOLLIN, wake_slot);
    made(::epoll_ctl(epoll_->native_handle(), EPOLL_CTL_ADD, wake_.number(), &event), "epoll_ctl");
    intake_.emplace(arena);
    deadlines_.emplace(clock, connections_,
                       [this](Connection& connection, Waiting waiting) { deadline_passed(connection, waiting); });
}

void Traffic::start() { wait(); }

void Traffic::wait() {
    epoll_->async_wait(LoopDescriptor::wait_read, [weak = weak_from_this()](const boost::system::error_code& failure) {
        const auto self = weak.lock();
        if (failure || !self || !self->epoll_) return;
        self->turn();
        if (self->epoll_) self->wait();
    });
}

void Traffic::turn() {
    collect();
    visit_fairly();
    settle_queue();
    if (std::exchange(has_dispatched_, false) && options_.end_of_turn) options_.end_of_turn();
}

/// Who has something to do: what epoll says, and who was left with bytes at the end of the last turn.
void Traffic::collect() {
    due_.clear();
    std::swap(due_, queued_);
    for (const Due& due : due_) {
        if (Connection* connection = connections_.find(due.slot, due.generation)) connection->is_queued = false;
    }
    const int count = ::epoll_wait(epoll_->native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events_[static_cast<std::size_t>(i)];
        const auto slot = static_cast<std::uint32_t>(event.data.u64);
        if (slot == wake_slot) continue;
        if (slot >= first_door_slot) {
            accept(doors_[slot - first_door_slot]);
        } else {
            due_.push_back({slot, static_cast<std::uint32_t>(event.data.u64 >> 32), event.events});
        }
    }
}

/// Whoever was visited longest ago comes first: nobody waits for more than one round of a crowd.
void Traffic::order_due() {
    for (Due& due : due_) {
        const auto* connection = connections_.find(due.slot, due.generation);
        if (connection != nullptr) due.last_visit = connection->last_visit;
    }
    std::ranges::sort(due_, {}, &Due::last_visit);
}

/// First a few visits for each class of each uid, then the others as far as the turn goes. Who was not visited is still
/// readable, and so due in the next turn.
void Traffic::visit_fairly() {
    order_due();
    shares_.begin_turn();
    later_.clear();
    for (const Due& due : due_) {
        const Connection* connection = connections_.find(due.slot, due.generation);
        if (connection == nullptr) continue;
        if (shares_.take_first(*connection)) {
            visit(due);
        } else {
            later_.push_back(due);
        }
    }
    for (const Due& due : later_) {
        Connection* connection = connections_.find(due.slot, due.generation);
        if (connection == nullptr) continue;
        if (shares_.take_more(*connection)) {
            visit(due);
        } else if (connection->has_more || connection->phase == Phase::streaming) {
            queue(*connection);
        }
    }
}

void Traffic::visit(const Due& due) {
    Connection* const connection = connections_.find(due.slot, due.generation);
    if (connection == nullptr) return;
    connection->last_visit = ++visits_;
    const bool is_broken = (due.events & (EPOLLHUP | EPOLLERR)) != 0;
    switch (connection->phase) {
    case Phase::reading_head:
    case Phase::reading_body:
        return read(*connection);
    case Phase::answering:
        if (is_broken) return close(*connection);
        if (due.events != 0) watch(*connection, 0); // what it sends ahead waits in the kernel
        return;
    case Phase::sending:
        if (is_broken) return close(*connection);
        sent(*connection, outlet_.resume(*connection));
        return;
    case Phase::streaming:
        if (is_broken) return close(*connection);
        return stream(*connection, due.events);
    case Phase::draining:
        return drain(*connection);
    case Phase::closed:
        return;
    }
}

/// To be visited in the next turn though its socket may not be readable.
void Traffic::queue(Connection& connection) {
    if (connection.is_queued) return;
    connection.is_queued = true;
    queued_.push_back({connection.slot, connection.generation, 0});
    if (is_awake_) return;
    constexpr std::uint64_t one = 1;
    (void)!::write(wake_.number(), &one, sizeof one);
    is_awake_ = true;
}

void Traffic::settle_queue() {
    if (!is_awake_ || !queued_.empty()) return;
    std::uint64_t count = 0;
    (void)!::read(wake_.number(), &count, sizeof count);
    is_awake_ = false;
}

void Traffic::stop(runtime::BootTime deadline, std::function<void()> done) {
    is_stopping_ = true;
    stopped_ = std::move(done);
    doors_.clear();
    connections_.for_each([this](Connection& connection) { close_when_idle(connection); });
    stop_call_ = clock_.call_at(deadline, [this] {
        stop_call_ = 0;
        connections_.for_each([this](Connection& connection) { close(connection); });
        tell_if_stopped();
    });
    tell_if_stopped();
}

void Traffic::tell_if_stopped() {
    if (!stopped_ || connections_.size() > 0) return;
    if (stop_call_ != 0) clock_.cancel(std::exchange(stop_call_, 0));
    loop_.post(std::exchange(stopped_, nullptr));
}

void Traffic::shut() {
    stopped_ = nullptr;
    if (stop_call_ != 0) clock_.cancel(std::exchange(stop_call_, 0));
    if (accept_again_ != 0) clock_.cancel(std::exchange(accept_again_, 0));
    doors_.clear();
    connections_.for_each([this](Connection& connection) {
        if (connection.stream) connection.stream->closed = nullptr;
        close(connection);
    });
    deadlines_.reset();
    intake_.reset();
    epoll_.reset();
}

} // namespace credlease::api
