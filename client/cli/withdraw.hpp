#pragma once

#include "cli/commands.hpp"

namespace credlease::cli {

/// `grant withdraw ID…` and `grants withdraw ID…` are one command.
void offer_withdraw(CLI::App& program, Invocation& invocation);

} // namespace credlease::cli
