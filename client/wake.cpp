#include "client/wake.hpp"

#include "client/open_sockets.hpp"

#include <sys/eventfd.h>

namespace credlease::client {

Wake::Wake() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ >= 0) open_sockets::add(descriptor_);
}

Wake::~Wake() {
    if (descriptor_ >= 0) open_sockets::close(descriptor_);
}

void Wake::come() const { (void)eventfd_write(descriptor_, 1); }

bool Wake::take() const {
    eventfd_t times = 0;
    return eventfd_read(descriptor_, &times) == 0;
}

} // namespace credlease::client
