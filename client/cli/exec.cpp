#include "cli/child.hpp"
#include "cli/commands.hpp"
#include "cli/environment.hpp"
#include "cli/lease_end.hpp"
#include "cli/on_change.hpp"

#include <optional>
#include <set>

namespace credlease::cli {
namespace {

struct Asked {
    std::vector<std::string> environment;
    std::vector<std::string> files;
    std::string on_change;
    std::string workspace;
    Purpose purpose;
};

/// A command with its leases, for as long as it lives.
class Execution {
  public:
    Execution(const Invocation& invocation, std::vector<Wanted> wanted, OnChange on_change)
        : invocation_(invocation), client_(invocation.client()), wanted_(std::move(wanted)), on_change_(on_change) {}

    Result<int> run(const Asked& asked);

  private:
    Result<void> start();
    void look();
    void report_ended(const std::string& credential, const Error& end);
    bool take_anew(const std::string& credential, Lease& lease);
    void tell_command();

    const Invocation& invocation_;
    Client client_;
    std::vector<Wanted> wanted_;
    OnChange on_change_;
    Changes changes_;
    Terms terms_;
    Leases leases_;                    ///< behind the changes, which they tell of until they die
    std::optional<Environment> files_; ///< of a command that is told of new ones
    std::optional<Child> child_;
    std::set<std::string> reported_;
    bool must_restart_ = false;
};

/// The lease ended because another version replaced it: a new one is of that version.
bool Execution::take_anew(const std::string& credential, Lease& lease) {
    auto taken = take_lease(client_, wanted_, credential, terms_);
    if (!taken) return false;
    lease = std::move(*taken);
    changes_.note_changed();
    return true;
}

/// It goes on, with what it was given.
void Execution::report_ended(const std::string& credential, const Error& end) {
    if (!reported_.insert(credential).second) return;
    report({.code = end.code,
            .sentence = "The command goes on without the lease of " + credential + ": " + end.sentence,
            .next_step = "",
            .reason = end.reason},
           false);
}

void Execution::look() {
    const bool is_told = on_change_.what != OnChange::What::nothing;
    for (auto& [credential, lease] : leases_) {
        const auto end = end_of(lease);
        if (!end || reported_.contains(credential)) continue;
        const bool is_replaced = is_told && end->reason == "credential_rotated";
        if (!is_replaced || !take_anew(credential, lease)) report_ended(credential, *end);
    }
    if (is_told && changes_.take_changed()) tell_command();
}

void Execution::tell_command() {
    if (on_change_.what == OnChange::What::restart) {
        must_restart_ = child_->end();
        return;
    }
    if (auto replaced = replace_files(*files_, wanted_, leases_); !replaced) report(replaced.error(), false);
    child_->send(on_change_.signal);
}

Result<void> Execution::start() {
    const bool is_signaled = on_change_.what == OnChange::What::signal;
    auto environment =
        make_environment(wanted_, leases_, is_signaled ? SecretFile::Kind::replaceable : SecretFile::Kind::sealed);
    if (!environment) return environment.error();
    auto child = Child::start(invocation_.after_dashes, *environment);
    if (!child) return child.error();
    child_.emplace(std::move(*child));
    // What the command is given was copied for it by the kernel, and is wiped here.
    environment->variables = SecretText();
    if (is_signaled) files_.emplace(std::move(*environment));
    return {};
}

Result<int> Execution::run(const Asked& asked) {
    terms_ = {.workspace = asked.workspace, .purpose = asked.purpose};
    if (on_change_.what != OnChange::What::nothing) {
        Child::expect_wake();
        terms_.on_change = [this](const LeaseChange& change) { changes_.take(change); };
    }
    auto leases = take_leases(invocation_, client_, wanted_, terms_);
    if (!leases) return leases.error();
    leases_ = std::move(*leases);
    int status = 0;
    do {
        must_restart_ = false;
        if (auto started = start(); !started) return started.error();
        status = child_->attend([this] { look(); });
    } while (must_restart_);
    return status;
}

Result<int> exec(const Invocation& invocation, const Asked& asked) {
    if (invocation.after_dashes.empty()) return no_command_behind_dashes();
    auto wanted = read_wanted(asked.environment, asked.files);
    if (!wanted) return wanted.error();
    const auto on_change = read_on_change(asked.on_change);
    if (!on_change) return on_change.error();
    return Execution(invocation, std::move(*wanted), *on_change).run(asked);
}

} // namespace

void offer_exec(CLI::App& program, Invocation& invocation) {
    const auto describe = [](CLI::App& command, Asked& asked) {
        command.footer(
            "credlease exec [--env VAR=C[:FIELD]]… [--file VAR=C[:FIELD]]… -- CMD [ARG…]\n\n"
            "C alone means its secret field; where it has several, name one: C:FIELD.\n"
            "A path of --file is of CMD's own descriptors (/proc/self/fd/N): CMD reads it, and so do those children\n"
            "that keep its descriptors open; a program that closes them (sudo, Python's subprocess) loses it.\n"
            "What --on-change does when a secret was rotated or refreshed: with restart CMD is ended (SIGTERM, after\n"
            "10 s SIGKILL) and started again with the new one; with signal:HUP it gets that signal, and finds the new\n"
            "secret when it opens the path of a --file again. Its environment stays as it was: use restart there.");
        repeatable(command.add_option("--env", asked.environment, "The secret in CMD's environment"))
            ->type_name("VAR=C[:FIELD]");
        repeatable(command.add_option("--file", asked.files, "The secret in sealed memory, its path in VAR (better)"))
            ->type_name("VAR=C[:FIELD]");
        command.add_option("--on-change", asked.on_change, "When a secret changes: restart CMD, or send it a signal")
            ->type_name("restart|signal:NAME");
        command.add_option("--workspace", asked.workspace, "In this workspace, for operators (default \"default\")");
        command.add_option("--workflow", asked.purpose.workflow, "What it is for: the workflow");
        command.add_option("--run", asked.purpose.run, "What it is for: the run");
        command.add_option("--node", asked.purpose.node, "What it is for: the node");
    };
    offer<Asked>(program, invocation, "exec", "Run a command with secrets, leased for as long as it lives", describe,
                 exec);
}

} // namespace credlease::cli
