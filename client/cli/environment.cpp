#include "cli/environment.hpp"

#include "cli/lease_field.hpp"
#include "cli/naming_errors.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace credlease::cli {
namespace {

/// A grant is this program's, not the command's (interface §4).
constexpr std::array grant_variables = {"CREDLEASE_GRANT", "CREDLEASE_GRANT_FILE"};

bool is_variable_name(std::string_view text) {
    return !text.empty() && !(text[0] >= '0' && text[0] <= '9') && std::ranges::all_of(text, [](char c) {
        return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    });
}

bool is_field_name(std::string_view text) {
    return !text.empty() && text[0] >= 'a' && text[0] <= 'z' && std::ranges::all_of(text, [](char c) {
        return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
    });
}

bool is_scope_word(std::string_view text) {
    return text == "personal" || text == "workspace" || text == "organization";
}

Result<Wanted> read_one(const std::string& text, bool as_file) {
    const auto equals = text.find('=');
    const std::string variable = text.substr(0, equals);
    if (equals != std::string::npos && !is_variable_name(variable)) {
        return usage("\"" + variable + "\" is not a variable's name: letters, digits and _, and no digit first.");
    }
    if (equals == std::string::npos || equals + 1 == text.size()) {
        return usage(as_file ? "A --file is VAR=CREDENTIAL or VAR=CREDENTIAL:FIELD."
                             : "An --env is VAR=CREDENTIAL or VAR=CREDENTIAL:FIELD.");
    }
    Wanted wanted{.variable = variable, .credential = text.substr(equals + 1), .field = "", .as_file = as_file};
    const auto colon = wanted.credential.rfind(':');
    if (colon == std::string::npos) return wanted;
    const std::string before = wanted.credential.substr(0, colon);
    const std::string after = wanted.credential.substr(colon + 1);
    if (is_scope_word(before) || !is_field_name(after)) return wanted;
    wanted.credential = before;
    wanted.field = after;
    return wanted;
}

/// Says which credential has not the field that is wanted.
Result<void> show(const Lease& lease, const Wanted& wanted, const std::function<void(std::string_view)>& use) {
    auto shown = show_field(lease, wanted.field, use);
    if (shown) return shown;
    Error error = shown.error();
    error.sentence = "\"" + wanted.credential + "\": " + error.sentence;
    return error;
}

Result<void> fill(SecretFile& file, const Lease& lease, const Wanted& wanted) {
    Result<void> written;
    auto shown = show(lease, wanted, [&](std::string_view text) { written = file.put(text); });
    return shown ? written : shown;
}

/// Writes "VAR=value\0" of each variable to `write`, piece by piece.
Result<void> write_variables(const std::vector<Wanted>& wanted, const Leases& leases,
                             const std::vector<SecretFile>& files, const std::function<void(std::string_view)>& write) {
    auto file = files.begin();
    for (const Wanted& each : wanted) {
        write(each.variable);
        write("=");
        if (each.as_file) {
            write("/proc/self/fd/" + std::to_string((file++)->number()));
        } else if (auto shown = show(leases.at(each.credential), each, write); !shown) {
            return shown;
        }
        write(std::string_view("\0", 1));
    }
    return {};
}

Result<SecretText> join_variables(const std::vector<Wanted>& wanted, const Leases& leases,
                                  const std::vector<SecretFile>& files) {
    while (true) {
        std::size_t size = 0;
        const auto measured =
            write_variables(wanted, leases, files, [&](std::string_view text) { size += text.size(); });
        if (!measured) return measured.error();
        std::size_t needed = 0;
        auto joined = SecretText::filled(size, [&](std::span<char> room) {
            [[maybe_unused]] const auto written = write_variables(wanted, leases, files, [&](std::string_view text) {
                if (needed + text.size() <= size) std::ranges::copy(text, room.subspan(needed).begin());
                needed += text.size();
            });
        });
        // A renewal in between may have brought another value.
        if (!joined || needed == size) return joined;
    }
}

} // namespace

Result<std::vector<Wanted>> read_wanted(const std::vector<std::string>& environment,
                                        const std::vector<std::string>& files) {
    std::vector<Wanted> all;
    for (const auto* texts : {&environment, &files}) {
        for (const std::string& text : *texts) {
            auto wanted = read_one(text, texts == &files);
            if (!wanted) return wanted.error();
            if (std::ranges::find(all, wanted->variable, &Wanted::variable) != all.end()) {
                return usage("The variable " + wanted->variable + " is given twice.");
            }
            all.push_back(std::move(*wanted));
        }
    }
    if (all.empty()) return usage("Say which secrets the command needs: --env VAR=C or --file VAR=C.");
    return all;
}

Result<Lease> take_lease(Client& client, const std::vector<Wanted>& wanted, const std::string& credential,
                         const Terms& terms) {
    std::set<std::string> names;
    for (const Wanted& each : wanted) {
        if (each.credential == credential) names.insert(each.field);
    }
    LeaseRequest request{.credential = credential,
                         .workspace = terms.workspace,
                         .purpose = terms.purpose,
                         .renew_itself = true,
                         .on_change = terms.on_change};
    if (!names.contains("")) request.fields.assign(names.begin(), names.end());
    return client.lease(request);
}

Result<Leases> take_leases(const Invocation& invocation, Client& client, const std::vector<Wanted>& wanted,
                           const Terms& terms) {
    Leases leases;
    for (const Wanted& each : wanted) {
        if (leases.contains(each.credential)) continue;
        auto lease = take_lease(client, wanted, each.credential, terms);
        if (!lease) return explain_naming(invocation, client, lease.error(), each.credential, terms.workspace);
        leases.emplace(each.credential, std::move(*lease));
    }
    return leases;
}

Result<Environment> make_environment(const std::vector<Wanted>& wanted, const Leases& leases, SecretFile::Kind files) {
    Environment made;
    for (const Wanted& each : wanted) {
        made.replaced.push_back(each.variable);
        if (!each.as_file) continue;
        auto file = SecretFile::make(files);
        if (!file) return file.error();
        if (auto filled = fill(*file, leases.at(each.credential), each); !filled) return filled.error();
        made.files.push_back(std::move(*file));
    }
    made.replaced.insert(made.replaced.end(), grant_variables.begin(), grant_variables.end());
    auto joined = join_variables(wanted, leases, made.files);
    if (!joined) return joined.error();
    made.variables = std::move(*joined);
    return made;
}

Result<void> replace_files(Environment& environment, const std::vector<Wanted>& wanted, const Leases& leases) {
    auto file = environment.files.begin();
    for (const Wanted& each : wanted) {
        if (!each.as_file) continue;
        if (auto filled = fill(*file++, leases.at(each.credential), each); !filled) return filled;
    }
    return {};
}

} // namespace credlease::cli
