#include "rooms.hpp"

#include <CLI/CLI.hpp>
