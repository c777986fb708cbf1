#include "api/deadlines.hpp"

#include "wire/limits.hpp"

#include <algorithm>
#include <utility>

namespace credlease::api {
namespace {

std::chrono::milliseconds allowed(Waiting waiting) {
    switch (waiting) {
    case Waiting::request:
        return wire::limits::request_time;
    case Waiting::reply:
        return wire::limits::reply_time;
    case Waiting::comment:
        return wire::limits::event_comment;
    case Waiting::idle:
    case Waiting::nothing:
        return wire::limits::idle_time;
    }
    return {};
}

constexpr std::array kinds = {Waiting::request, Waiting::reply, Waiting::idle, Waiting::comment};

/// Comments need not be exact: those of a second are sent together, with one wake-up.
runtime::BootTime rounded(runtime::BootTime deadline, Waiting waiting) {
    return waiting == Waiting::comment ? std::chrono::ceil<std::chrono::seconds>(deadline) : deadline;
}

} // namespace

Deadlines::Deadlines(runtime::Clock& clock, Connections& connections, std::function<void(Connection&, Waiting)> passed)
    : clock_(clock), connections_(connections), passed_(std::move(passed)) {}

Deadlines::~Deadlines() {
    if (call_ != 0) clock_.cancel(call_);
}

void Deadlines::start(Connection& connection, Waiting waiting) {
    stop(connection);
    connection.waiting = waiting;
    connection.deadline = rounded(clock_.boot() + allowed(waiting), waiting);
    List& list = list_of(waiting);
    connection.before = list.last;
    if (list.last != no_slot) connections_.at(list.last).after = connection.slot;
    list.last = connection.slot;
    if (list.first == no_slot) list.first = connection.slot;
    if (call_ == 0 || connection.deadline < call_time_) wake_at(connection.deadline);
}

void Deadlines::stop(Connection& connection) {
    if (connection.waiting == Waiting::nothing) return;
    List& list = list_of(connection.waiting);
    (connection.before == no_slot ? list.first : connections_.at(connection.before).after) = connection.after;
    (connection.after == no_slot ? list.last : connections_.at(connection.after).before) = connection.before;
    connection.before = connection.after = no_slot;
    connection.waiting = Waiting::nothing;
}

std::optional<runtime::BootTime> Deadlines::earliest() {
    std::optional<runtime::BootTime> time;
    for (const List& list : lists_) {
        if (list.first == no_slot) continue;
        const runtime::BootTime deadline = connections_.at(list.first).deadline;
        time = std::min(time.value_or(deadline), deadline);
    }
    return time;
}

/// A call that turns out to be too early is left to ring: that is cheaper than moving it at every request.
void Deadlines::wake_at(runtime::BootTime when) {
    if (call_ != 0) clock_.cancel(call_);
    call_time_ = when;
    call_ = clock_.call_at(when, [this] { ring(); });
}

void Deadlines::ring() {
    call_ = 0;
    const runtime::BootTime now = clock_.boot();
    for (const Waiting kind : kinds) {
        List& list = list_of(kind);
        while (list.first != no_slot && connections_.at(list.first).deadline <= now) {
            Connection& connection = connections_.at(list.first);
            stop(connection);
            passed_(connection, kind);
        }
    }
    if (const auto next = earliest()) wake_at(*next);
}

} // namespace credlease::api
