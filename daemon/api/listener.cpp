#include "api/listener.hpp"

#include "api/traffic.hpp"

namespace credlease::api {

Listener::Listener(runtime::Loop& loop, runtime::Clock& clock, secret::Arena& arena, const Routes& routes,
                   Options options)
    : traffic_(std::make_shared<Traffic>(loop, clock, arena, routes, std::move(options))) {
    traffic_->start();
}

Listener::~Listener() { traffic_->shut(); }

void Listener::add(Door door, attestation::Descriptor listening) { traffic_->add(door, std::move(listening)); }

void Listener::set_connections_per_uid(std::uint32_t most) { traffic_->set_connections_per_uid(most); }

void Listener::set_listeners_per_uid(std::uint32_t most) { traffic_->set_listeners_per_uid(most); }

void Listener::stop(runtime::BootTime deadline, std::function<void()> done) {
    traffic_->stop(deadline, std::move(done));
}

std::size_t Listener::connections() const { return traffic_->connections(); }

} // namespace credlease::api
