#pragma once

#include "result/error.hpp"

#include <expected>

namespace credlease::result {

/// A value, or why there is none: for whatever a client, a provider or time can cause. A std::expected that the
/// compiler does not let anyone ignore, not even behind co_await (libstdc++'s own is not [[nodiscard]]).
template <class T = void> class [[nodiscard]] Result : public std::expected<T, Error> {
  public:
    using std::expected<T, Error>::expected;
};

using Failure = std::unexpected<Error>;

/// `return refuse({.code = …, .sentence = …});`
[[nodiscard]] inline Failure refuse(Error error) { return Failure(std::move(error)); }

} // namespace credlease::result
