#pragma once

#include <boost/asio/awaitable.hpp>

namespace credlease::runtime {

/// A coroutine on the loop thread.
template <class T = void> using Task = boost::asio::awaitable<T>;

} // namespace credlease::runtime
