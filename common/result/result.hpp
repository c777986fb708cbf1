#pragma once

#include "result/error.hpp"

#include <expected>

namespace credlease::result {

/// A value, or why there is none: for whatever a client, a provider or time can cause. Never ignored.
template <class T = void> using Result = std::expected<T, Error>;

using Failure = std::unexpected<Error>;

/// `return refuse({.code = …, .sentence = …});`
[[nodiscard]] inline Failure refuse(Error error) { return Failure(std::move(error)); }

} // namespace credlease::result
