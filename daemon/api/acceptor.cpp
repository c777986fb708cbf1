#include "api/acceptor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>

namespace credlease::api {
namespace {

bool is_exhausted(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

attestation::Descriptor open_null() { return attestation::Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

attestation::Descriptor accept_one(int listening) {
    int socket = -1;
    do socket = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (socket < 0 && (errno == EINTR || errno == ECONNABORTED));
    return attestation::Descriptor(socket);
}

} // namespace

Acceptor::Arrival Acceptor::accept(int listening) {
    if (auto socket = accept_one(listening); socket.open()) return {Kind::accepted, std::move(socket)};
    if (!is_exhausted(errno)) return {};
    reserve_.close();
    if (auto socket = accept_one(listening); socket.open()) return {Kind::turned_away, std::move(socket)};
    const bool still_exhausted = is_exhausted(errno);
    restore();
    return {still_exhausted ? Kind::stuck : Kind::none};
}

void Acceptor::restore() {
    if (!reserve_.open()) reserve_ = open_null();
}

bool Acceptor::is_short_of_descriptors() {
    const auto one = open_null();
    const auto another = open_null();
    return !one.open() || !another.open();
}

} // namespace credlease::api
