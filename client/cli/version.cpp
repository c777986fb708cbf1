#include "cli/commands.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace credlease::cli {

void offer_version(CLI::App& program, Invocation& invocation) {
    struct Asked {};
    const auto run = [&program](const Invocation&, const Asked&) -> Result<int> {
        write_all(STDOUT_FILENO, program.version() + "\n");
        return exit_done;
    };
    offer<Asked>(program, invocation, "version", "Say which version this is", nullptr, run);
}

} // namespace credlease::cli
