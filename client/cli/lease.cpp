#include "cli/commands.hpp"
#include "cli/durations.hpp"
#include "cli/lease_end.hpp"
#include "cli/lease_field.hpp"
#include "cli/naming_errors.hpp"
#include "cli/terminal.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <unistd.h>

namespace credlease::cli {
namespace {

using namespace std::chrono_literals;

struct Asked {
    std::string credential;
    std::string field;
    std::string ttl;
    std::string min_valid;
    std::string workspace;
    Purpose purpose;
    bool hold = false;
};

Result<LeaseRequest> request_for(const Asked& asked) {
    // A lease that nobody holds is left behind: it ends soon. One that is held is renewed, and takes the broker's time.
    const bool is_left = asked.ttl.empty() && !asked.hold;
    const auto ttl = read_duration("--ttl", is_left ? "60s" : asked.ttl);
    if (!ttl) return ttl.error();
    const auto min_valid = read_duration("--min-valid", asked.min_valid);
    if (!min_valid) return min_valid.error();
    LeaseRequest request{.credential = asked.credential,
                         .workspace = asked.workspace,
                         .ttl = *ttl,
                         .min_valid = *min_valid,
                         .purpose = asked.purpose,
                         .bound_to_process = asked.hold,
                         .renew_itself = asked.hold};
    if (!asked.field.empty()) request.fields = {asked.field};
    // Who listens knows of its end at once, and not at the next renewal.
    if (asked.hold) request.on_change = [](const LeaseChange&) {};
    return request;
}

/// What could not be written all is of no use to anyone: the lease is given back.
class Output {
  public:
    void print_line(std::string_view text) {
        const bool written = write_all(STDOUT_FILENO, text) && (text.ends_with('\n') || write_all(STDOUT_FILENO, "\n"));
        if (!written) error_ = errno;
    }
    [[nodiscard]] Result<void> check(Lease& lease) const {
        if (error_ == 0) return {};
        const bool is_released = lease.release().ok();
        return Error{.code = "output",
                     .sentence = std::string("The lease cannot be written to standard output: ") +
                                 std::strerror(error_) + ". " +
                                 (is_released ? "It was given back." : "It could not be given back."),
                     .next_step = is_released ? "" : "End it with: credlease leases end " + lease.id()};
    }

  private:
    int error_ = 0;
};

Result<void> print(Lease& lease, const std::string& field) {
    Output output;
    const auto print_line = [&](std::string_view text) { output.print_line(text); };
    if (field.empty()) {
        lease.expose_json(print_line);
    } else if (auto shown = show_field(lease, field, print_line); !shown) {
        return shown;
    }
    return output.check(lease);
}

/// Until a signal asks to end, or the lease is no more.
Result<int> hold(Lease& lease, const sigset_t& ending) {
    constexpr timespec look_every{.tv_sec = 1, .tv_nsec = 0};
    while (sigtimedwait(&ending, nullptr, &look_every) < 0) {
        if (const auto end = end_of(lease)) return *end;
    }
    if (auto released = lease.release(); !released) return released.error();
    return exit_done;
}

Result<int> lease(const Invocation& invocation, const Asked& asked) {
    const auto request = request_for(asked);
    if (!request) return request.error();
    Client client = invocation.client();
    // Held back from here on, so that no signal ends the program between the lease and its release.
    sigset_t ending{};
    sigemptyset(&ending);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ending, signal);
    if (asked.hold) pthread_sigmask(SIG_BLOCK, &ending, nullptr);

    signal(SIGPIPE, SIG_IGN); // a reader that has gone is told by write(2), and the lease given back

    auto taken = client.lease(*request);
    if (!taken) return explain_naming(invocation, client, taken.error(), asked.credential, asked.workspace);
    if (auto printed = print(*taken, asked.field); !printed) return printed.error();
    if (asked.hold) return hold(*taken, ending);
    taken->keep();
    return exit_done;
}

} // namespace

void offer_lease(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.add_option("credential", asked.credential, "Its id or name")->required();
        command.add_option("--field", asked.field, "Print this field alone");
        command.add_option("--ttl", asked.ttl, "How long it is needed (default 60s; with --hold the broker's, 15m)")
            ->type_name("DURATION");
        command.add_option("--min-valid", asked.min_valid, "Of OAuth: a token that is good for at least this long")
            ->type_name("DURATION");
        command.add_flag("--hold", asked.hold,
                         "Keep and renew it until interrupted, then give it back; its end is said at once");
        command.add_option("--workspace", asked.workspace, "In this workspace, for operators (default \"default\")");
        command.add_option("--workflow", asked.purpose.workflow, "What it is for: the workflow");
        command.add_option("--run", asked.purpose.run, "What it is for: the run");
        command.add_option("--node", asked.purpose.node, "What it is for: the node");
    };
    offer<Asked>(program, invocation, "lease", "Print a lease of a credential, with its secret", describe, lease);
}

} // namespace credlease::cli
