#include "api/connections.hpp"

#include <functional>
#include <utility>

namespace credlease::api {

std::uint16_t turn_class_of(std::uint32_t uid, std::string_view grant) {
    const std::size_t mixed = std::hash<std::string_view>{}(grant) ^ (uid * std::size_t{0x9e3779b1});
    return static_cast<std::uint16_t>((mixed ^ (mixed >> 12) ^ (mixed >> 24)) % turn_classes);
}

Connection& Connections::open(attestation::Descriptor socket, Door door, attestation::Peer peer) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();

    Connection& opened = slots_[slot];
    opened.slot = slot;
    opened.socket = std::move(socket);
    opened.door = door;
    opened.phase = Phase::reading_head;
    opened.turn_class = turn_class_of(peer.uid, {});
    opened.account = &accounts_[peer.uid];
    opened.account->uid = peer.uid;
    ++opened.account->connections;
    opened.peer = std::make_shared<const attestation::Peer>(std::move(peer));
    ++size_;
    return opened;
}

void Connections::close(Connection& connection) {
    Account& account = *connection.account;
    account.received -= connection.body_charged + charge_of(connection.held);
    forget_unsent(connection);
    if (connection.phase == Phase::streaming) --account.listeners;
    if (--account.connections == 0) accounts_.erase(account.uid);

    const std::uint32_t slot = connection.slot;
    const std::uint32_t next = connection.generation + 1;
    connection = Connection{};
    connection.generation = next;
    free_.push_back(slot);
    --size_;
}

void forget_unsent(Connection& connection) {
    if (!connection.unsent) return;
    connection.account->unsent_text -= connection.unsent->text_charged;
    connection.account->unsent_secrets -= connection.unsent->secret_charged;
    connection.unsent.reset();
}

Connection* Connections::find(std::uint32_t slot, std::uint32_t generation) {
    if (slot >= slots_.size()) return nullptr;
    Connection& found = slots_[slot];
    return found.phase != Phase::closed && found.generation == generation ? &found : nullptr;
}

std::uint32_t Connections::of_uid(std::uint32_t uid) const {
    const auto account = accounts_.find(uid);
    return account == accounts_.end() ? 0 : account->second.connections;
}

void Connections::for_each(const std::function<void(Connection&)>& visit) {
    for (Connection& connection : slots_) {
        if (connection.phase != Phase::closed) visit(connection);
    }
}

} // namespace credlease::api
