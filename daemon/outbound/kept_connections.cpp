#include "outbound/kept_connections.hpp"

#include <algorithm>
#include <iterator>

namespace credlease::outbound {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;

constexpr auto idle_most = 4s;
constexpr auto life = 1min;

} // namespace

KeptConnections::KeptConnections(runtime::Clock& clock, std::shared_ptr<const Terms> terms)
    : clock_(clock), terms_(std::move(terms)) {}

KeptConnections::~KeptConnections() {
    if (call_ != 0) clock_.cancel(call_);
}

void KeptConnections::begin_anew(std::shared_ptr<const Terms> terms) {
    close_all();
    terms_ = std::move(terms);
}

void KeptConnections::close_all() {
    while (!kept_.empty()) close(kept_.begin());
}

void KeptConnections::keep(const std::shared_ptr<const Terms>& terms, std::string origin,
                           std::unique_ptr<Connection> connection) {
    const auto now = clock_.boot();
    const bool is_fit = terms == terms_ && now < connection->begun() + life && connection->is_quiet();
    if (!is_fit) return connection->say_end();
    make_room(origin);
    const auto number = ++last_number_;
    connection->socket().async_wait(tcp::socket::wait_read, [this, number](boost::system::error_code cancelled) {
        const auto one = std::ranges::find(kept_, number, &Kept::number);
        if (!cancelled && one != kept_.end()) close(one);
    });
    kept_.push_back({.number = number,
                     .origin = std::move(origin),
                     .connection = std::move(connection),
                     .ends_at = now + idle_most});
    if (call_ == 0) call_ = clock_.call_at(kept_.back().ends_at, [this] { close_old(); });
}

std::unique_ptr<Connection> KeptConnections::take(const std::shared_ptr<const Terms>& terms,
                                                  const std::string& origin) {
    if (terms != terms_) return nullptr;
    for (;;) {
        const auto newest = std::ranges::find(kept_.rbegin(), kept_.rend(), origin, &Kept::origin);
        if (newest == kept_.rend()) return nullptr;
        const auto place = std::next(newest).base();
        // The loop may not have come yet to what has happened to it.
        if (place->ends_at <= clock_.boot() || !place->connection->is_quiet()) {
            close(place);
            continue;
        }
        auto taken = std::move(place->connection);
        kept_.erase(place);
        taken->socket().cancel();
        return taken;
    }
}

void KeptConnections::make_room(const std::string& origin) {
    const auto of_origin = std::ranges::count(kept_, origin, &Kept::origin);
    if (of_origin == most_of_origin) return close(std::ranges::find(kept_, origin, &Kept::origin));
    if (kept_.size() == most) close(kept_.begin());
}

void KeptConnections::close(Place one) {
    one->connection->say_end();
    kept_.erase(one);
}

void KeptConnections::close_old() {
    call_ = 0;
    while (!kept_.empty() && kept_.front().ends_at <= clock_.boot()) close(kept_.begin());
    if (!kept_.empty()) call_ = clock_.call_at(kept_.front().ends_at, [this] { close_old(); });
}

} // namespace credlease::outbound
