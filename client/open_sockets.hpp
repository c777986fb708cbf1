#pragma once

/// The sockets of this process, which a forked child closes at once: the broker would answer it 401 there, and a
/// connection that the child holds open would outlive the parent.
namespace credlease::client::open_sockets {

void add(int descriptor);
/// Closes a socket that was added.
void close(int descriptor);

} // namespace credlease::client::open_sockets
